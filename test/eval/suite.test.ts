import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { globSync } from "node:fs";
import { parseDocument } from "yaml";
import { describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { parseSuite, readSuite } from "../../src/eval/read.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

async function read(text: string, files: Readonly<Record<string, string>> = {}) {
  const dir = await temporaryFolder();
  for (const [path, content] of Object.entries({ "evals/suite.yaml": text, ...files })) {
    await mkdir(dirname(join(dir, path)), { recursive: true });
    await writeFile(join(dir, path), content);
  }
  return readSuite(dir, "evals/suite.yaml");
}

/** Problems as `line:column path: message`. */
async function problemsOf(text: string, files?: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const error: unknown = await read(text, files).then(() => undefined, (cause: unknown) => cause);
  if (!(error instanceof TwelveError)) throw new Error(`Expected a refusal, got ${String(error)}`);
  expect(error.code).toBe("SUITE_INVALID");
  return error.problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

const oneTest = (assertion: string, vars = "{ question: Hello }") => `tests:\n  - vars: ${vars}\n    assert:\n      - ${assertion}\n`;

describe("reading a suite", () => {
  it("merges defaultTest into each test: variables and metadata are overridden, assertions come first", async () => {
    const { plan } = await read(`
defaultTest:
  vars: { question: Default?, tone: kind }
  metadata: { topic: a, area: b }
  threshold: 0.5
  assert: [{ type: latency, threshold: 100 }]
tests:
  - description: First
    vars: { question: Own? }
    metadata: { topic: c }
    assert: [{ type: contains, value: yes it is, weight: 2 }]
  - threshold: 0.8
`);
    const [first, second] = plan.cases;
    expect(first).toMatchObject({ number: 1, description: "First", question: "Own?", others: { tone: "kind" }, metadata: { topic: "c", area: "b" }, threshold: 0.5 });
    expect(first?.assertions.map(({ type, weight }) => [type, weight])).toEqual([["latency", 1], ["contains", 2]]);
    expect(second).toMatchObject({ number: 2, description: null, question: "Default?", threshold: 0.8 });
  });

  it("makes one case for each combination of the values of lists", async () => {
    const { plan } = await read(oneTest("{ type: contains, value: a }", "{ question: [A, B], tone: [x, y] }"));
    expect(plan.cases.map(({ vars }) => [vars["question"], vars["tone"]])).toEqual([["A", "x"], ["A", "y"], ["B", "x"], ["B", "y"]]);
  });

  it("keeps a list as one value where expansion is off", async () => {
    const { plan } = await read(`tests: [{ vars: { question: Q, items: [a, b] }, options: { disableVarExpansion: true }, assert: [{ type: contains, value: a }] }]`);
    expect(plan.cases.map(({ others }) => others)).toEqual([{ items: ["a", "b"] }]);
  });

  it("takes the first known name as the question, else the only variable", async () => {
    const asked = async (vars: string) => (await read(oneTest("{ type: contains, value: a }", vars))).plan.cases[0]?.question;
    expect(await asked("{ input: I, question: Q, query: R }")).toBe("Q");
    expect(await asked("{ message: M, input: I }")).toBe("I");
    expect(await asked("{ topic: T }")).toBe("T");
    expect(await asked("{ question: 42 }")).toBe("42");
    expect(await problemsOf(oneTest("{ type: contains, value: a }", "{ topic: T, tone: kind }"))).toEqual([
      "2:11 tests[0].vars: None of the variables topic, tone is the user's message. Name one of them question, query, input, message, prompt",
    ]);
    expect(await problemsOf(oneTest("{ type: contains, value: a }", "{ question: ' ' }"))).toEqual(["2:23 tests[0].vars.question: The variable question is empty; it is the user's message"]);
  });

  it("writes variables into variables and values", async () => {
    const { plan } = await read(oneTest(`{ type: contains-all, value: ["{{ city }}", "{{count}} x"] }`, `{ question: "Where is {{city}}?", city: "{{name}}", name: Rome, count: 3 }`));
    expect(plan.cases[0]?.question).toBe("Where is Rome?");
    expect(plan.cases[0]?.assertions[0]?.check).toMatchObject({ values: ["Rome", "3 x"] });
  });

  it.each([
    [`{ type: contains, value: "{{city}}" }`, `{ question: Q }`, `4:34 tests[0].assert[0].value: There is no variable "city"; the case has question`],
    [`{ type: contains, value: "{{ question | upper }}" }`, `{ question: Q }`, "4:34 tests[0].assert[0].value: Only {{name}} of a variable is supported; found {{ question | upper }}"],
    [`{ type: contains, value: "{% if x %}" }`, `{ question: Q }`, "4:34 tests[0].assert[0].value: Only {{name}} of a variable is supported; found {% if x %}"],
    [`{ type: contains, value: a }`, `{ question: "{{question}}" }`, `2:23 tests[0].vars.question: There is no variable "question"; the case has none`],
    [`{ type: javascript, value: "output.includes('{{question}}')" }`, `{ question: Q }`, "4:36 tests[0].assert[0].value: Variables are not written into a script: use context.vars.question in place of {{question}}"],
  ])("refuses the template in %s with %s", async (assertion, vars, problem) => {
    expect(await problemsOf(oneTest(assertion, vars))).toEqual([problem]);
  });

  it.each([
    ["prompts: [a]\n", "1:1 prompts: promptfoo's key prompts is not supported. Take it out: the agent and the release give the prompt and the model"],
    ["providers: [a]\n", "1:1 providers: promptfoo's key providers is not supported. Take it out: the agent and the release give the prompt and the model"],
    ["descripton: a\n", '1:1 descripton: Unknown key. Did you mean "description"? Allowed: description, tests, defaultTest, evaluateOptions'],
  ])("names the key in %j", async (text, problem) => {
    expect(await problemsOf(text + oneTest("{ type: contains, value: a }"))).toEqual([problem]);
  });

  it.each([
    ["{ type: icontain, value: a }", "4:17 tests[0].assert[0].type: There is no assertion \"icontain\". Did you mean \"icontains\"?"],
    ["{ type: llm-rubric, value: a }", "4:17 tests[0].assert[0].type: promptfoo's assertion llm-rubric is not supported."],
    ["{ type: contains, value: a, weight: 0 }", "4:45 tests[0].assert[0].weight: Expected a weight above 0: an assertion without weight can never fail"],
    ["{ type: contains }", "4:9 tests[0].assert[0].value: contains needs a value"],
    ["{ type: contains, value: [a, b] }", "4:34 tests[0].assert[0].value: Expected a text"],
    ["{ type: contains, value: '' }", "4:34 tests[0].assert[0].value: Empty text; every answer contains it"],
    ["{ type: contains-any, value: 'a, b' }", '4:38 tests[0].assert[0].value: Expected a list of texts, such as ["a", "b"]'],
    ["{ type: contains-all, value: [] }", "4:38 tests[0].assert[0].value: Expected a list of texts"],
    ["{ type: regex, value: '(' }", "4:31 tests[0].assert[0].value: Invalid regular expression: /(/: Unterminated group"],
    ["{ type: latency }", "4:9 tests[0].assert[0].threshold: latency needs a threshold in milliseconds"],
    ["{ type: cost, threshold: -1 }", "4:34 tests[0].assert[0].threshold: Expected US dollars, at least 0"],
    ["{ type: similar, value: a, threshold: 0 }", "4:47 tests[0].assert[0].threshold: Expected a threshold above 0 and at most 1: every score reaches 0, and none is above 1"],
    ["{ type: contains, value: a, threshold: 0.5 }", "4:48 tests[0].assert[0].threshold: contains takes no threshold"],
    ["{ type: is-json, value: { type: nonsense } }", "4:33 tests[0].assert[0].value: schema is invalid: "],
    ["{ type: javascript, value: 'output.' }", "4:36 tests[0].assert[0].value: JavaScript does not parse: Unexpected token '}'"],
    ["{ type: javascript, value: 'const a = 1; a > 0' }", "4:36 tests[0].assert[0].value: JavaScript of several statements gives nothing back: add `return` before the last expression"],
    ["{ type: javascript, value: file://a.ts }", "4:36 tests[0].assert[0].value: file://a.ts does not exist"],
    ["{ type: contains, value: a, metric: m }", "4:37 tests[0].assert[0].metric: promptfoo's key metric is not supported."],
  ])("refuses %s with its place", async (assertion, problem) => {
    const problems = await problemsOf(oneTest(assertion));
    expect(problems).toHaveLength(1);
    expect(problems[0]?.slice(0, problem.length)).toBe(problem);
  });

  it("refuses a test that can never fail", async () => {
    expect(await problemsOf("tests:\n  - vars: { question: Q }\n")).toEqual(["2:5 tests[0]: A test without assertions can never fail. Add `assert` here or to `defaultTest`"]);
    expect(await problemsOf("tests:\n  - { vars: { question: Q }, threshold: 0, assert: [{ type: equals, value: a }] }\n")).toEqual([
      "2:41 tests[0].threshold: Expected a threshold above 0: every score reaches 0, so the case could never fail",
    ]);
    expect(await problemsOf("tests: []\n")).toEqual(["1:8 tests: Expected at least one test"]);
    expect(await problemsOf(oneTest("{ type: equals, value: a }", "{ question: [] }"))).toEqual(["2:11 tests[0].vars: An empty list of values leaves no case"]);
  });

  it("names lists whose product is out of hand, without making it", async () => {
    const many = `[${Array.from({ length: 400 }, (_, i) => i).join(", ")}]`;
    expect(await problemsOf(oneTest("{ type: equals, value: a }", `{ question: ${many}, b: ${many}, c: ${many}, d: ${many} }`))).toEqual([
      "2:11 tests[0].vars: The lists of values make more than 100000 cases",
    ]);
  });

  it("reports a file that is not YAML with its place", async () => {
    expect(await problemsOf("tests:\n\t- a\n")).toEqual(["2:1 undefined: Tab used for indentation; YAML allows only spaces"]);
  });
});

describe("files of a suite", () => {
  const text = oneTest("{ type: is-json, value: file://schema.json }", "{ question: file://question.txt }");
  const files = { "evals/schema.json": '{"type":"object"}', "evals/question.txt": "What about {{braces}}?" };

  it("are read relative to the suite, as data and not as templates", async () => {
    const suite = await read(text, files);
    expect(suite.plan.cases[0]?.question).toBe("What about {{braces}}?");
    expect(suite.plan.cases[0]?.assertions[0]?.check).toEqual({ kind: "json", schema: { type: "object" } });
    expect(Object.keys(suite.files)).toEqual(["evals/suite.yaml", "evals/question.txt", "evals/schema.json"]);
  });

  it("are part of the suite's digest", async () => {
    const [one, same, other] = [await read(text, files), await read(text, files), await read(text, { ...files, "evals/question.txt": "What else?" })];
    expect(same.digest).toBe(one.digest);
    expect(other.digest).not.toBe(one.digest);
  });

  it("must exist inside the application folder", async () => {
    const outside = join(await temporaryFolder(), "secret.txt");
    await writeFile(outside, "secret");
    const dir = await temporaryFolder();
    await symlink(outside, join(dir, "link.txt"));
    const complaint = async (reference: string) => {
      await writeFile(join(dir, "suite.yaml"), oneTest("{ type: equals, value: a }", `{ question: "${reference}" }`));
      const error = await readSuite(dir, "suite.yaml").then(() => undefined, (cause: unknown) => cause);
      return error instanceof TwelveError ? error.problems.map(({ line, message }) => `${line} ${message}`) : [];
    };
    expect(await complaint("file://../../../../etc/hostname")).toEqual([expect.stringMatching(/^2 file:\/\/.* (is outside the application folder|does not exist)$/)]);
    expect(await complaint("file://link.txt")).toEqual(["2 file://link.txt is outside the application folder"]);
    expect(await complaint(`file://${outside}`)).toEqual([`2 file://${outside} is an absolute path; name it relative to the suite`]);
    expect(await complaint("file://none.txt")).toEqual(["2 file://none.txt does not exist"]);
  });

  it("reports a missing suite, and one outside the application folder", async () => {
    const dir = await temporaryFolder();
    await expect(readSuite(dir, "evals/none.yaml")).rejects.toMatchObject({ code: "SUITE_INVALID", message: "The suite evals/none.yaml does not exist" });
    await expect(readSuite(dir, "..")).rejects.toMatchObject({ message: "The suite .. is outside the application folder" });
  });
});

describe("promptfoo's own examples", () => {
  const root = withoutShared ? "" : sharedData("prompts/promptfoo");
  const paths = withoutShared ? [] : globSync("**/*.yaml", { cwd: root });

  it.skipIf(withoutShared)("are each refused with line and column, most of them only for their prompts and providers (needs the shared data)", async () => {
    const counts = { onlyModel: 0, more: 0 };
    for (const path of paths) {
      const text = await readFile(join(root, path), "utf8");
      const error = refusalOf(() => parseSuite(text, path));
      expect(error.code).toBe("SUITE_INVALID");
      expect(error.problems.filter(({ line, column }) => line === undefined || column === undefined)).toEqual([]);
      const isOnlyModel = error.problems.every(({ path: at = "" }) => ["prompts", "providers", "targets"].includes(at));
      counts[isOnlyModel ? "onlyModel" : "more"] += 1;
    }
    expect(counts).toEqual({ onlyModel: 24, more: 17 });
  });

  it.skipIf(withoutShared)("load without these, or name each key, type or missing file in the way (needs the shared data)", async () => {
    let loaded = 0;
    const kinds = new Map<string, number>();
    for (const path of paths) {
      const document = parseDocument(await readFile(join(root, path), "utf8"));
      for (const key of ["prompts", "providers", "targets"]) document.delete(key);
      const dir = await temporaryFolder();
      await writeFile(join(dir, "suite.yaml"), document.toString());
      const error: unknown = await readSuite(dir, "suite.yaml").then(() => undefined, (cause: unknown) => cause);
      if (error !== undefined && !(error instanceof TwelveError)) throw new Error(`${path} was not refused but broke`, { cause: error });
      if (error === undefined) loaded += 1;
      for (const { message } of error?.problems ?? []) kinds.set(kindOf(message), (kinds.get(kindOf(message)) ?? 0) + 1);
    }
    expect(loaded).toBe(4);
    expect(Object.fromEntries(kinds)).toEqual({
      "A test without assertions": 57,
      "Unknown key": 19,
      "promptfoo's assertion llm-rubric": 16,
      "promptfoo's assertion python": 1,
      "promptfoo's key $ref": 1,
      "promptfoo's key assertionTemplates": 1,
      "promptfoo's key metric": 4,
      "promptfoo's key outputPath": 1,
      "promptfoo's key provider": 2,
      "promptfoo's key providers": 6,
      "promptfoo's key tests": 1,
      "None of the variables": 1,
      "file does not exist": 2,
      "Expected a": 2,
      "Expected array": 3,
      "Expected object": 3,
      "Required; expected array": 2,
      "Required; expected string": 1,
    });
  });
});

function refusalOf(act: () => unknown): TwelveError {
  try {
    act();
  } catch (error) {
    if (error instanceof TwelveError) return error;
    throw error;
  }
  throw new Error("Expected a refusal");
}

/** The part of a message that says what is in the way. */
function kindOf(message: string): string {
  const named = /^promptfoo's (?:key|assertion) \S+|^Unknown key|^A test without assertions|^Expected \w+|^file:.* does not exist|^None of the variables|^Only \{\{name\}\}|^JavaScript \w+ \w+ \w+/.exec(message)?.[0];
  return named?.replace(/^file:\S*/, "file") ?? message;
}

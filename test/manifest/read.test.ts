import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Problem, TwelveError } from "../../src/core/errors.ts";
import { manifestJsonSchema } from "../../src/manifest/json-schema.ts";
import { parseManifest, readManifest } from "../../src/manifest/read.ts";
import { temporaryFolder } from "../helpers/context.ts";

const whole = `# a comment
name: support-assistant
prompts: [prompts, "npm:@acme/prompts"]
config:
  CHAT_MODEL:  { default: "mock:extractive", description: Model that answers }
  TEMPERATURE: { type: number, default: 0.2, min: 0, max: 2 }
  TOP_K:       { type: integer, default: 5 }
  EMBEDDER:    { default: "hash:512" }
  STATE_URL:   { kind: attachment, default: "pglite:.twelve/state" }
  OPENAI_API_KEY: { kind: secret, optional: true }
indexes:
  docs: { source: [docs], embedder: "\${EMBEDDER}", chunk: { maxTokens: 400, overlapTokens: 50 } }
agents:
  support: { prompt: answer, model: "\${CHAT_MODEL}", temperature: "\${TEMPERATURE}", retrieve: { index: docs, topK: "\${TOP_K}", mode: hybrid }, session: true }
processes:
  web:    { serve: [support] }
  worker: { work: [index] }
evals:
  smoke: { suite: evals/smoke.yaml, gate: { passRate: 0.9 } }
environments:
  development: { config: "dotenv:.env" }
  production:  { config: "ssm:/support/production", requires: [smoke] }
`;

function problemsOf(text: string): readonly Problem[] {
  try {
    parseManifest(text);
  } catch (error) {
    if (error instanceof TwelveError && error.code === "MANIFEST_INVALID") return error.problems;
    throw error;
  }
  return [];
}

describe("the manifest", () => {
  it("reads every field of the documented example", () => {
    const manifest = parseManifest(whole);
    expect(manifest.agents["support"]).toMatchObject({ model: "${CHAT_MODEL}", temperature: "${TEMPERATURE}", session: true });
    expect(manifest.config["TOP_K"]).toMatchObject({ kind: "frozen", type: "integer", default: 5 });
    expect(manifest.evals["smoke"]?.gate).toEqual({ passRate: 0.9 });
    expect(manifest.code).toEqual({ include: ["**"], exclude: [] });
  });

  it("is described by a JSON Schema with the same fields", () => {
    const schema = JSON.parse(manifestJsonSchema()) as { properties: object; required: string[] };
    expect(Object.keys(schema.properties)).toEqual(["name", "code", "prompts", "config", "indexes", "agents", "tools", "processes", "server", "evals", "lifecycle", "environments"]);
    expect(schema.required).toEqual(["name"]);
  });

  it("names an unknown key with its place, the allowed ones and the nearest", () => {
    expect(problemsOf(whole.replace("temperature:", "temprature:"))).toEqual([
      { file: "twelve.yaml", line: 14, column: 54, path: "agents.support.temprature", message: expect.stringMatching(/^Unknown key\. Did you mean "temperature"\? Allowed: prompt, stop, /) as string },
    ]);
  });

  it("names a wrong type with what it found", () => {
    expect(problemsOf(whole.replace("session: true", "session: maybe"))).toEqual([
      { file: "twelve.yaml", line: 14, column: expect.any(Number) as number, path: "agents.support.session", message: 'Expected boolean, found the string "maybe"' },
    ]);
  });

  it.each([
    ["a tab", "name: a\nprompts:\n\t- x\n", 3, /^Tab used for indentation/],
    ["a duplicate key", "name: a\nname: b\n", 2, /^Duplicate key/],
    ["an undeclared configuration key", 'name: a\nagents:\n  x: { prompt: p, model: "${CHAT}" }\nconfig: { CHAT_MODEL: {} }\n', 3, /^There is no configuration key "CHAT"\./],
    ["a secret used as a value", 'name: a\nagents:\n  x: { prompt: p, model: "${KEY}" }\nconfig: { KEY: { kind: secret } }\n', 3, /^KEY is a secret/],
    ["interpolation outside agents and indexes", 'name: a\nprompts: ["${DIR}"]\nconfig: { DIR: {} }\n', 2, /only in agents, indexes, tools and server/],
    ["a secret with a default", "name: a\nconfig:\n  KEY: { kind: secret, default: hunter2 }\n", 3, /^A secret has no default/],
    ["a default with a password in it", 'name: a\nconfig:\n  DB: { kind: attachment, default: "postgres://me:pa55@db/app" }\n', 3, /^The URL holds credentials(?!.*pa55)/],
    ["a model with a password in it", 'name: a\nagents:\n  x:\n    prompt: p\n    model: "https://me:pa55@host/v1#m"\n', 5, /^The URL holds credentials(?!.*pa55)/],
    ["a second document", "name: a\n---\nname: b\n", 2, /^Only one YAML document is allowed/],
    ["a default of the wrong type", "name: a\nconfig:\n  K: { type: integer, default: 1.5 }\n", 3, /^Expected an integer/],
    ["a default out of range", "name: a\nconfig:\n  K: { type: number, default: 3, max: 2 }\n", 3, /^Expected at most 2/],
    ["an agent with an index that does not exist", 'name: a\nindexes: { docs: { source: [d] } }\nagents:\n  x: { prompt: p, model: "mock:echo", retrieve: { index: doc } }\n', 4, /Did you mean "docs"\?/],
    ["a process with an agent that does not exist", "name: a\nprocesses:\n  web: { serve: [nobody] }\n", 3, /^There is no agent "nobody"/],
    ["a scale whose most is below its fewest", 'name: a\nprocesses:\n  w:\n    work: [index]\n    scale: { min: 3, max: 2 }\n', 5, /^Expected at least `min`, which is 3$/],
    ["a scale that does not say by which load", 'name: a\nprocesses:\n  w:\n    work: [index]\n    scale: { max: 2 }\n', 5, /say from which on with `depth`$/],
    ["a scale of no process", 'name: a\nprocesses:\n  w:\n    command: sh a.sh\n    scale: { min: 0 }\n', 5, />=1|at least 1/],
    ["an environment with a suite that does not exist", "name: a\nenvironments:\n  production: { requires: [smoke] }\n", 3, /^There is no eval suite "smoke"/],
    ["a queue that does not exist", "name: a\nprocesses:\n  w:\n    work: [index,\n      run]\n", 5, /^There is no queue "run"\. Did you mean "runs"\? There are: index, runs$/],
    ["a tool of two kinds", "name: a\ntools:\n  order: { module: tools/order.ts, command: x }\n", 3, /^Has both `module` and `command`; choose one$/],
    ["a process of two kinds", "name: a\nprocesses:\n  w: { work: [runs], serve: [support] }\n", 3, /^Has both `serve` and `work`; choose one$/],
    ["a tool of no kind", "name: a\ntools:\n  order: { approve: true }\n", 3, /^Needs one of `module`, `command`, `http`, `mcp`$/],
    ["a misspelt kind", "name: a\ntools:\n  order: { commnd: x }\n", 3, /^Unknown key\. Did you mean "command"\?/],
    ["a key of other kinds", "name: a\ntools:\n  order: { module: tools/order.ts, headers: {} }\n", 3, /^`headers` is for `http:` and `mcp:`, not for `module:`\. Allowed: module, /],
    ["a key of another kind, further in", "name: a\nprocesses:\n  w:\n    serve: [x]\n    scale: { min: 2, depth: 3 }\n", 5, /^`depth` is for `work:`, not for `serve:`\. Allowed: min, max, inFlight$/],
    ["a misspelt key of a kind", "name: a\nprocesses:\n  w:\n    serve: [x]\n    scale: { min: 2, inFligt: 3 }\n", 5, /^Unknown key\. Did you mean "inFlight"\? Allowed: min, max, inFlight$/],
    ["a number out of range", 'name: a\nagents:\n  x: { prompt: p, model: "mock:echo", temperature: 3 }\n', 3, /2/],
    ["a string where a number or a reference belongs", 'name: a\nagents:\n  x: { prompt: p, model: "mock:echo", temperature: warm }\n', 3, /number/],
    ["a model without a scheme", "name: a\nagents:\n  x: { prompt: p, model: gpt-4 }\n", 3, /service URL/],
    ["a model of a chain without a scheme", 'name: a\nagents:\n  x:\n    prompt: p\n    model:\n      - "mock:echo"\n      - gpt-4\n', 7, /service URL/],
    ["a model of a chain with a password in it", 'name: a\nagents:\n  x:\n    prompt: p\n    model: ["mock:echo",\n      "https://me:pa55@host/v1#m"]\n', 6, /^The URL holds credentials(?!.*pa55)/],
    ["a chain of no models", "name: a\nagents:\n  x: { prompt: p, model: [] }\n", 3, /^Expected at least one model/],
    ["a list instead of a mapping", "- name: a\n", 1, /found a list/],
  ])("says where %s is", (_, text, line, message) => {
    const [problem, ...others] = problemsOf(text);
    expect(problem?.line).toBe(line);
    expect(problem?.message).toMatch(message);
    expect(others).toEqual([]);
  });

  it("asks for the name when the file is empty", () => {
    expect(problemsOf("# nothing yet\n")).toEqual([expect.objectContaining({ path: "name", message: "Required; expected string" })]);
  });

  it("refuses globs of nothing, and an index that is called like a subcommand", () => {
    expect(problemsOf('name: a\nindexes:\n  docs: { source: [docs], include: [""] }\n').map(({ path }) => path)).toEqual(["indexes.docs.include[0]"]);
    expect(problemsOf("name: a\nindexes:\n  status: { source: [docs] }\n")).toEqual([expect.objectContaining({ path: "indexes.status", message: expect.stringContaining("an index needs another name") })]);
  });

  it("reports all problems at once", () => {
    expect(problemsOf("nmae: a\nprompts: 3\n").map(({ path }) => path)).toEqual(["name", "prompts", "nmae"]);
  });

  it("never repeats a secret's default", () => {
    expect(JSON.stringify(problemsOf("name: a\nconfig:\n  KEY: { kind: secret, default: hunter2 }\n"))).not.toContain("hunter2");
  });

  it("names the folder above that has a manifest", async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, "twelve.yaml"), "name: a");
    const below = join(dir, "docs", "deep");
    await mkdir(below, { recursive: true });
    await expect(readManifest(below)).rejects.toMatchObject({ code: "MANIFEST_NOT_FOUND", fix: `Run it in ${dir}, or add \`--dir ${dir}\`` });
  });

  it("tells a missing file from a broken one", async () => {
    const dir = await temporaryFolder();
    await expect(readManifest(dir)).rejects.toMatchObject({ code: "MANIFEST_NOT_FOUND", exit: 2 });
    await writeFile(join(dir, "twelve.yaml"), "name: [");
    await expect(readManifest(dir)).rejects.toMatchObject({ code: "MANIFEST_INVALID", exit: 2 });
  });
});

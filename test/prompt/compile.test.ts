import { readdirSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { compilePrompts, type Compilation } from "../../src/prompt/compile.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

function compile(files: Readonly<Record<string, string>>): Compilation {
  return compilePrompts(Object.entries(files).map(([name, text]) => ({ path: `prompts/${name}`, name, text })));
}

/** `line:column message` of every problem of one file `a.prompt`. */
function problemsOf(text: string, others: Readonly<Record<string, string>> = {}): readonly string[] {
  return compile({ "a.prompt": text, ...others }).problems.map(({ file, line, column, message }) => `${file?.replace("prompts/", "")}:${line}:${column} ${message}`);
}

const schema = (fields: string): string => `---\ninput:\n  schema:\n${fields.split("\n").map((line) => `    ${line}`).join("\n")}\n---\n`;

describe("compiling prompts", () => {
  it("keeps everything that rendering needs, under the file's name and variant", () => {
    const { prompts, problems } = compile({
      "support/answer.strict.prompt": `---\nmodel: mock:echo\nconfig: { temperature: 0.2 }\ninput: { schema: { q: string }, default: { q: hi } }\ntwelve.owner: me\n---\n{{> support/style}}{{q}}\n`,
      "support/_style.prompt": "Be brief. ",
      "_unused.prompt": "Never.",
    });
    expect(problems).toEqual([]);
    expect(prompts).toEqual([
      {
        name: "support/answer",
        variant: "strict",
        path: "prompts/support/answer.strict.prompt",
        model: "mock:echo",
        config: { temperature: 0.2 },
        input: { schema: { type: "object", properties: { q: { type: "string" } }, required: ["q"], additionalProperties: false }, default: { q: "hi" } },
        output: { format: "text", schema: null },
        template: "{{> support/style}}{{q}}",
        partials: { "support/style": "Be brief. " },
        metadata: { "twelve.owner": "me" },
        digest: prompts[0]?.digest,
      },
    ]);
  });

  it("gives equal files equal digests, whatever their order and folder, and another digest when a partial changes", () => {
    const files = [
      { path: "prompts/a.prompt", name: "a.prompt", text: "{{> s}}" },
      { path: "prompts/b.prompt", name: "b.prompt", text: "B" },
      { path: "prompts/_s.prompt", name: "_s.prompt", text: "S" },
    ];
    const digests = (changed: typeof files): readonly string[] => compilePrompts(changed).prompts.map(({ digest }) => digest);
    expect(digests(files.toReversed())).toEqual(digests(files));
    expect(digests(files.map((file) => ({ ...file, path: `elsewhere/${file.name}` })))).toEqual(digests(files));
    const changed = digests(files.map((file) => (file.name === "_s.prompt" ? { ...file, text: "T" } : file)));
    expect(changed[0]).not.toBe(digests(files)[0]);
    expect(changed[1]).toBe(digests(files)[1]);
  });

  it.each([
    ["an empty front matter", "---\n---\nHello"],
    ["a licence above the front matter", "# Copyright\n#\n\n---\ndescription: x\n---\nHello"],
    ["a byte-order mark and CRLF", "\uFEFF---\r\ndescription: x\r\n---\r\nHello\r\n"],
    ["no front matter", "Hello"],
    ["a heading above a rule", "# Hello\n---\nHello"],
  ])("reads a file with %s", (_, text) => {
    const { prompts, problems } = compile({ "a.prompt": text });
    expect(problems).toEqual([]);
    expect(prompts[0]?.template).toMatch(/Hello$/);
  });

  it.each([
    ["broken YAML", "---\nmodel: [\n---\nHi", /^a\.prompt:\d:\d+ /],
    ["a duplicate key", "---\nmodel: a\nmodel: b\n---\nHi", /^a\.prompt:3:1 Duplicate key/],
    ["an unknown key", "---\nmodle: x\n---\nHi", /^a\.prompt:2:1 Unknown key\. Did you mean "model"\?/],
    ["front matter without an end", "---\nmodel: x\nHi", /^a\.prompt:1:1 The front matter has no end/],
    ["a list as front matter", "---\n- a\n---\nHi", /^a\.prompt:2:1 The front matter must be a mapping/],
    ["a type that does not exist", schema("a: strin"), /^a\.prompt:4:5 Unknown type "strin"/],
    ["an array written with brackets", schema("a: string[]"), /Unknown type "string\[\]".*name\(array\): string/],
    ["fields that also read as JSON Schema", schema("type: string\ntitle: string"), /"type" and "title" read as JSON Schema and as fields/],
    ["LiteLLM's sampling", "---\ntemperature: 0.2\n---\nHi", /^a\.prompt:2:1 "temperature" stands at the top level in LiteLLM's dialect/],
    ["LiteLLM's roles", "---\nmodel: x\n---\n\nSystem: be kind\nUser: {{q}}", /^a\.prompt:5:1 "System:" and "User:" lines are LiteLLM's dialect/],
    ["a default of the wrong type", "---\ninput: { schema: { n: integer }, default: { n: x } }\n---\n{{n}}", /^a\.prompt:2:45 Expected integer/],
    ["a default that is not declared", "---\ninput: { schema: { n: integer }, default: { m: 1 } }\n---\n{{n}}", /^a\.prompt:2:45 Unknown variable\. Did you mean "n"\?/],
    ["an expression without an end", schema("q: string") + "Hi {{q", /^a\.prompt:6:\d+ The template cannot be read: an expression is not closed/],
    ["a block without an end", schema("q: string") + "{{#if q}}x", /^a\.prompt:6:\d+ The template cannot be read/],
    ["an unknown variable", `${schema("question: string")}\nHi\n  {{qestion}}`, /^a\.prompt:8:5 The schema declares no variable "qestion"\. Did you mean "question"\? Declared: question$/],
    ["an unknown variable as a condition", schema("a: string") + "{{#if b}}x{{/if}}", /^a\.prompt:6:7 The schema declares no variable "b"/],
    ["an unknown field inside #each", schema("list(array):\n  name: string") + "{{#each list}}{{nmae}}{{/each}}", /no variable "nmae"\. Did you mean "name"/],
    ["an unknown field of a block parameter", schema("list(array):\n  name: string") + "{{#each list as |item|}}{{item.nmae}}{{/each}}", /item\.nmae: an object has no field "nmae"/],
    ["an unknown field through ../", schema("q: string\nlist(array): string") + "{{#each list}}{{../p}}{{/each}}", /\.\.\/p: an object has no field "p"/],
    ["a path out of the template", schema("q: string") + "{{../q}}", /leads out of the template/],
    ["a field of a string", schema("q: string") + "{{q.text}}", /q\.text: a string has no field "text"/],
    ["an object printed", schema("o(object):\n  a: string") + "{{o}}", /would print as \[object Object\]\. Write \{\{json o\}\}/],
    ["an unknown helper", schema("q: string") + '{{uper q}}', /There is no helper "uper"/],
    ["an unknown block helper", schema("q: string") + "{{#iff q}}x{{/iff}}", /There is no helper "iff"\. Did you mean "if"/],
    ["a data variable that nobody gives", schema("q: string") + "{{@auth.name}}", /Rendering gives no @auth/],
    ["a missing partial", "{{> stile}}", /There is no partial "stile"\. Did you mean "style"/],
    ["a role that a variable chooses", schema("q: string") + "{{role q}}", /^a\.prompt:6:1 The role must stand in quotes/],
    ["a role that does not exist", '{{role "assistant"}}', /^a\.prompt:1:1 There is no role "assistant"\. Did you mean "model"\?/],
    ["a variable named like a helper", schema("role: string") + "{{role}}", /For a variable of this name write \{\{this\.role\}\}$/],
    ["a block helper without its block", schema("q: string") + '{{#if (ifEquals q "a")}}x{{/if}}', /"ifEquals" does not work in this place/],
    ["a condition without a value", "{{#if}}x{{/if}}", /"if" takes one value, found 0/],
    ["media without a URL", "{{media}}", /"media" needs url=/],
    ["a misspelt argument", schema("q: string") + "{{json q indnt=2}}", /"json" takes no indnt=\. Did you mean "indent"\?/],
    ["a loop over a string", schema("q: string") + "{{#each q}}x{{/each}}", /\{\{#each q\}\} goes over nothing/],
    ["a loop's number outside of a loop", "{{@index}}", /@index is set only inside \{\{#each\}\}/],
    ["an outer loop's number where there is none", schema("l(array): string") + "{{#each l}}{{@../index}}{{/each}}", /set only inside 2 \{\{#each\}\} blocks/],
    ["a JSON Schema with a type that does not exist", "---\ninput: { schema: { type: object, properties: { q: { type: strin } } } }\n---\n{{q}}", /^a\.prompt:2:\d+ Not valid JSON Schema: properties\.q\.type must be equal/],
    ["a misspelt keyword of JSON Schema", "---\noutput: { schema: { type: object, properties: { q: { type: string, minLenght: 3 } } } }\n---\nHi", /^a\.prompt:2:\d+ Not valid JSON Schema: unknown keyword "minLenght"/],
    ["an input without names", "---\ninput: { schema: string }\n---\nHi", /^a\.prompt:2:\d+ The variables of a prompt are an object with named fields, not "string"/],
    ["a reference that leads nowhere", "---\noutput: { schema: { type: object, properties: { q: { $ref: '#/$defs/no' } } } }\n---\nHi", /^a\.prompt:2:\d+ Not valid JSON Schema: can't resolve reference/],
    ["a setting of the wrong type", "---\nconfig: { temperature: hot }\n---\nHi", /^a\.prompt:2:24 Expected number/],
    ["a number that JSON cannot hold", "---\nconfig: { temperature: .inf }\n---\nHi", /^a\.prompt:2:1 The front matter cannot be stored: Infinity/],
    ["half a surrogate pair", '---\ndescription: "\\ud800"\n---\nHi', /^a\.prompt:2:1 The front matter cannot be stored: A string with a lone surrogate/],
    ["a value that holds itself", "---\nmetadata: &x\n  b: *x\n---\nHi", /^a\.prompt:2:1 The front matter cannot be stored: a value holds itself/],
    ["prompty's dialect", "---\nmodel: { id: gpt }\n---\nHi", /^a\.prompt:2:8 Expected string, found a mapping/],
    ["an inline partial", '{{#*inline "x"}}y{{/inline}}', /not part of the dotprompt format/],
  ])("says where %s is", (_, text, message) => {
    const problems = problemsOf(text, { "_style.prompt": "S" });
    expect(problems).toEqual([expect.stringMatching(message)]);
  });

  it.each([
    ["fields of a list's objects", schema("list(array):\n  name: string") + "{{#each list}}{{name}} {{@index}} {{@root.list.length}}{{/each}}"],
    ["block parameters", schema("list(array):\n  name: string") + "{{#each list as |item i|}}{{item.name}}{{i}}{{/each}}"],
    ["the parent of a block", schema("q: string\nlist(array): string") + "{{#each list}}{{this}} {{../q}}{{/each}}"],
    ["an optional object", schema("o?(object):\n  a: string") + "{{#with o}}{{a}}{{/with}}{{#if o}}{{o.a}}{{/if}}"],
    ["wildcard fields", schema("(*): any") + "{{whatever.it.is}}"],
    ["full JSON Schema", "---\ninput: { schema: { type: object, properties: { q: { type: string } } } }\n---\n{{q}}"],
    ["a field named type", schema("type: string, the kind\nname: string") + "{{type}} {{name}}"],
    ["a field named type among others", schema("type: string\nname: string") + "{{type}} {{name}}"],
    ["a partial with a context of its own", schema("p(object):\n  name: string") + '{{> greet p greeting="Hi"}}'],
    ["a list of strings printed", schema("tags(array): string") + "{{tags}}"],
  ])("accepts %s", (_, text) => {
    expect(problemsOf(text, { "_greet.prompt": "{{greeting}} {{name}}" }).filter((problem) => problem.startsWith("a.prompt"))).toEqual([]);
  });

  it("checks a partial in the context that includes it, and names the partial's own line", () => {
    expect(problemsOf(`${schema("q: string")}{{> greet}}`, { "_greet.prompt": "Hello\n{{name}}" })).toEqual(['_greet.prompt:2:3 The schema declares no variable "name". Declared: q']);
  });

  it.each([
    ["../", "{{#each l}}{{> p}}{{/each}}", "{{../q}}", /^_p\.prompt:1:3 \.\.\/q leads out of the template/],
    ["a block parameter", "{{#each l as |it|}}{{> p}}{{/each}}", "{{it}}", /^_p\.prompt:1:3 The schema declares no variable "it"|^_p\.prompt:1:3 .*no field "it"/],
  ])("knows that %s does not lead out of a partial", (_, text, partial, message) => {
    const problems = problemsOf(`${schema("q: string\nl(array):\n  name: string")}${text}`, { "_p.prompt": partial });
    expect(problems).toEqual([expect.stringMatching(message)]);
  });

  it("refuses front matter in a partial", () => {
    expect(problemsOf("{{> p}}", { "_p.prompt": "---\nmodel: x\n---\nHi" })).toEqual(["_p.prompt:1:1 A partial takes no front matter: it is part of the prompts that include it, and uses their variables"]);
  });

  it.each(["a.b.c.prompt", "a..prompt", ".prompt", "_.prompt"])("refuses the file name %s", (name) => {
    expect(compile({ [name]: "Hi" }).problems).toEqual([{ file: `prompts/${name}`, line: 1, column: 1, message: "The file's name must be name.prompt or name.variant.prompt" }]);
  });

  it("warns of text behind {{history}} that would be put into the model's mouth", () => {
    const warnings = (text: string): readonly string[] => compile({ "a.prompt": schema("q: string") + text }).warnings.map(({ line, column, message }) => `${line}:${column} ${message}`);
    expect(warnings('{{role "user"}}{{history}}\n{{q}}')).toEqual(['7:1 What follows {{history}} is sent as the model\'s own words. Write {{role "user"}} after {{history}}']);
    expect(warnings('{{history}}\n{{! x }}{{role "user"}}{{q}}')).toEqual([]);
  });

  it("names a cycle of partials as a chain", () => {
    expect(problemsOf("{{> x}}", { "_x.prompt": "{{> y}}", "_y.prompt": "{{> x}}" })).toEqual(["_y.prompt:1:1 The partial includes itself: x -> y -> x"]);
  });

  it("refuses two prompts of one name", () => {
    const { problems } = compilePrompts([{ path: "p/a.prompt", name: "a.prompt", text: "1" }, { path: "q/a.prompt", name: "a.prompt", text: "2" }]);
    expect(problems).toEqual([{ file: "q/a.prompt", message: "p/a.prompt has the same name. Rename one of them" }]);
  });

  it("warns of what cannot be proved", () => {
    const { problems, warnings } = compile({ "a.prompt": `${schema("q: string\no: any")}{{lookup o q}}{{> (lookup o q)}}`, "b.prompt": "{{x}}" });
    expect(problems).toEqual([]);
    expect(warnings.map(({ file, message }) => `${file}: ${message}`)).toEqual([
      "prompts/a.prompt: What {{lookup}} finds cannot be checked",
      "prompts/a.prompt: A partial chosen while rendering cannot be checked",
      "prompts/b.prompt: declares no input.schema, so its variables cannot be checked before they are used",
    ]);
  });

  it.skipIf(withoutShared)("gives each real .prompt file a prompt or a precise error (skipped without the shared data)", () => {
    const folder = sharedData("prompts", "dotprompt");
    const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".prompt")).sort();
    const outcomes = files.map((file) => {
      const partials = files.filter((other) => other !== file && dirname(other) === dirname(file) && basename(other).startsWith("_"));
      const { problems } = compilePrompts([file, ...partials].map((path) => ({ path, name: basename(path), text: readFileSync(join(folder, path), "utf8") })));
      const own = problems.filter((problem) => problem.file === file);
      expect(own.every(({ line, column }) => line !== undefined && column !== undefined)).toBe(true);
      return own.length === 0;
    });
    expect(outcomes.filter(Boolean)).toHaveLength(33);
    expect(outcomes).toHaveLength(56);
  });
});

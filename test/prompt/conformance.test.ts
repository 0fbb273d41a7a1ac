import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type { Json } from "../../src/core/canonical-json.ts";
import { compilePrompts } from "../../src/prompt/compile.ts";
import { prepareRender } from "../../src/prompt/render.ts";
import type { CompiledPrompt, RenderedMessage } from "../../src/prompt/schema.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

interface SpecSuite {
  readonly name: string;
  readonly template: string;
  readonly data?: SpecData;
  readonly partials?: Readonly<Record<string, string>>;
  readonly resolverPartials?: Readonly<Record<string, string>>;
  readonly tests: readonly { readonly desc: string; readonly data?: SpecData; readonly options?: { readonly input?: { readonly default?: Record<string, Json> } }; readonly expect: object }[];
}
interface SpecData {
  readonly input?: Readonly<Record<string, Json>>;
  readonly messages?: readonly RenderedMessage[];
  readonly context?: Readonly<Record<string, Json>>;
}

/** Cases that twelve refuses on purpose; a case listed here that passes fails the test. */
const refused: Readonly<Record<string, string>> = {
  "metadata_state": "Rendering gives no @state: twelve has no caller context, so the name would print nothing",
  "metadata_context_variables": "Rendering gives no @auth and no @user, for the same reason",
  "raw": "The unknown key custom is an error",
  "named_schema_override_description": "Named schemas are not resolved: the front matter must be complete",
  "input_and_output": "An input that is a string has no names that a template could use",
  "line_endings_crlf": "The same; CRLF itself is read, as the compiler's own tests prove",
  "nested_named_schema": "Named schemas are not resolved: the front matter must be complete",
};

function compileSuite({ template, partials = {}, resolverPartials = {} }: SpecSuite): ReturnType<typeof compilePrompts> {
  const shared = Object.entries({ ...partials, ...resolverPartials }).map(([name, text]) => ({ path: `_${name}.prompt`, name: `_${name}.prompt`, text }));
  return compilePrompts([{ path: "case.prompt", name: "case.prompt", text: template }, ...shared]);
}

/** What twelve gives for the keys that the case expects, in the case's own form. */
function outcome(prompt: CompiledPrompt, suite: SpecSuite, test: SpecSuite["tests"][number]): unknown {
  const data = { ...suite.data, ...test.data };
  // A case with a declared input gives no values: only its schema is asked for.
  const variables = { ...test.options?.input?.default, ...data.input };
  const messages = prompt.input.schema === null ? prepareRender(prompt, { isLenient: true })(variables, { history: data.messages ?? [], context: data.context ?? {} }) : [];
  const given: Readonly<Record<string, unknown>> = {
    messages,
    config: prompt.config,
    model: prompt.model,
    input: test.options?.input ?? { schema: prompt.input.schema },
    output: { schema: prompt.output.schema },
    ext: extensions(prompt.metadata),
  };
  return Object.fromEntries(Object.keys(test.expect).map((key) => [key, given[key]]));
}

/** `{ "a.b.c": 1 }` as the format's `{ "a.b": { c: 1 } }`. */
function extensions(metadata: CompiledPrompt["metadata"]): Readonly<Record<string, Readonly<Record<string, unknown>>>> {
  const spaces: Record<string, Record<string, unknown>> = {};
  for (const [key, value] of Object.entries(metadata)) {
    const dot = key.lastIndexOf(".");
    if (dot !== -1) (spaces[key.slice(0, dot)] ??= {})[key.slice(dot + 1)] = value;
  }
  return spaces;
}

const folder = sharedData("prompts", "dotprompt-spec");
const files = withoutShared ? [] : readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml")).sort();

it.skipIf(withoutShared)("finds the conformance suite (skipped where the shared data is not beside the checkout)", () => {
  expect(files).toHaveLength(13);
});

describe.each(files)("dotprompt conformance: %s", (file) => {
  const suites = parse(readFileSync(join(folder, file), "utf8")) as readonly SpecSuite[];
  const cases = suites.filter(({ name }) => !Object.hasOwn(refused, name)).flatMap((suite) => suite.tests.map((test) => [`${suite.name}: ${test.desc}`, suite, test] as const));
  const refusals = suites.filter(({ name }) => Object.hasOwn(refused, name)).map((suite) => [suite.name, refused[suite.name], suite] as const);

  it.each(cases)("%s", (_, suite, test) => {
    const { prompts: [prompt], problems } = compileSuite(suite);
    if (prompt === undefined) throw new Error(`Refused: ${JSON.stringify(problems)}`);
    expect(outcome(prompt, suite, test)).toEqual(test.expect);
  });

  it.each(refusals)("refuses %s: %s", (_name, _reason, suite) => {
    expect(compileSuite(suite).problems).not.toEqual([]);
  });
});

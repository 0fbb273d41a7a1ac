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
  readonly schemas?: object;
  readonly tests: readonly { readonly desc: string; readonly data?: SpecData; readonly options?: { readonly input?: { readonly default?: Record<string, Json> } }; readonly expect: SpecExpectation }[];
}
interface SpecData {
  readonly input?: Readonly<Record<string, Json>>;
  readonly messages?: readonly RenderedMessage[];
  readonly context?: Readonly<Record<string, Json>>;
}
interface SpecExpectation {
  readonly messages?: readonly unknown[];
  readonly config?: object;
  readonly model?: string;
  readonly input?: { readonly schema?: object };
  readonly output?: { readonly schema?: object };
  readonly ext?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Cases that twelve refuses on purpose; a case listed here that passes fails the test. */
const refused: Readonly<Record<string, string>> = {
  "metadata_state": "Rendering gives no @state: twelve has no caller context, so the name would print nothing",
  "metadata_context_variables": "Rendering gives no @auth and no @user, for the same reason",
  "raw": "The unknown key custom is an error",
  "named_schema_override_description": "Named schemas are not resolved: the front matter must be complete",
  "nested_named_schema": "Named schemas are not resolved: the front matter must be complete",
};

function compileSuite({ template, partials = {}, resolverPartials = {} }: SpecSuite): ReturnType<typeof compilePrompts> {
  const shared = Object.entries({ ...partials, ...resolverPartials }).map(([name, text]) => ({ path: `_${name}.prompt`, name: `_${name}.prompt`, text }));
  return compilePrompts([{ path: "case.prompt", name: "case.prompt", text: template }, ...shared]);
}

function expectCase(prompt: CompiledPrompt, suite: SpecSuite, test: SpecSuite["tests"][number]): void {
  const { expect: expected, options } = test;
  const data = { ...suite.data, ...test.data };
  const render = prepareRender(prompt, { isLenient: true });
  const isRendering = prompt.input.schema === null;
  const messages = isRendering ? render({ ...options?.input?.default, ...data.input }, { history: data.messages ?? [], context: data.context ?? {} }) : [];
  if (expected.messages !== undefined) expect(messages).toEqual(expected.messages);
  if (expected.config !== undefined) expect(prompt.config).toEqual(expected.config);
  if (expected.model !== undefined) expect(prompt.model).toBe(expected.model);
  if (expected.input?.schema !== undefined) expect(prompt.input.schema).toEqual(expected.input.schema);
  if (expected.output?.schema !== undefined) expect(prompt.output.schema).toEqual(expected.output.schema);
  for (const [space, fields] of Object.entries(expected.ext ?? {})) {
    for (const [field, value] of Object.entries(fields)) expect(prompt.metadata[`${space}.${field}`]).toEqual(value);
  }
}

const folder = sharedData("prompts", "dotprompt-spec");
const files = withoutShared ? [] : readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".yaml")).sort();

it.skipIf(withoutShared)("finds the conformance suite (skipped where the shared data is not beside the checkout)", () => {
  expect(files).toHaveLength(13);
});

describe.each(files)("dotprompt conformance: %s", (file) => {
  const suites = parse(readFileSync(join(folder, file), "utf8")) as readonly SpecSuite[];
  for (const suite of suites) {
    const { prompts: [prompt], problems } = compileSuite(suite);
    if (Object.hasOwn(refused, suite.name)) {
      it(`refuses ${suite.name}: ${refused[suite.name]}`, () => {
        expect(problems).not.toEqual([]);
      });
      continue;
    }
    it.each(suite.tests.map((test) => [test.desc, test] as const))(`${suite.name}: %s`, (_, test) => {
      expect(problems).toEqual([]);
      if (prompt === undefined) throw new Error("The template gave no prompt");
      expectCase(prompt, suite, test);
    });
  }
});

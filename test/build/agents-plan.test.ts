import { describe, expect, it } from "vitest";
import { checkAgents } from "../../src/build/agents-plan.ts";
import { parseManifest } from "../../src/manifest/read.ts";
import type { CompiledPrompt } from "../../src/prompt/schema.ts";

function prompt(name: string, variant: string | null = null, fields: Partial<CompiledPrompt> = {}): CompiledPrompt {
  return {
    name, variant, path: `prompts/${name}.prompt`, model: null, config: {}, input: { schema: null, default: {} },
    output: { format: "text", schema: null }, template: "{{question}}", partials: {}, metadata: {}, digest: `sha256:${"0".repeat(64)}`, ...fields,
  };
}
const manifest = (agent: string, config = "{}") =>
  parseManifest(`name: shop\nconfig: ${config}\nindexes: { docs: { source: [docs] } }\nagents: { support: { model: "mock:echo", ${agent} } }\n`);
const requiring = (...required: readonly string[]) => ({ input: { schema: { type: "object", required: [...required] }, default: { tone: "calm" } } });

const problems: readonly (readonly [string, string, string, readonly CompiledPrompt[], readonly string[]])[] = [
  ["a prompt that exists", "prompt: answer", "{}", [prompt("answer")], []],
  ["a misspelt prompt", "prompt: anwser", "{}", [prompt("answer"), prompt("other")], ['agents.support.prompt There is no prompt "anwser". Did you mean "answer"? Prompts: answer, other']],
  ["no prompts at all", "prompt: answer", "{}", [], ['agents.support.prompt There is no prompt "answer". Prompts: none']],
  ["a variant that exists", "prompt: answer, variant: strict", "{}", [prompt("answer", "strict")], []],
  ["a misspelt variant", "prompt: answer, variant: stirct", "{}", [prompt("answer"), prompt("answer", "strict")], ['agents.support.variant The prompt "answer" has no variant "stirct". Did you mean "strict"? Variants: strict']],
  ["a prompt that has only variants", "prompt: answer", "{}", [prompt("answer", "strict")], ['agents.support.prompt The prompt "answer" exists only in variants: strict. Choose one with `variant`, or add answer.prompt']],
  ["every value of a key", 'prompt: answer, variant: "${V}"', '{ V: { default: "", enum: ["", strict, kind] } }', [prompt("answer"), prompt("answer", "strict")], ['agents.support.variant The prompt "answer" has no variant "kind". Variants: strict']],
  ["an empty value, which means no variant", 'prompt: answer, variant: "${V}"', '{ V: { default: "", enum: ["", strict] } }', [prompt("answer", "strict")], ['agents.support.prompt The prompt "answer" exists only in variants: strict. Choose one with `variant`, or add answer.prompt']],
  ["a key inside a longer variant", 'prompt: answer, variant: "to-${V}"', "{ V: { default: a, enum: [a, b] } }", [prompt("answer", "to-a")], ['agents.support.variant The prompt "answer" has no variant "to-b". Did you mean "to-a"? Variants: to-a']],
];

const warnings: readonly (readonly [string, string, string, readonly CompiledPrompt[], readonly string[]])[] = [
  ["limits of runs that it never has", "prompt: answer, limits: { steps: 3 }", "{}", [prompt("answer")], ["Has no effect: only an agent with `tools` has runs to be limited"]],
  ["a variable that requests must give", "prompt: answer", "{}", [prompt("answer", null, requiring("question", "tone", "name"))], ['The prompt "answer" requires name: each request must give it as `variables`']],
  ["retrieval that the prompt does not use", "prompt: answer, retrieve: { index: docs }", "{}", [prompt("answer")], ['The prompt "answer" never uses `passages`, so what the agent retrieves does not reach the model']],
  ["retrieval that a partial uses", "prompt: answer, retrieve: { index: docs }", "{}", [prompt("answer", null, { template: "{{> p}}", partials: { p: "{{#each passages}}{{text}}{{/each}}" } })], []],
  ["passages without retrieval", "prompt: answer", "{}", [prompt("answer", null, { template: "{{passages}}" })], ['The prompt "answer" uses `passages`, but the agent has no `retrieve`']],
  ["a variant known only at release time", 'prompt: answer, variant: "${V}"', "{ V: { default: strict } }", [prompt("answer", "strict")], ["Its value is known only at release time. Declare `enum` for it under `config`, and the build checks that each variant exists"]],
];

describe("agents", () => {
  it.each(problems)("are checked against %s", (_, agent, config, prompts, expected) => {
    expect(checkAgents(manifest(agent, config), prompts).problems.map(({ path, message }) => `${path} ${message}`)).toEqual(expected);
  });

  it.each(warnings)("are warned of %s", (_, agent, config, prompts, expected) => {
    expect(checkAgents(manifest(agent, config), prompts).warnings.map(({ message }) => message)).toEqual(expected);
  });
});

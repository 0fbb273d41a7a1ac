import type { Problem } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Manifest } from "../manifest/schema.ts";
import { type ConfigValue, referencesIn, resolveReferences } from "../manifest/setting.ts";
import type { CompiledPrompt } from "../prompt/schema.ts";

export interface AgentCheck {
  /** Prompts and variants that do not exist. `path` is the field of twelve.yaml. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
}

type Agent = Manifest["agents"][string];

/** Variables that `run` gives to every prompt; whatever else a prompt requires, each request must bring. */
const givenVariables = new Set(["question", "passages"]);

/** Whether each agent finds its prompt, in every variant that configuration may choose, and gives it what it needs. */
export function checkAgents({ agents, config }: Manifest, prompts: readonly CompiledPrompt[]): AgentCheck {
  const checks = Object.entries(agents).map(([name, agent]) => checkAgent(name, agent, config, prompts));
  return {
    problems: checks.flatMap(({ problems }) => problems),
    warnings: checks.flatMap(({ warnings }) => warnings),
  };
}

function checkAgent(name: string, agent: Agent, config: Manifest["config"], prompts: readonly CompiledPrompt[]): AgentCheck {
  const at = (field: string, message: string): Problem => ({ file: "twelve.yaml", path: `agents.${name}.${field}`, message });
  const named = prompts.filter((prompt) => prompt.name === agent.prompt);
  if (named.length === 0) {
    const names = [...new Set(prompts.map((prompt) => prompt.name))];
    const message = `There is no prompt "${agent.prompt}".${didYouMean(agent.prompt, names)} Prompts: ${names.join(", ") || "none"}`;
    return { problems: [at("prompt", message)], warnings: [] };
  }
  const { variants, isOpen } = possibleVariants(agent, config);
  const problems: Problem[] = [];
  const used: CompiledPrompt[] = [];
  for (const variant of variants) {
    const prompt = named.find((candidate) => candidate.variant === variant);
    if (prompt === undefined) problems.push(at(variant === null ? "prompt" : "variant", missingVariant(agent.prompt, variant, named)));
    else used.push(prompt);
  }
  const open = isOpen ? [at("variant", `Its value is known only at release time. Declare \`enum\` for it under \`config\`, and the build checks that each variant exists`)] : [];
  const lacking = used.flatMap((prompt) => promptWarnings(prompt, agent)).map((message) => at("prompt", message));
  const idle = agent.limits !== undefined && agent.tools === undefined ? [at("limits", "Has no effect: only an agent with `tools` has runs to be limited")] : [];
  return { problems, warnings: [...open, ...idle, ...new Map(lacking.map((warning) => [warning.message, warning])).values()] };
}

function missingVariant(prompt: string, variant: string | null, named: readonly CompiledPrompt[]): string {
  const existing = named.map((candidate) => candidate.variant).filter((candidate) => candidate !== null);
  if (variant === null) return `The prompt "${prompt}" exists only in variants: ${existing.join(", ")}. Choose one with \`variant\`, or add ${prompt}.prompt`;
  return `The prompt "${prompt}" has no variant "${variant}".${didYouMean(variant, existing)} Variants: ${existing.join(", ") || "none"}`;
}

/** Every variant that the agent may get; an empty value means the prompt without a variant. */
function possibleVariants({ variant }: Agent, config: Manifest["config"]): { readonly variants: readonly (string | null)[]; readonly isOpen: boolean } {
  if (variant === undefined) return { variants: [null], isOpen: false };
  const keys = [...new Set(referencesIn(variant).map(({ key }) => key))];
  let combinations: readonly Readonly<Record<string, ConfigValue>>[] = [{}];
  let isOpen = false;
  for (const key of keys) {
    const declaration = config[key];
    const values: readonly ConfigValue[] = declaration?.enum ?? (declaration?.default === undefined ? [] : [declaration.default]);
    isOpen ||= declaration?.enum === undefined;
    combinations = combinations.flatMap((combination) => values.map((value) => ({ ...combination, [key]: value })));
  }
  const texts = combinations.map((values) => String(resolveReferences(variant, values)));
  return { variants: [...new Set(texts.map((text) => (text === "" ? null : text)))], isOpen };
}

function promptWarnings({ name, variant, input, template, partials }: CompiledPrompt, { retrieve }: Agent): readonly string[] {
  const label = variant === null ? `"${name}"` : `"${name}" (variant ${variant})`;
  const required = Array.isArray(input.schema?.["required"]) ? input.schema["required"].map(String) : [];
  const extra = required.filter((variable) => !givenVariables.has(variable) && !Object.hasOwn(input.default, variable));
  const usesPassages = [template, ...Object.values(partials)].some((source) => /\bpassages\b/.test(source));
  return [
    ...(extra.length === 0 ? [] : [`The prompt ${label} requires ${extra.join(", ")}: each request must give ${extra.length === 1 ? "it" : "them"} as \`variables\``]),
    ...(retrieve !== undefined && !usesPassages ? [`The prompt ${label} never uses \`passages\`, so what the agent retrieves does not reach the model`] : []),
    ...(retrieve === undefined && usesPassages ? [`The prompt ${label} uses \`passages\`, but the agent has no \`retrieve\``] : []),
  ];
}

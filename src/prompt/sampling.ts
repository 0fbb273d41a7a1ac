import type { AgentSettings } from "../manifest/schema.ts";
import type { Model, Sampling } from "../ports/model.ts";
import type { CompiledPrompt } from "./schema.ts";

/** The agent's own settings win over the prompt's front matter, field by field. */
export function samplingOf(settings: AgentSettings, { config, output }: CompiledPrompt): Sampling {
  const temperature = settings.temperature ?? numberIn(config, "temperature");
  const topP = settings.topP ?? numberIn(config, "topP");
  const maxTokens = settings.maxTokens ?? numberIn(config, "maxOutputTokens");
  const seed = settings.seed ?? numberIn(config, "seed");
  const stop = settings.stop ?? stringsIn(config, "stopSequences");
  return {
    ...(temperature === undefined ? {} : { temperature }),
    ...(topP === undefined ? {} : { topP }),
    ...(maxTokens === undefined ? {} : { maxTokens }),
    ...(seed === undefined ? {} : { seed }),
    ...(stop === undefined ? {} : { stop }),
    ...(output.format === "json" ? { format: "json" } : {}),
  };
}

function numberIn(config: CompiledPrompt["config"], key: string): number | undefined {
  const value = config[key];
  return typeof value === "number" ? value : undefined;
}

function stringsIn(config: CompiledPrompt["config"], key: string): readonly string[] | undefined {
  const value = config[key];
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : undefined;
}

/** What an agent is told about sampling and one of its models does not take, in words for whoever set it; undefined where there is nothing. */
export function ignoredSampling(agent: string, sampling: Sampling, { reference, model }: { readonly reference: string; readonly model: Pick<Model, "ignores"> }): string | undefined {
  const ignored = (model.ignores ?? []).filter((name) => sampling[name] !== undefined);
  if (ignored.length === 0) return undefined;
  const values = ignored.map((name) => `${name} ${sampling[name]}`);
  return `Agent ${agent}: ${reference} takes no ${ignored.join(" and no ")}; ${values.join(" and ")} ${values.length === 1 ? "is" : "are"} left out when it is asked`;
}

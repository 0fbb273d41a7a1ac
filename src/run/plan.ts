import type { Build } from "../build/schema.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { modelChain } from "../manifest/model-chain.ts";
import type { AgentSettings, RunLimits } from "../manifest/schema.ts";
import type { Sampling } from "../ports/model.ts";
import { samplingOf } from "../prompt/sampling.ts";
import { type CompiledPrompt, findPrompt, promptTitle } from "../prompt/schema.ts";
import type { Release } from "../release/schema.ts";
import { type IndexToSearch, indexesToSearch } from "../retrieval/read.ts";

export interface AgentPlan {
  readonly name: string;
  readonly prompt: CompiledPrompt;
  /** In the order in which they are asked. */
  readonly models: readonly string[];
  /** What the model is asked with where the caller says nothing. */
  readonly sampling: Sampling;
  /** Of the smallest of the models' windows; undefined where nobody has said. */
  readonly contextTokens?: number | undefined;
  readonly retrieve: AgentSettings["retrieve"];
  /** Declared names; none for an agent that answers by itself. */
  readonly tools: readonly string[];
  readonly limits: RunLimits;
}

export interface RunPlan {
  readonly agents: readonly AgentPlan[];
  readonly indexes: readonly IndexToSearch[];
  readonly models: readonly string[];
}

/** What answering for these agents takes. Fails with AGENT_UNKNOWN, PROMPT_UNKNOWN or INDEX_NOT_FOUND. */
export function planRun(release: Release, build: Build, names: readonly string[] = Object.keys(release.agents)): RunPlan {
  const agents = names.map((name) => planAgent(name, release, build));
  const searched = [...new Set(agents.flatMap(({ retrieve }) => retrieve?.index ?? []))];
  const indexes = indexesToSearch(release, build, searched);
  return { agents, indexes, models: [...new Set(agents.flatMap(({ models }) => models))] };
}

/** The same without what costs, is elsewhere or does something: no tools, and indexes are searched by their words alone. A least score counts in another measure, so it is left out. */
export function planMock({ agents, indexes, models }: RunPlan): RunPlan {
  const byWords = ({ index, topK, filter }: NonNullable<AgentPlan["retrieve"]>): AgentPlan["retrieve"] => ({ index, topK, mode: "text", ...(filter === undefined ? {} : { filter }) });
  return { models, agents: agents.map((agent) => ({ ...agent, tools: [], retrieve: agent.retrieve && byWords(agent.retrieve) })), indexes: indexes.map((index) => ({ ...index, embedder: null })) };
}

export function planAgent(name: string, { agents }: Release, { prompts }: Build): AgentPlan {
  const settings = Object.hasOwn(agents, name) ? agents[name] : undefined;
  if (settings === undefined) throw unknownAgent(name, Object.keys(agents));
  const named = { name: settings.prompt, variant: settings.variant ?? null };
  const prompt = findPrompt(prompts, named);
  if (prompt === undefined) {
    const wanted = promptTitle(named);
    const names = prompts.map(promptTitle);
    throw new TwelveError("PROMPT_UNKNOWN", `Agent ${name} wants the prompt ${wanted}, which the build does not hold.${didYouMean(wanted, names)} It holds: ${names.join(", ") || "none"}`);
  }
  return { name, prompt, models: modelChain(settings), sampling: samplingOf(settings, prompt), contextTokens: settings.contextTokens, retrieve: settings.retrieve, tools: settings.tools ?? [], limits: settings.limits ?? {} };
}

export function unknownAgent(name: string, names: readonly string[]): TwelveError {
  return new TwelveError("AGENT_UNKNOWN", `There is no agent "${name}".${didYouMean(name, names)} This release serves: ${names.join(", ") || "none"}`);
}

import { canonicalJson } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";

/** What a release or a manifest offers to search. */
export interface Searchable {
  /** For messages, such as `release v3`. */
  readonly place: string;
  readonly indexes: readonly string[];
  readonly agents: readonly { readonly name: string; readonly retrieve: { readonly index: string } | undefined }[];
}

export interface Wanted {
  readonly index: string | undefined;
  readonly agent: string | undefined;
}

export interface Choice {
  readonly index: string;
  /** Whose settings hold; null where no agent searches the index. */
  readonly agent: string | null;
}

/** Which index is meant, and which agent's settings hold for it. Fails with INDEX_UNKNOWN, AGENT_UNKNOWN or USAGE_INVALID. */
export function chooseSearch(searchable: Searchable, wanted: Wanted): Choice {
  const agent = wanted.agent === undefined ? undefined : findAgent(searchable, wanted.agent);
  const index = wanted.index ?? agent?.retrieve.index ?? onlyIndex(searchable);
  if (!searchable.indexes.includes(index)) throw unknownIndex(searchable, index);
  if (agent === undefined) return { index, agent: agentOf(searchable, index) };
  if (agent.retrieve.index === index) return { index, agent: agent.name };
  throw new TwelveError("USAGE_INVALID", `The agent ${agent.name} searches the index ${agent.retrieve.index}, not ${index}`, { fix: "Leave out `--index` or `--agent`" });
}

type SearchingAgent = { readonly name: string; readonly retrieve: { readonly index: string } };

function findAgent({ agents, place }: Searchable, name: string): SearchingAgent {
  const searching = searchingAgents(agents);
  const agent = searching.find((each) => each.name === name);
  if (agent !== undefined) return agent;
  if (agents.some((each) => each.name === name)) throw new TwelveError("USAGE_INVALID", `The agent ${name} of ${place} searches no index`, { fix: "Name an index with `--index`, or add `retrieve:` to the agent" });
  const names = searching.map((each) => each.name);
  throw new TwelveError("AGENT_UNKNOWN", `There is no agent "${name}" in ${place}.${didYouMean(name, names)} Agents that search: ${names.join(", ") || "none"}`);
}

function onlyIndex({ indexes, agents, place }: Searchable): string {
  const searched = [...new Set(searchingAgents(agents).map(({ retrieve }) => retrieve.index))];
  const [only, ...others] = searched.length > 0 ? searched : indexes;
  if (only === undefined) throw new TwelveError("INDEX_UNKNOWN", `${place} has no index`, { fix: "Add to twelve.yaml:\n\nindexes:\n  docs: { source: [docs] }\n" });
  if (others.length === 0) return only;
  throw new TwelveError("USAGE_INVALID", `${place} has ${indexes.length} indexes: ${indexes.join(", ")}`, { fix: `Name one of them, for example \`--index ${only}\`` });
}

function agentOf({ agents, place }: Searchable, index: string): string | null {
  const searching = searchingAgents(agents).filter(({ retrieve }) => retrieve.index === index);
  const [first] = searching;
  if (first === undefined) return null;
  if (new Set(searching.map(({ retrieve }) => canonicalJson(retrieve))).size === 1) return first.name;
  const names = searching.map(({ name }) => name);
  throw new TwelveError("USAGE_INVALID", `The agents ${names.join(", ")} of ${place} search the index ${index} in different ways`, { fix: `Say whose search is meant, for example \`--agent ${first.name}\`` });
}

function searchingAgents(agents: Searchable["agents"]): readonly SearchingAgent[] {
  return agents.flatMap(({ name, retrieve }) => (retrieve === undefined ? [] : [{ name, retrieve }]));
}

function unknownIndex({ indexes, place }: Searchable, name: string): TwelveError {
  return new TwelveError("INDEX_UNKNOWN", `There is no index "${name}" in ${place}.${didYouMean(name, indexes)} There ${indexes.length === 1 ? "is" : "are"}: ${indexes.join(", ") || "none"}`);
}

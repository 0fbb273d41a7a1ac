import { canonicalJson } from "../core/canonical-json.ts";
import type { Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Retriever } from "../retrieval/read.ts";
import type { RetrievedChunk, RetrieveSettings, SearchMode } from "../retrieval/schema.ts";
import { type AgentPlan, unknownAgent } from "./plan.ts";

type Filter = RetrieveSettings["filter"];

/** A search for chunks alone. It names an index, or the agent whose search it is. */
export interface SearchQuery {
  readonly question: string;
  readonly index?: string;
  readonly agent?: string;
  readonly topK?: number;
  readonly mode?: SearchMode;
  /** Beside what the agent filters by: it leaves out more, and lets nothing in. */
  readonly filter?: NonNullable<Filter>;
  readonly signal?: AbortSignal;
}

export interface Found {
  readonly index: { readonly name: string; readonly digest: Digest; readonly documents: number; readonly chunks: number };
  /** Whose settings hold. */
  readonly agent: string;
  readonly settings: RetrieveSettings;
  readonly hits: readonly RetrievedChunk[];
}

export interface EmbedQuery {
  readonly index: string;
  readonly texts: readonly string[];
  readonly task: "document" | "query";
  /** What the caller takes the vectors to have. */
  readonly dimensions?: number;
  readonly signal?: AbortSignal;
}

/** What a release offers beside answers: its indexes, by themselves. */
export interface Retrieval {
  /** Names of the indexes that its agents search. */
  readonly indexes: readonly string[];
  /** Searches as an agent does. Fails with INDEX_UNKNOWN, AGENT_UNKNOWN, REQUEST_INVALID, or as the services do. */
  search(query: SearchQuery): Promise<Found>;
  /** The vectors that the index's embedder gives, in order. Fails with INDEX_UNKNOWN, REQUEST_INVALID for other dimensions, or as the embedder does. */
  embed(query: EmbedQuery): Promise<readonly Float32Array[]>;
}

export function offerRetrieval(agents: readonly AgentPlan[], retrievers: readonly Retriever[]): Retrieval {
  const byName = new Map(retrievers.map((retriever) => [retriever.name, retriever]));
  const indexes = [...byName.keys()];
  const open = (name: string): Retriever => {
    const retriever = byName.get(name);
    if (retriever === undefined) throw unknownIndex(name, indexes);
    return retriever;
  };
  return {
    indexes,
    async search({ question, topK, mode, filter, signal, ...named }) {
      const { agent, index, ...own } = chooseSettings(agents, indexes, named);
      const retriever = open(index);
      const narrowed = narrow(own.filter, filter);
      const settings = { ...own, ...(topK === undefined ? {} : { topK }), ...(mode === undefined ? {} : { mode }), ...(narrowed === undefined ? {} : { filter: narrowed }) };
      const { documents, chunks } = retriever.index;
      const hits = matchesNothing(narrowed) ? [] : await (await retriever.prepare(settings))(question, signal);
      return { index: { name: index, digest: retriever.digest, documents, chunks }, agent, settings, hits };
    },
    async embed({ index, texts, task, dimensions, signal }) {
      const retriever = open(index);
      const own = retriever.index.embedder.dimensions;
      if (dimensions !== undefined && dimensions !== own) throw new TwelveError("REQUEST_INVALID", `The vectors of the index ${index} have ${own} dimensions, not ${dimensions}; leave dimensions out`);
      return retriever.embed(texts, task, signal);
    },
  };
}

type Named = Pick<SearchQuery, "index" | "agent">;
type Chosen = NonNullable<AgentPlan["retrieve"]> & { readonly agent: string };

function chooseSettings(agents: readonly AgentPlan[], indexes: readonly string[], { index, agent }: Named): Chosen {
  if (agent !== undefined) return ofAgent(agents, agent, index);
  if (index === undefined) throw new TwelveError("REQUEST_INVALID", `Name what to search: an index (${indexes.join(", ") || "there is none"}), or an agent as model`);
  const searching = agents.flatMap(({ name, retrieve }) => (retrieve?.index === index ? [{ ...retrieve, agent: name }] : []));
  const [first] = searching;
  if (first === undefined) throw unknownIndex(index, indexes);
  const ways = new Set(searching.map(({ agent: __, ...settings }) => canonicalJson(settings)));
  if (ways.size === 1) return first;
  throw new TwelveError("REQUEST_INVALID", `The agents ${searching.map((each) => each.agent).join(", ")} search the index ${index} in different ways; name one of them as model`);
}

function ofAgent(agents: readonly AgentPlan[], name: string, index: string | undefined): Chosen {
  const plan = agents.find((each) => each.name === name);
  if (plan === undefined) throw unknownAgent(name, agents.map((each) => each.name));
  if (plan.retrieve === undefined) throw new TwelveError("REQUEST_INVALID", `The agent ${name} searches no index`);
  if (index !== undefined && index !== plan.retrieve.index) throw new TwelveError("REQUEST_INVALID", `The agent ${name} searches the index ${plan.retrieve.index}, not ${index}; name one of the two`);
  return { ...plan.retrieve, agent: name };
}

/** What an agent leaves out stays out: of a key that both name, only the values of both are left. */
function narrow(own: Filter, asked: Filter): Filter {
  if (own === undefined || asked === undefined) return asked ?? own;
  const both = Object.entries(asked).map(([key, values]) => {
    const allowed = Object.hasOwn(own, key) ? [own[key]].flat().map(String) : undefined;
    return [key, [values].flat().filter((value) => allowed === undefined || allowed.includes(String(value)))] as const;
  });
  return { ...own, ...Object.fromEntries(both) };
}

function matchesNothing(filter: Filter): boolean {
  return Object.values(filter ?? {}).some((values) => Array.isArray(values) && values.length === 0);
}

function unknownIndex(name: string, indexes: readonly string[]): TwelveError {
  return new TwelveError("INDEX_UNKNOWN", `There is no index "${name}".${didYouMean(name, indexes)} This release searches: ${indexes.join(", ") || "none"}`);
}

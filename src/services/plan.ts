import { type StateUse, stateUses } from "../config/state.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { AgentSettings, Manifest } from "../manifest/schema.ts";
import type { ToolPlace } from "../ports/tool.ts";

export type Role = "model" | "embedder" | "reranker" | "vectors" | StateUse | "store" | "config" | "tool";

/** One service, with everything that it is needed for. */
export interface Need {
  readonly role: Role;
  readonly reference: string;
  /** What it is for, such as `model of agents chat, support`. */
  readonly service: string;
  /** Those that must be at this service. */
  readonly indexes?: readonly NeededIndex[];
  /** Of a tool. */
  readonly place?: ToolPlace;
}

export interface NeededIndex {
  readonly name: string;
  readonly descriptor: Descriptor;
}

export interface Needed {
  readonly agents: Readonly<Record<string, AgentNeeds>>;
  /** Those that agents search. Without a place of their own, the vectors are in the embedded engine. An embedder is undefined where it cannot be told. */
  readonly indexes: Readonly<Record<string, { readonly embedder: string | undefined; readonly vectors?: string | undefined; readonly descriptor?: Descriptor | undefined }>>;
  /** Those at an address that agents call. */
  readonly tools?: readonly ToolPlace[];
  readonly processes: Manifest["processes"];
  /** Where conversations, runs and queues are kept. */
  readonly state: string | undefined;
  readonly store: string;
  readonly configs: readonly string[];
}

export interface AgentNeeds {
  readonly model: string | readonly string[];
  readonly retrieve?: { readonly reranker?: string | undefined } | undefined;
  readonly session: AgentSettings["session"];
  /** With any, its runs are kept. */
  readonly tools?: AgentSettings["tools"];
}

const embeddedVectors = "lance:";

/** Each service once, whatever it is used for. */
export function planNeeds({ agents, indexes, tools = [], processes, state, store, configs }: Needed): readonly Need[] {
  const named = Object.entries(agents);
  const uses = [
    ...named.flatMap(([name, { model }]) => [model].flat().map((reference) => ({ role: "model", reference, use: name }) as const)),
    ...Object.entries(indexes).flatMap(([name, { embedder }]) => (embedder === undefined ? [] : [{ role: "embedder", reference: embedder, use: name } as const])),
    ...named.flatMap(([name, { retrieve }]) => (retrieve?.reranker === undefined ? [] : [{ role: "reranker", reference: retrieve.reranker, use: name } as const])),
    ...Object.entries(indexes).map(([name, { vectors = embeddedVectors, descriptor }]) => ({ role: "vectors", reference: vectors, use: name, descriptor }) as const),
    ...(state === undefined ? [] : stateUses({ agents, processes }).map((role) => ({ role, reference: state, use: "" }) as const)),
    ...tools.flatMap((place) => {
      const reference = addressOf(place);
      return reference === undefined ? [] : [{ role: "tool", reference, use: place.name, place } as const];
    }),
    { role: "store", reference: store, use: "" } as const,
    ...configs.map((reference) => ({ role: "config", reference, use: "" }) as const),
  ];
  const grouped = Map.groupBy(uses, ({ role, reference }) => `${role} ${reference}`);
  return [...grouped.values()].flatMap((same) => {
    const [first] = same;
    if (first === undefined) return [];
    const { role, reference } = first;
    // The embedded engine's files come out of the store, digest by digest.
    const published = role !== "vectors" || reference === embeddedVectors ? [] : same.flatMap((each) => ("descriptor" in each && each.descriptor !== undefined ? [{ name: each.use, descriptor: each.descriptor }] : []));
    return [{ role, reference, service: titleOf(role, same.map(({ use }) => use)), ...("place" in first ? { place: first.place } : {}), ...(published.length === 0 ? {} : { indexes: published }) }];
  });
}

const titles: Readonly<Record<Role, { readonly what: string; readonly one?: string; readonly many?: string }>> = {
  model: { what: "model", one: "agent", many: "agents" },
  embedder: { what: "embedder", one: "index", many: "indexes" },
  reranker: { what: "reranker", one: "agent", many: "agents" },
  vectors: { what: "vectors", one: "index", many: "indexes" },
  tool: { what: "address", one: "tool", many: "tools" },
  sessions: { what: "state: sessions" },
  runs: { what: "state: runs of agents" },
  jobs: { what: "state: index jobs" },
  store: { what: "store" },
  config: { what: "configuration source" },
};

function titleOf(role: Role, uses: readonly string[]): string {
  const { what, one, many } = titles[role];
  return one === undefined ? what : `${what} of ${uses.length === 1 ? one : many} ${uses.join(", ")}`;
}

/** undefined for a tool that is started here. */
export function addressOf(place: ToolPlace): string | undefined {
  if (place.kind === "http") return place.url;
  return place.kind === "mcp" && "url" in place.server ? place.server.url : undefined;
}

import { z } from "zod";
import type { FinishReason, Usage } from "../../ports/model.ts";
import type { RetrievedChunk } from "../../retrieval/schema.ts";
import { JsonObject, mostEntries } from "../http/field.ts";

/** Body of `POST /ui/answer`: the page asks one release. */
export const Ask = z.strictObject({
  release: z.int().positive().meta({ description: "Number of the release: the one that is served, or another of the same application" }),
  agent: z.string().min(1),
  messages: z.array(z.strictObject({ role: z.enum(["user", "assistant"]), content: z.string() })).min(1).max(mostEntries),
  variables: JsonObject.default({}),
});
export type Ask = z.infer<typeof Ask>;

/** Answer of `GET /ui/releases`. */
export interface Overview {
  readonly app: string;
  readonly environment: string;
  /** Number of the release that the server runs. */
  readonly served: number;
  /** Names of the agents that it serves. */
  readonly agents: readonly string[];
  /** Newest first. */
  readonly releases: readonly ListedRelease[];
}

export interface ListedRelease {
  readonly number: number;
  readonly digest: string;
  readonly createdAt: string;
  readonly message: string | null;
  /** Environments where it is active now. */
  readonly active: readonly string[];
}

/** Answer of `GET /ui/releases/<number>`: what decides its answers. */
export interface ReleaseView {
  readonly number: number;
  readonly digest: string;
  readonly agents: readonly AgentView[];
  readonly settings: readonly Setting[];
}

export interface AgentView {
  readonly name: string;
  readonly description: string | null;
  /** Title of its prompt, such as answer.strict. */
  readonly prompt: string;
  /** What its prompt takes besides the question and the passages. */
  readonly variables: readonly Variable[];
  readonly tools: readonly ToolView[];
}

export interface ToolView {
  readonly name: string;
  /** Whether it is declared as one that may be called twice for one purpose; of an MCP server that is not known before it is asked. */
  readonly isRepeatable: boolean;
}

export interface Variable {
  readonly name: string;
  readonly description: string | null;
  /** Whether it is written as it is; other types are written as JSON. */
  readonly isText: boolean;
  readonly isRequired: boolean;
}

export interface Setting {
  /** Such as `agent support`, `index docs`, `configuration`, `build`. */
  readonly group: string;
  readonly name: string;
  readonly value: string;
}

export type ChunkView = Omit<RetrievedChunk, "metadata">;

export interface AnswerView {
  readonly finishReason: FinishReason;
  readonly usage: Usage;
  /** The model that answered, as the provider names it, and as the release does. */
  readonly model: string;
  readonly reference: string;
  /** Numbers of the chunks that the answer cites. */
  readonly cited: readonly number[];
  readonly latencyMs: number;
  readonly timeToFirstTokenMs: number | null;
  /** null when the price is unknown. */
  readonly costUsd: number | null;
  /** Names of the tools that the model wants called. */
  readonly toolCalls: readonly string[];
  /** What an agent's own tools were called with, and what they gave. */
  readonly calls: readonly CallView[];
}

export interface CallView {
  readonly tool: string;
  /** The arguments as the model wrote them. */
  readonly given: string;
  readonly result: string | null;
  readonly isError: boolean;
}

/** What went wrong, in words for the person in front of the page. */
export interface Complaint {
  readonly code: string;
  readonly message: string;
  readonly fix: string | null;
}

/** One event of the stream that `POST /ui/answer` gives: `run`, where the answer is a run that can be followed, `retrieved` before the texts where that can be, then texts, then `end` or `error`. */
export type AskEvent =
  | { readonly type: "run"; readonly id: string }
  | { readonly type: "retrieved"; readonly chunks: readonly ChunkView[]; readonly retrievalMs: number | null }
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "end"; readonly answer: AnswerView }
  | ({ readonly type: "error" } & Complaint);

import type { FailureCode } from "../../src/core/errors.ts";
import type { FinishReason, Model, ModelRequest, ToolCall, Usage } from "../../src/ports/model.ts";

/** How an adapter's model is opened for the suite in `model.contract.ts`. */
export interface ModelHarness {
  open(): Promise<Model>;
  /** What stands in for the provider. Absent for a model that answers by itself, with at least three words. */
  readonly upstream?: ScriptedUpstream;
}

/** A stand-in for a provider that answers what it was told to, in the provider's own protocol. */
export interface ScriptedUpstream {
  /** Forgets what it has received, and answers the next requests so, one after the other. */
  script(...replies: readonly UpstreamReply[]): void;
  /** The requests that arrived for an answer, each read back into our nouns; tool arguments may be written in another JSON text. */
  received(): readonly ReceivedRequest[];
  /** Resolves when the client has closed the newest request that hangs; the suite's own timeout is what says that it never did. */
  closed(): Promise<void>;
  /** The model with the shortest sensible limit of time, some 100 ms, for a first chunk. */
  openImpatient(): Promise<Model>;
  /** The model behind an address where nobody answers. */
  openUnreachable(): Promise<Model>;
  /** What the protocol cannot do, each with the reason, which the skipped test shows. */
  readonly lacks?: Readonly<Partial<Record<Capability, string>>>;
}

/** `pieces`: the answer comes piece by piece, and not whole. */
export type Capability = "pieces" | "tools" | "toolChoice" | "toolErrors" | "images" | "reasoning" | "sampling" | "usage" | "cachedTokens" | "responseId" | "requestId" | "retryAfter" | "check" | "unreachable" | "timeout" | "breaksOff" | FinishReason | FailureKind;

export type ReceivedRequest = Pick<ModelRequest, "messages" | "tools" | "toolChoice" | "maxTokens" | "temperature" | "topP" | "stop">;

/** One answer: reasoning, then text, then tool calls, then the end. */
export interface UpstreamReply {
  readonly reasons?: string;
  /** Each text is one piece of the stream. */
  readonly says?: readonly string[];
  /** The arguments of each should be streamed in at least two pieces where the protocol streams them. */
  readonly callsTools?: readonly ToolCall[];
  /** `tool_calls` where tools are called, else `stop`. */
  readonly finish?: FinishReason;
  /** `scriptedUsage` where nothing is said. */
  readonly usage?: Usage;
  /** `scriptedId` where nothing is said. */
  readonly responseId?: string;
  /** `ends` where nothing is said; `breaksOff` closes the connection after what was said, `hangs` keeps it and says no more. */
  readonly ending?: "ends" | "breaksOff" | "hangs";
  /** Instead of everything above. */
  readonly fails?: UpstreamFailure;
}

export interface UpstreamFailure {
  readonly kind: FailureKind;
  readonly message: string;
  readonly requestId: string;
  readonly retryAfterMs?: number;
}

export const scriptedUsage: Usage = { inputTokens: 17, outputTokens: 5, cachedInputTokens: 3 };
export const scriptedId = "answer-0001";

/** Each way in which a provider says no, the code it becomes, and whether the same call may succeed later. */
export const failureKinds = {
  unauthenticated: { code: "SERVICE_UNAUTHENTICATED", mayPass: false },
  denied: { code: "SERVICE_DENIED", mayPass: false },
  notFound: { code: "SERVICE_NOT_FOUND", mayPass: false },
  limited: { code: "SERVICE_LIMITED", mayPass: true },
  quota: { code: "SERVICE_QUOTA", mayPass: false },
  rejected: { code: "SERVICE_REJECTED", mayPass: false },
  filtered: { code: "SERVICE_FILTERED", mayPass: false },
  /** 500 and its like. */
  unavailable: { code: "SERVICE_UNAVAILABLE", mayPass: true },
  /** An answer of the wrong shape, such as a proxy's page; it carries neither message nor request ID. */
  garbage: { code: "SERVICE_FAILED", mayPass: undefined },
} as const satisfies Record<string, { code: FailureCode; mayPass: boolean | undefined }>;
export type FailureKind = keyof typeof failureKinds;

import type { Json } from "../core/canonical-json.ts";
import type { Tool } from "./model.ts";

/** What a tool gave back. */
export interface ToolResult {
  /** For the model: text, or a value as JSON. */
  readonly content: string;
  /** The call failed, and `content` says why; the model may try something else. */
  readonly isError: boolean;
}

export interface ToolCallOptions {
  readonly signal: AbortSignal;
  /** The same for every attempt at one call, and for no other: for tools that can recognise a call that they have had. */
  readonly callId: string;
  readonly run: string;
  readonly agent: string;
  /** Whose run it is; null where the caller named nobody. */
  readonly user: string | null;
  /** W3C trace context of the run. */
  readonly traceparent: string;
}

/** One tool that a model may call: a function of the application, a command, an HTTP endpoint, or a tool of an MCP server. */
export interface OpenTool extends Tool {
  /** Whether a call may be made again where nobody knows what became of it. */
  readonly isIdempotent: boolean;
  /** Whether a person must approve each call. */
  readonly needsApproval: boolean;
  /**
   * Calls it once. Arguments that do not fit its schema, and whatever the tool says is wrong, are results with `isError`, for the model;
   * a tool that cannot be reached fails with the SERVICE_ codes, with `retry` where asking again may help. An aborted signal ends it with the signal's reason.
   */
  call(given: Json, options: ToolCallOptions): Promise<ToolResult>;
}

import type { Json } from "../../../core/canonical-json.ts";
import type { Tool } from "../../../ports/model.ts";
import type { ToolCallOptions, ToolResult } from "../../../ports/tool.ts";

/** What a module is told of a call, beside the arguments. */
export type CallFacts = Omit<ToolCallOptions, "signal">;

/** To the thread of a module. */
export type Asked =
  | { readonly type: "call"; readonly id: number; readonly given: Json; readonly facts: CallFacts }
  | { readonly type: "abort"; readonly id: number }
  | { readonly type: "ping" };

/** What a module says of itself, as far as it does. */
export interface LoadedTool {
  readonly description?: string;
  readonly parameters?: Tool["parameters"];
}

/** From the thread. First it is `loaded`, or `unusable`. */
export type Told =
  | { readonly type: "loaded"; readonly tool: LoadedTool }
  | { readonly type: "unusable"; readonly reason: string }
  | { readonly type: "result"; readonly id: number; readonly result: ToolResult }
  | { readonly type: "pong" };

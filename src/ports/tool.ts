import type { Json } from "../core/canonical-json.ts";
import type { Checkable } from "./check.ts";
import type { Environment } from "./context.ts";
import type { Tool } from "./model.ts";

/** What a tool gave back. */
export interface ToolResult {
  /** For the model: text, or a value as JSON. */
  readonly content: string;
  /** The call failed, and `content` says why; the model may try something else. */
  readonly isError: boolean;
  /** Whether nobody knows what the call has done; false where it is left out. */
  readonly isUnknown?: boolean;
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

/** Where one declared tool, or a server of tools, is found; every `${KEY}` is replaced. */
export type ToolPlace = ModulePlace | CommandPlace | HttpPlace | McpPlace;

interface Place {
  /** As it is declared. */
  readonly name: string;
  /** For one call. */
  readonly timeoutMs: number;
}

interface LocalPlace extends Place {
  /** The whole environment that it runs in. */
  readonly env: Environment;
  /** Where the code is, absolute. */
  readonly folder: string;
}

export interface ModulePlace extends LocalPlace {
  readonly kind: "module";
  /** In the folder. */
  readonly file: string;
}

export interface CommandPlace extends LocalPlace {
  readonly kind: "command";
  readonly command: string;
}

interface RemotePlace extends Place {
  readonly headers: Readonly<Record<string, string>>;
  /** Whether it may be at a link-local or metadata address. */
  readonly isPrivateAllowed: boolean;
}

export interface HttpPlace extends RemotePlace {
  readonly kind: "http";
  /** With `{name}` where an argument belongs. */
  readonly url: string;
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
}

export interface McpPlace extends RemotePlace, LocalPlace {
  readonly kind: "mcp";
  /** Streamable HTTP, or the words of the command that speaks it over standard input and output. */
  readonly server: { readonly url: string } | { readonly command: readonly [string, ...string[]] };
}

export interface SourceCallOptions extends ToolCallOptions {
  /** Whether the call may be made again where nobody knows what became of it. */
  readonly mayRepeat: boolean;
}

/** One tool as its source knows it. */
export interface SourceTool {
  /** undefined for the only one of its source. */
  readonly name?: string;
  readonly description?: string;
  /** undefined where only the manifest can say. */
  readonly parameters?: Tool["parameters"];
  /** What the source itself says; undefined where it says nothing. */
  readonly isIdempotent?: boolean;
  /** As `OpenTool.call`; the arguments were checked. */
  call(given: Json, options: SourceCallOptions): Promise<ToolResult>;
}

/** A declared tool that is open, or a server of them. */
export interface ToolSource extends Checkable {
  /** As they are now: a server may change what it offers. The same objects for as long as nothing changes. */
  tools(): readonly SourceTool[];
  close(): Promise<void>;
}

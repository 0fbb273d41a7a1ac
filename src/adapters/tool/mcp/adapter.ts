import type { CallToolResult } from "@modelcontextprotocol/sdk/types.js";
import { unlessAborted } from "../../../core/abort.ts";
import type { Json } from "../../../core/canonical-json.ts";
import { inTime } from "../../../core/deadline.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { McpPlace, SourceCallOptions, SourceTool, ToolResult, ToolSource } from "../../../ports/tool.ts";
import { toolService } from "../address.ts";
import { failed } from "../answer.ts";
import { connect, type Connection, listTools } from "./connection.ts";
import { toResult, toTool } from "./convert.ts";
import { complaintOf, isAboutSession, isInternal, serverFailure, statusOf } from "./failure.ts";

/** All tools of one MCP server. A session that was lost is begun anew with the next call. */
export async function openMcp(place: McpPlace): Promise<ToolSource> {
  let tools: readonly SourceTool[] = [];
  let isClosed = false;
  let connecting = begin();

  async function begin(): Promise<Connection> {
    const connection = await connect(place, () => void refresh(connection).catch(() => {}));
    try {
      await refresh(connection);
    } catch (error) {
      await connection.close();
      throw serverFailure(error, place, connection.said());
    }
    return connection;
  }

  async function refresh(connection: Connection): Promise<void> {
    const listed = await listTools(connection);
    tools = listed.map((tool) => ({ ...toTool(tool), call: (given, options) => call(tool.name, given, options) }));
  }

  /** One session for all: of calls that come at the same time after it ended, the first begins the next one. */
  async function connected(): Promise<Connection> {
    const seen = connecting;
    const isGone = await seen.then((connection) => !connection.isOpen(), () => true);
    if (isGone && connecting === seen && !isClosed) connecting = begin();
    return connecting;
  }

  async function call(name: string, given: Json, options: SourceCallOptions): Promise<ToolResult> {
    options.signal.throwIfAborted();
    const connection = await reached(options.signal);
    try {
      return await ask(connection, name, given, options);
    } catch (error) {
      options.signal.throwIfAborted();
      const status = statusOf(error);
      if (status !== 404 && status !== 400) return complain(error, connection);
      // The server does not know the session: it has restarted, or forgotten it, and did nothing of what it was asked. So it is, most likely, where it says no more.
      connection.lose();
      if (!options.mayRepeat && !isAboutSession(error)) return complain(error, connection);
      const next = await reached(options.signal);
      return ask(next, name, given, options).catch((again: unknown) => {
        options.signal.throwIfAborted();
        return complain(again, next);
      });
    }
  }

  /** A connection for a call, of which nothing has been sent before. */
  async function reached(signal: AbortSignal): Promise<Connection> {
    try {
      return await unlessAborted(() => inTime(connected, { limitMs: place.timeoutMs, who: toolService(place.name).name }), signal);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof TwelveError)) throw error;
      const { code, message, cause, fix, problems, retry } = error;
      throw new TwelveError(code, message, { cause, fix, problems, isUnsent: true, ...(retry === undefined ? {} : { retry }) });
    }
  }

  async function ask({ client }: Connection, name: string, given: Json, { signal, callId, traceparent }: SourceCallOptions): Promise<ToolResult> {
    const { CallToolResultSchema } = await import("@modelcontextprotocol/sdk/types.js");
    const params = { name, arguments: given as Record<string, unknown>, _meta: { traceparent, "twelve/callId": callId } };
    const result: CallToolResult = await client.request({ method: "tools/call", params }, CallToolResultSchema, { signal, timeout: place.timeoutMs });
    return toResult(result);
  }

  function complain(error: unknown, connection: Connection): ToolResult {
    const complaint = complaintOf(error);
    if (complaint !== undefined) return { ...failed(complaint), ...(isInternal(error) ? { isUnknown: true } : {}) };
    throw serverFailure(error, place, connection.said());
  }

  await connecting;
  return {
    tools: () => tools,
    async check(signal) {
      const connection = await connected();
      try {
        await connection.client.ping(signal === undefined ? {} : { signal });
      } catch (error) {
        signal?.throwIfAborted();
        throw serverFailure(error, place, connection.said());
      }
      const server = connection.client.getServerVersion();
      return { version: server === undefined ? null : `${server.name} ${server.version}`, detail: `${tools.length} tools` };
    },
    async close() {
      isClosed = true;
      await (await connecting.catch(() => undefined))?.close();
    },
  };
}

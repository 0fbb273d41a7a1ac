import type { Client } from "@modelcontextprotocol/sdk/client/index.js";
import type { Tool as McpTool } from "@modelcontextprotocol/sdk/types.js";
import { setTimeout as sleep } from "node:timers/promises";
import type { McpPlace } from "../../../ports/tool.ts";
import { serverFailure } from "./failure.ts";
import { openTransport } from "./transport.ts";

/** One session with a server. */
export interface Connection {
  readonly client: Client;
  readonly isOpen: () => boolean;
  /** The end of what the server's program wrote to stderr. */
  readonly said: () => string;
  /** No call is to use it any more; those under way have a moment for their own answers. */
  lose(): void;
  close(): Promise<void>;
}

const startMs = 30_000;
/** A server that is told that the session is over, and is slow to hear it, is not waited for. */
const leaveMs = 1000;
const pingMs = 5000;
const loseMs = 500;
const mostPages = 100;

/** Connects and shakes hands. `onChange` is told when the server offers other tools than before. Fails as `serverFailure` says. */
export async function connect(place: McpPlace, onChange: () => void): Promise<Connection> {
  const [{ Client }, { ToolListChangedNotificationSchema }, { transport, said, leave }] = await Promise.all([
    import("@modelcontextprotocol/sdk/client/index.js"), import("@modelcontextprotocol/sdk/types.js"), openTransport(place),
  ]);
  // The arguments are checked before a call, and what comes back is the model's to read: the client need not compile the schemas.
  const jsonSchemaValidator = { getValidator: () => (data: unknown) => ({ valid: true, data, errorMessage: undefined }) as never };
  const client = new Client({ name: "twelve", version: "1" }, { jsonSchemaValidator });
  let isOpen = true;
  const lose = (): void => {
    isOpen = false;
    setTimeout(() => void client.close().catch(() => {}), loseMs);
  };
  // A call whose stream broke would wait for an answer to the end of its time: a server that is gone, or forgot the session, is closed.
  let isLooking = true;
  const look = (): void => {
    if (!isOpen || isLooking) return;
    isLooking = true;
    client.ping({ timeout: pingMs }).catch(lose).finally(() => (isLooking = false));
  };
  Object.assign(client, { onclose: () => (isOpen = false), onerror: look });
  client.setNotificationHandler(ToolListChangedNotificationSchema, onChange);
  try {
    await client.connect(transport, { timeout: Math.max(startMs, place.timeoutMs) });
  } catch (error) {
    await client.close().catch(() => {});
    throw serverFailure(error, place, said());
  }
  isLooking = false;
  return {
    client,
    isOpen: () => isOpen,
    said,
    lose,
    async close() {
      isLooking = true;
      if (isOpen) await Promise.race([leave().catch(() => {}), sleep(leaveMs, undefined, { ref: false })]);
      await client.close().catch(() => {});
    },
  };
}

/** Every page. */
export async function listTools({ client }: Connection, signal?: AbortSignal): Promise<readonly McpTool[]> {
  const { ListToolsResultSchema } = await import("@modelcontextprotocol/sdk/types.js");
  const tools: McpTool[] = [];
  let cursor: string | undefined;
  // Servers without an end to their pages are not read to it.
  for (let page = 0; page < mostPages; page++) {
    const params = cursor === undefined ? {} : { cursor };
    const read = await client.request({ method: "tools/list", params }, ListToolsResultSchema, { timeout: startMs, ...(signal === undefined ? {} : { signal }) });
    tools.push(...read.tools);
    cursor = read.nextCursor;
    if (cursor === undefined) break;
  }
  // What can be had only as a task is had otherwise than by a call.
  return tools.filter(({ execution }) => execution?.taskSupport !== "required");
}

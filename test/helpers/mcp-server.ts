/** A real MCP server, made with the SDK's own classes. */
import { randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { isInitializeRequest } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

/** What happened on the server, in order. */
export interface Seen {
  readonly calls: { readonly name: string; readonly given: unknown; readonly meta: unknown }[];
  /** Requests that were not answered with what was asked for. */
  readonly headers: IncomingMessage["headers"][];
}

export function shopServer(seen: Seen): McpServer {
  const server = new McpServer({ name: "shop", version: "1.2.3" });
  const note = (name: string, given: unknown, meta: unknown): void => void seen.calls.push({ name, given, meta });
  server.registerTool("find", { description: "Finds an order", inputSchema: { id: z.string() }, outputSchema: { id: z.string(), total: z.number() }, annotations: { readOnlyHint: true } }, ({ id }, { _meta }) => {
    note("find", { id }, _meta);
    return { content: [{ type: "text", text: JSON.stringify({ total: 12, id }) }], structuredContent: { id, total: 12 } };
  });
  server.registerTool("pay", { title: "Pays it", inputSchema: { id: z.string() }, annotations: { destructiveHint: true } }, ({ id }) => {
    note("pay", { id }, undefined);
    return { content: [{ type: "text", text: `No money for ${id}` }], isError: true };
  });
  server.registerTool("look.around", { inputSchema: {} }, () => ({
    content: [
      { type: "text", text: "Two lines" }, { type: "image", data: Buffer.alloc(2048).toString("base64"), mimeType: "image/png" },
      { type: "resource", resource: { uri: "file:///a.txt", text: "its text" } }, { type: "resource", resource: { uri: "file:///b.bin", blob: "AAAA" } },
      { type: "resource_link", uri: "https://shop/c", name: "c" },
    ],
  }));
  server.registerTool("wait", { inputSchema: {} }, (_, { signal }) => {
    note("wait", {}, undefined);
    return new Promise((resolve) => signal.addEventListener("abort", () => {
      note("wait-aborted", {}, undefined);
      resolve({ content: [] });
    }));
  });
  server.registerTool("more", { inputSchema: {} }, () => {
    server.registerTool("extra", { inputSchema: {} }, () => ({ content: [{ type: "text", text: "extra" }] }));
    return { content: [{ type: "text", text: "there is more" }] };
  });
  return server;
}

export interface ShopHttp {
  readonly server: Server;
  readonly seen: Seen;
  /** Forgets all sessions, as a server that has restarted. */
  readonly forget: () => Promise<void>;
}

/** Streamable HTTP with sessions, at whatever path it is asked. */
export function shopHttp(make: (seen: Seen) => McpServer = shopServer): ShopHttp {
  const seen: Seen = { calls: [], headers: [] };
  const sessions = new Map<string, StreamableHTTPServerTransport>();
  const server = createServer((request, response) => void answer(request, response));

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    seen.headers.push(request.headers);
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body: unknown = parts.length === 0 ? undefined : JSON.parse(Buffer.concat(parts).toString("utf8"));
    const id = request.headers["mcp-session-id"];
    const known = sessions.get(String(id));
    if (known !== undefined) return known.handleRequest(request, response, body);
    if (!isInitializeRequest(body)) return void response.writeHead(404, { "content-type": "application/json" }).end('{"jsonrpc":"2.0","error":{"code":-32001,"message":"Session not found"},"id":null}');
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: () => randomUUID(), onsessioninitialized: (session) => void sessions.set(session, transport), onsessionclosed: (session) => void sessions.delete(session) });
    await make(seen).connect(transport);
    return transport.handleRequest(request, response, body);
  }

  return {
    server,
    seen,
    async forget() {
      const open = [...sessions.values()];
      sessions.clear();
      await Promise.all(open.map((transport) => transport.close()));
    },
  };
}

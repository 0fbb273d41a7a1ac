import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { createServer } from "node:http";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ToolResult } from "../../../src/ports/tool.ts";
import type { OpenTools } from "../../../src/tool/read.ts";
import { listening } from "../../helpers/listen.ts";
import { type ShopHttp, shopHttp } from "../../helpers/mcp-server.ts";
import { startServer } from "../../helpers/service-server.ts";
import { callOptions, openedTools, type ToolApp } from "../../helpers/tools.ts";

const program = join(import.meta.dirname, "../../helpers/mcp-stdio.ts");

async function overHttp(more = "", shop: ShopHttp = shopHttp()) {
  const port = await listening(shop.server);
  const opened = await openedTools(`shop: { mcp: "http://127.0.0.1:${port}/mcp"${more} }`);
  return { ...shop, opened, port };
}

const overStdio = (more = "", app: ToolApp = {}) => openedTools(`shop: { mcp: "stdio:${process.execPath} ${program} 'two words' \${OWN}"${more} }`, { values: { OWN: "a b" }, config: "config: { OWN: { default: x } }", ...app });

function calling(opened: OpenTools, name: string, given: Record<string, string> = {}, signal = callOptions.signal): Promise<ToolResult> {
  const tool = opened.of(["shop"]).find((each) => each.name === `shop_${name}`);
  if (tool === undefined) throw new Error(`${name} is not offered`);
  return tool.call(given, { ...callOptions, signal });
}

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
}

describe.each([
  ["streamable HTTP", async () => (await overHttp()).opened],
  ["standard input and output", () => overStdio()],
] as const)("an MCP server over %s", (_, open) => {
  it("offers its tools by names that every provider takes, and says which may be asked again", async () => {
    const tools = (await open()).of(["shop"]).filter(({ name }) => !/environment|die/.test(name));
    expect(tools.map(({ name, description, isIdempotent }) => [name, description, isIdempotent])).toEqual([
      ["shop_find", "Finds an order", true], ["shop_pay", "Pays it", false], ["shop_look_around", undefined, true], ["shop_wait", undefined, true], ["shop_more", undefined, true],
    ]);
    expect(tools[0]?.parameters).toMatchObject({ type: "object", properties: { id: { type: "string" } }, required: ["id"] });
  });

  it("gives what is structured once, as JSON, and keeps what is an error", async () => {
    const opened = await open();
    expect(await calling(opened, "find", { id: "A-1" })).toEqual({ content: '{"id":"A-1","total":12}', isError: false });
    expect(await calling(opened, "pay", { id: "A-1" })).toEqual({ content: "No money for A-1", isError: true });
    expect(await calling(opened, "pay")).toEqual({ content: "The arguments do not fit: id: Missing; the schema requires it", isError: true });
  });

  it("describes what no model reads as text", async () => {
    const { content } = await calling(await open(), "look_around");
    expect(content).toBe("Two lines\n[image: image/png, 2 KiB]\n[resource: file:///a.txt]\nits text\n[resource: file:///b.bin, 3 bytes]\n[resource: https://shop/c, c]");
  });

  it("ends a call with the caller's reason", async () => {
    const opened = await open();
    const controller = new AbortController();
    const call = calling(opened, "wait", {}, controller.signal);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(await calling(opened, "find", { id: "B-2" })).toMatchObject({ isError: false });
  });

  it("may change what it offers", async () => {
    const opened = await open();
    const names = (): readonly string[] => opened.of(["shop"]).map(({ name }) => name);
    expect(names()).not.toContain("shop_extra");
    await calling(opened, "more");
    await until(() => names().includes("shop_extra"));
    expect(await calling(opened, "extra")).toEqual({ content: "extra", isError: false });
  });

  it("can be asked whether it is there", async () => {
    const { sources: [source] } = await open();
    expect(await source?.service.check()).toMatchObject({ version: "shop 1.2.3", detail: expect.stringMatching(/^\d tools$/) });
  });
});

describe("an MCP server at an address", () => {
  it("is sent the headers of the manifest with each request, and the trace and ID of each call", async () => {
    const { opened, seen } = await overHttp(', headers: { X-Shop: "7" }');
    await calling(opened, "find", { id: "A-1" });
    expect(seen.headers.length).toBeGreaterThan(3);
    expect(seen.headers.every((headers) => headers["x-shop"] === "7")).toBe(true);
    expect(seen.calls).toEqual([{ name: "find", given: { id: "A-1" }, meta: { traceparent: callOptions.traceparent, "twelve/callId": callOptions.callId } }]);
  });

  it("offers only what the manifest lets through, and the manifest's word on repetition stands", async () => {
    const { opened } = await overHttp(", only: [find, pay], idempotent: false, approve: true");
    expect(opened.of(["shop"])).toMatchObject([{ name: "shop_find", isIdempotent: false, needsApproval: true }, { name: "shop_pay", isIdempotent: false }]);
    await expect(overHttp(", only: [fnd]")).rejects.toMatchObject({ code: "TOOL_INVALID", message: 'The MCP server of tool shop has no fnd. Did you mean "find"? It has: find, pay, look.around, wait, more' });
  });

  it("tells the server to stop when nobody waits any more", async () => {
    const { opened, seen } = await overHttp();
    const controller = new AbortController();
    const call = calling(opened, "wait", {}, controller.signal);
    await until(() => seen.calls.length === 1);
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    await until(() => seen.calls.some(({ name }) => name === "wait-aborted"));
  });

  it("begins a new session where the server has forgotten the old one, and makes each call once", async () => {
    const { opened, forget, seen } = await overHttp();
    await forget();
    expect(await Promise.all(["1", "2", "3"].map((id) => calling(opened, "find", { id })))).toMatchObject([{ isError: false }, { isError: false }, { isError: false }]);
    expect(seen.calls.map(({ given }) => given)).toEqual(expect.arrayContaining([{ id: "1" }, { id: "2" }, { id: "3" }]));
    expect(seen.calls).toHaveLength(3);
  });

  it.each([
    ["a call that must not be made twice, since the server may have made it", "pay", '{"error":"no"}', 1, 0],
    ["it where the server says that it does not know the session", "pay", '{"error":{"code":-32000,"message":"Bad Request: No valid session ID provided"}}', 2, 1],
    ["what may be asked again", "find", "", 2, 1],
  ] as const)("answered 400, asks again only where it may: %s", async (_, name, body, asked, made) => {
    const shop = shopHttp();
    const answers = shop.server.listeners("request");
    let count = 0;
    shop.server.removeAllListeners("request").on("request", (request, response) => {
      if (request.headers["x-fails"] === undefined || request.method !== "POST" || request.headers["mcp-session-id"] === undefined || !isFailing) return answers.forEach((answer) => answer(request, response));
      count += 1;
      isFailing = false;
      response.writeHead(400, { "content-type": "application/json" }).end(body);
    });
    let isFailing = false;
    const { opened, seen } = await overHttp(', headers: { X-Fails: "1" }', shop);
    isFailing = true;
    const failure = await calling(opened, name, { id: "A-1" }).then(() => undefined, (error: { readonly code: string }) => error.code);
    expect(count + seen.calls.length).toBe(asked);
    expect(seen.calls).toHaveLength(made);
    expect(failure).toBe(made === 0 ? "SERVICE_REJECTED" : undefined);
  });

  it("fails soon where the server dies in the middle of a call, and is used again when it is back", async () => {
    const { opened, server, seen, port } = await overHttp();
    const call = calling(opened, "wait");
    await until(() => seen.calls.length === 1);
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(call).rejects.toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null } });
    await expect(calling(opened, "find", { id: "A-1" })).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, isUnsent: true });
    const again = shopHttp();
    await new Promise<void>((resolve) => again.server.listen(port, "127.0.0.1", resolve));
    expect(await calling(opened, "find", { id: "A-1" })).toMatchObject({ isError: false });
    await opened.close();
    again.server.closeAllConnections();
    again.server.close();
  });

  it("has the time that the manifest gives it", async () => {
    const { opened } = await overHttp(", timeoutSeconds: 0.2");
    await expect(calling(opened, "wait")).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null }, fix: expect.stringContaining("`timeoutSeconds`") });
  });

  it("ends its session when it is closed", async () => {
    const { opened, seen, server } = await overHttp();
    const methods: (string | undefined)[] = [];
    server.on("request", (request: { readonly method?: string }) => methods.push(request.method));
    await opened.close();
    expect(methods).toEqual(["DELETE"]);
    expect(seen.headers.length).toBeGreaterThan(3);
  });

  it("lists its tools to the last page", async () => {
    const paged = (): McpServer => {
      const own = new McpServer({ name: "paged", version: "1" });
      own.registerTool("unused", {}, () => ({ content: [] }));
      own.server.setRequestHandler(ListToolsRequestSchema, ({ params }) => {
        const page = Number(params?.cursor ?? 0);
        return { tools: [{ name: `tool-${page}`, inputSchema: { type: "object" as const } }], ...(page < 4 ? { nextCursor: String(page + 1) } : {}) };
      });
      return own;
    };
    const { opened } = await overHttp("", shopHttp(paged));
    expect(opened.of(["shop"]).map(({ name }) => name)).toEqual(["shop_tool-0", "shop_tool-1", "shop_tool-2", "shop_tool-3", "shop_tool-4"]);
  });

  it.each([
    ["is away", undefined, "SERVICE_UNAVAILABLE"],
    ["says more than can be read", { json: `"${"x".repeat(33 * 1024 * 1024)}"` }, "SERVICE_UNAVAILABLE"],
    ["refuses the key", { status: 401, body: { error: "no" } }, "SERVICE_UNAUTHENTICATED"],
    ["has trouble of its own", { status: 503, body: {} }, "SERVICE_UNAVAILABLE"],
    ["is something else", { headers: { "content-type": "text/html" }, json: "<h1>Hello</h1>" }, "SERVICE_FAILED"],
    ["sends its requests elsewhere", { status: 307, headers: { location: "http://169.254.169.254/mcp" }, body: {} }, "SERVICE_FAILED"],
  ])("is told apart where it %s", async (_, reply, code) => {
    const server = await startServer(() => reply ?? {});
    if (reply === undefined) await server.close();
    await expect(openedTools(`shop: { mcp: "${server.url}/mcp" }`)).rejects.toMatchObject({ code, message: expect.stringContaining("tool shop") });
    await server.close().catch(() => {});
  });

  it("is not waited for when it does not answer", async () => {
    const silent = createServer(() => {});
    const port = await listening(silent);
    const opening = openedTools(`shop: { mcp: "http://127.0.0.1:${port}/mcp" }`);
    await until(() => silent.listening);
    silent.closeAllConnections();
    await new Promise((resolve) => setTimeout(resolve, 20));
    silent.closeAllConnections();
    await expect(opening).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  });
});

describe("an MCP server that is a program", () => {
  it("is started once, in the release's code, with configuration and secrets, and words of its command stay whole", async () => {
    const opened = await overStdio("", { values: { OWN: "a b", SHOP_KEY: "s3cret-value" } });
    const answers = await Promise.all([1, 2].map(() => calling(opened, "environment", { key: "SHOP_KEY" })));
    expect(answers[0]?.content).toMatch(/^s3cret-value two words\|a b \d+$/);
    expect(answers[1]).toEqual(answers[0]);
  });

  it("ends with the tools", async () => {
    const opened = await overStdio();
    const pid = Number((await calling(opened, "environment", { key: "OWN" })).content.split(" ").at(-1));
    await opened.close();
    expect(() => process.kill(pid, 0)).toThrow("ESRCH");
  });

  it("is started again after it ended in the middle of a call, which tells why", async () => {
    const opened = await overStdio();
    await expect(calling(opened, "die")).rejects.toMatchObject({ code: "SERVICE_CUT", message: expect.stringContaining("out of paper"), retry: { afterMs: null } });
    expect(await calling(opened, "find", { id: "A-1" })).toMatchObject({ isError: false });
  });

  it("is told apart where it cannot be started, and where it is none", async () => {
    await expect(openedTools('shop: { mcp: "stdio:no-such-program-here" }')).rejects.toMatchObject({ code: "TOOL_INVALID", message: expect.stringContaining("there is no such program") });
    await expect(openedTools(`shop: { mcp: "stdio:sh -c 'echo broken >&2; exit 1'" }`)).rejects.toMatchObject({ code: "SERVICE_CUT", message: "tool shop: the MCP server sh ended: broken" });
  });
});

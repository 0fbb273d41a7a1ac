import { createServer } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { toRequest } from "../../../src/adapters/tool/http/request.ts";
import { listening } from "../../helpers/listen.ts";
import { type Reply, type ServiceServer, startServer } from "../../helpers/service-server.ts";
import { callOptions, openedTool, openedTools } from "../../helpers/tools.ts";

async function shop(reply: Reply = { body: { total: 12 } }): Promise<ServiceServer> {
  const server = await startServer(() => reply);
  onTestFinished(() => server.close());
  return server;
}

const parameters = "{ type: object, properties: { id: { type: string }, note: {}, tags: { type: array } }, required: [id] }";
const answering = async (reply: Reply) => {
  const server = await shop(reply);
  const tool = await openedTool(`order: { http: "${server.url}/orders", parameters: ${parameters} }`);
  return () => tool.call({ id: "1" }, callOptions);
};

describe("a tool that is an HTTP endpoint", () => {
  it("puts arguments into the path, percent-encoded, and the others into the body, with the call's own key and trace", async () => {
    const server = await shop();
    const tool = await openedTool(`order: { http: "\${SHOP}/orders/{id}/notes", headers: { Authorization: "Bearer \${SHOP_KEY}" }, parameters: ${parameters} }`, {
      values: { SHOP: server.url, SHOP_KEY: "s3cret-value" }, config: "config: { SHOP: { kind: attachment }, SHOP_KEY: { kind: secret } }",
    });
    expect(await tool.call({ id: "a/b ü?", note: "x", tags: [1] }, callOptions)).toEqual({ content: '{"total":12}', isError: false });
    expect(server.requests).toMatchObject([{
      method: "POST", path: "/orders/a%2Fb%20%C3%BC%3F/notes", body: { note: "x", tags: [1] },
      headers: { authorization: "Bearer s3cret-value", "idempotency-key": '"run-1/step-2"', traceparent: callOptions.traceparent, "content-type": "application/json" },
    }]);
  });

  it("puts what is no part of the path into the query with GET, which needs no key", async () => {
    const server = await shop();
    const tool = await openedTool(`order: { http: "${server.url}/orders/{id}?all=1", method: GET, parameters: ${parameters} }`);
    await tool.call({ id: "7", note: { deep: "ü" }, tags: ["a", "b c"] }, callOptions);
    expect(server.requests).toMatchObject([{ method: "GET", path: "/orders/7?all=1&note=%7B%22deep%22%3A%22%C3%BC%22%7D&tags=a&tags=b+c", body: undefined }]);
    expect(server.requests[0]?.headers).not.toHaveProperty("idempotency-key");
  });

  it("takes what its address has a place for where it declares no parameters", async () => {
    const server = await shop();
    const tool = await openedTool(`order: { http: "${server.url}/orders/{id}", method: DELETE }`);
    expect(tool.parameters).toEqual({ type: "object", properties: { id: { type: "string" } }, required: ["id"], additionalProperties: false });
    expect(await tool.call({ id: "7", other: 1 }, callOptions)).toEqual({ content: "The arguments do not fit: other: Unknown argument. Declared: id", isError: true });
    await tool.call({ id: "7" }, callOptions);
    expect(server.requests).toMatchObject([{ method: "DELETE", path: "/orders/7" }]);
  });

  it.each([["..", "http://shop/orders/{id}/notes"], [".", "http://shop/orders/{id}"], ["", "http://shop/orders/{id}"], [".", "http://shop/.{id}"]])("refuses the argument %j, which would lead elsewhere", (id, url) => {
    expect(toRequest({ url, method: "GET" }, { id })).toEqual({ problem: expect.stringMatching(/^id: /) });
  });

  it.each(["%2e%2e", "a/../..", "..\\..", "?x#y"])("lets the argument %j be a part of the path and no more", (id) => {
    expect(toRequest({ url: "http://shop/orders/{id}/notes", method: "GET" }, { id })).toEqual({ url: `http://shop/orders/${encodeURIComponent(id)}/notes` });
  });

  it("sends the login of its address as a header, and shows it nowhere", async () => {
    const server = await shop({ status: 503, body: {} });
    const tool = await openedTool('order: { http: "${SHOP}" }', { values: { SHOP: server.url.replace("://", "://ann:p%40ss@") }, config: "config: { SHOP: { kind: attachment } }" });
    await expect(tool.call({}, callOptions)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: "tool order answered 503: {}" });
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from("ann:p@ss").toString("base64")}`);
  });

  it.each([
    ["JSON as it is", { json: '{"a": 1}' }, '{"a": 1}'],
    ["text", { headers: { "content-type": "text/plain" }, json: "sold out" }, "sold out"],
    ["nothing", { status: 204, json: "" }, "Answered 204 without content"],
    ["what no model reads", { headers: { "content-type": "application/pdf", "content-length": "4096" }, json: "x".repeat(4096) }, "[application/pdf, 4 KiB]"],
  ] satisfies readonly (readonly [string, Reply, string])[])("gives %s", async (_, reply, content) => {
    expect(await (await answering(reply))()).toEqual({ content, isError: false });
  });

  it.each([400, 401, 404, 409, 422])("tells the model what is wrong with its request: %i", async (status) => {
    expect(await (await answering({ status, body: { detail: "no" } }))()).toEqual({ content: `Answered ${status}: {"detail":"no"}`, isError: true });
  });

  it("refuses an answer that no model can read", async () => {
    expect(await (await answering({ json: "1".repeat(2 ** 21) }))()).toEqual({ content: "The result is larger than 1024 KiB. Ask for less at once", isError: true });
  });

  it.each([
    [429, "SERVICE_LIMITED", 2000], [503, "SERVICE_UNAVAILABLE", 2000], [500, "SERVICE_UNAVAILABLE", 2000], [408, "SERVICE_TIMEOUT", 2000],
  ])("fails where asking again may help: %i", async (status, code, afterMs) => {
    await expect((await answering({ status, headers: { "retry-after": "2" }, body: {} }))()).rejects.toMatchObject({ code, retry: { afterMs } });
  });

  it("fails where nobody answers, and where the answer takes too long", async () => {
    const server = await shop();
    const tool = await openedTool(`order: { http: "${server.url}", timeoutSeconds: 0.2 }`);
    server.faults.push("hang");
    await expect(tool.call({}, callOptions)).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null }, fix: expect.stringContaining("`timeoutSeconds`") });
    await server.close();
    await expect(tool.call({}, callOptions)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, isUnsent: true });
  });

  it("does not say that nothing was sent where the server hangs up on the request", async () => {
    const server = createServer((request) => request.resume().on("end", () => request.socket.destroy()));
    const port = await listening(server);
    const tool = await openedTool(`order: { http: "http://127.0.0.1:${port}" }`);
    await expect(tool.call({}, callOptions)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", isUnsent: false });
  });

  it("follows no redirect", async () => {
    const server = await shop({ status: 302, headers: { location: "http://169.254.169.254/latest/meta-data" }, body: {} });
    await expect((await openedTool(`order: { http: "${server.url}" }`)).call({}, callOptions)).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("points elsewhere") });
    expect(server.requests).toHaveLength(1);
  });

  it("ends with the caller's reason", async () => {
    const server = await shop();
    server.faults.push("hang");
    const controller = new AbortController();
    const call = (await openedTool(`order: { http: "${server.url}" }`)).call({}, { ...callOptions, signal: controller.signal });
    while (server.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });

  it("can be asked whether it is there, and is then asked for nothing that a model would", async () => {
    const server = await shop({ status: 404, body: {} });
    const { sources: [source] } = await openedTools(`order: { http: "${server.url}/orders/{id}" }`);
    expect(source?.name).toBe("tool order");
    expect(await source?.service.check()).toEqual({ version: null, detail: `${new URL(server.url).host} answers 404` });
    expect(server.requests).toMatchObject([{ method: "HEAD", path: "/" }]);
  });
});

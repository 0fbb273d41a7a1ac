import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openStore } from "../../src/adapters/store/fs/adapter.ts";
import { type Server, startServer } from "../helpers/binary.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { makeRelease, manifest } from "../run/release.ts";

const messages = [{ role: "user", content: "How large may it be?" }];

/** An upstream that says one word, and the rest only when it is told to. */
async function startUpstream() {
  const { promise: told, resolve: goOn } = Promise.withResolvers<void>();
  const chunk = (delta: object, finish: string | null = null): string => `data: ${JSON.stringify({ id: "c", object: "chat.completion.chunk", created: 1, model: "slow", choices: [{ index: 0, delta, finish_reason: finish }], usage: null })}\n\n`;
  const server = createServer((request, response) => {
    if (request.method === "GET") return void response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ object: "list", data: [{ id: "slow", object: "model" }] }));
    response.writeHead(200, { "content-type": "text/event-stream" }).write(chunk({ role: "assistant", content: "First" }));
    void told.then(() => response.end(`${chunk({ content: " last" })}${chunk({}, "stop")}data: {"id":"c","choices":[],"model":"slow","usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}\n\ndata: [DONE]\n\n`));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { reference: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1#slow`, goOn };
}

async function serve(model: string, args: readonly string[] = []): Promise<Server> {
  const dir = await temporaryFolder();
  await makeRelease(await testContext({ dir, store: openStore("file:.twelve/store", dir) }), manifest.replace("mock:echo", model));
  return startServer(["--env", "staging", "--host", "127.0.0.1", ...args], { cwd: dir });
}

describe("the built program", () => {
  beforeAll(() => vi.setConfig({ testTimeout: 60_000 }));

  it.each([
    ["/v1/chat/completions", { model: "chat", messages, variables: { tone: "kind" }, stream: true }, "data: [DONE]\n\n"],
    ["/v1/responses", { model: "chat", input: messages, variables: { tone: "kind" }, stream: true }, "event: response.completed"],
  ])("sends each word of %s when the model says it, as curl -N shows", async (path, body, ending) => {
    const { reference, goOn } = await startUpstream();
    const server = await serve(reference);
    const curl = spawn("curl", ["--silent", "--no-buffer", `${server.url}${path}`, "-H", "content-type: application/json", "-d", JSON.stringify(body)]);
    onTestFinished(() => void curl.kill());
    const closed = once(curl, "close");
    let shown = "";
    curl.stdout.setEncoding("utf8").on("data", (text: string) => (shown += text));
    await expect.poll(() => shown, { timeout: 10_000 }).toContain('"First"');
    expect(shown).not.toContain("last");
    goOn();
    expect(await closed).toEqual([0, null]);
    expect(shown).toContain('" last"');
    expect(shown.slice(shown.lastIndexOf(ending === "data: [DONE]\n\n" ? "data:" : "event:"))).toContain(ending);
    expect(await server.stop()).toBe(0);
  });

  it("serves search, vectors, its description and AgentCore's contract", async () => {
    const server = await serve("mock:echo", ["--agentcore"]);
    const ask = async (path: string, body?: object): Promise<unknown> => (await fetch(`${server.url}${path}`, body === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json();
    expect(await ask("/v1/search", { index: "docs", query: "How large may a body be?" })).toMatchObject({ agent: "support", hits: [{ document: "docs/limits.md" }, {}] });
    expect(await ask("/v1/embeddings", { model: "docs", input: "a" })).toMatchObject({ data: [{ embedding: { length: 64 } }] });
    expect(await ask("/openapi.json")).toMatchObject({ openapi: "3.1.1", paths: { "/v1/responses": { post: {} } } });
    expect(await ask("/ping")).toMatchObject({ status: "Healthy" });
    expect(await ask("/invocations", { prompt: "How large may the body of a request be?" })).toMatchObject({ model: "support", choices: [{ message: { content: "The body of a request may be 1 MiB large. [1]" } }] });
    expect(await server.stop()).toBe(0);
  });
});

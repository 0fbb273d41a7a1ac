import { connect, type Server } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it } from "vitest";
import { listen, stopServer } from "../../../src/run/http/listen.ts";
import { openAgent, runtimeOf, says, saysAndHangs, scriptedModel } from "../fixture.ts";
import { ask, openTestServer, startServer } from "./fixture.ts";

const answering = () => runtimeOf(openAgent(scriptedModel(() => says("yes"))));
const openConnections = (server: Server) => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
const given = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

describe("the server", () => {
  it("offers each agent and each index as a model", async () => {
    const { client } = await startServer(answering());
    expect((await client.models.list()).data).toMatchObject([{ id: "support", object: "model", owned_by: "twelve-agent" }, { id: "docs", object: "model", owned_by: "twelve-index" }]);
    expect(await client.models.retrieve("support")).toMatchObject({ id: "support" });
    await expect(client.models.retrieve("other")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });

  it.each([
    ["GET", "/v1/chat/completions", 405, "POST"],
    ["DELETE", "/v1/models/support", 405, "GET"],
    ["POST", "/v1/models", 405, "GET"],
    ["GET", "/v1/embeddings", 405, "POST"],
    ["PUT", "/v1/sessions/ada", 405, "GET, DELETE"],
    ["GET", "/v1/agents/support/runs/r1/cancel", 405, "POST"],
    ["DELETE", "/v1/agents/support/runs", 405, "POST, GET"],
    ["PUT", "/v1/models/", 404, null],
    ["POST", "/v1/audio/speech", 404, null],
    ["GET", "/", 404, null],
    ["GET", "/v1/chat/completions/..%2f", 404, null],
    ["GET", "/%zz", 400, null],
  ])("answers %s %s with %i and what is allowed", async (method, path, status, allow) => {
    const { url } = await startServer(answering());
    const response = await fetch(`${url}${path}`, { method });
    expect([response.status, response.headers.get("allow")]).toEqual([status, allow]);
    expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error", trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) } });
  });

  it("looks at the path before it looks at the body", async () => {
    const { post } = await startServer(answering());
    for (const [path, status] of [["/v1/models", 405], ["/v1/nothing", 404]] as const) expect((await post("x", { "content-type": "text/plain" }, path)).status).toBe(status);
  });

  it("goes on with the caller's trace in the headers and in the event", async () => {
    const runtime = answering();
    const { post } = await startServer(runtime);
    const response = await post(ask, { traceparent: given });
    const [, traceId, spanId, flags] = (response.headers.get("traceparent") ?? "").split("-");
    expect([traceId, flags]).toEqual(["4bf92f3577b34da6a3ce929d0e0e4736", "00"]);
    expect(response.headers.get("x-trace-id")).toBe(traceId);
    expect(runtime.events).toMatchObject([{ trace_id: traceId, span_id: spanId }]);
    expect(spanId).not.toBe("00f067aa0ba902b7");
  });

  it("is live without asking anything, and ready when every part is", async () => {
    const runtime = answering();
    const { url } = await startServer({ ...runtime, check: () => Promise.resolve([{ name: "index docs", isReady: false, detail: "file is gone" }]) });
    expect((await fetch(`${url}/livez`)).status).toBe(200);
    const response = await fetch(`${url}/readyz`);
    expect([response.status, await response.json()]).toEqual([503, { status: "failed", checks: { "index docs": { status: "failed", detail: "file is gone" } } }]);
    const { url: healthy } = await startServer(runtime);
    expect(await (await fetch(`${healthy}/readyz`)).json()).toEqual({ status: "ok", checks: { release: { status: "ok", detail: "v3" } } });
  });

  it("names a port that is in use", async () => {
    const { url } = await startServer(answering());
    const port = Number(new URL(url).port);
    const { app: second } = await openTestServer(answering());
    await expect(listen(second, { host: "127.0.0.1", port })).rejects.toMatchObject({ code: "PORT_TAKEN", message: `Port ${port} on 127.0.0.1 is in use` });
  });
});

describe("stopping", () => {
  it("finishes the answer under way, says that it is not ready, and takes no new connection", async () => {
    const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
    const model = scriptedModel(async function* () {
      yield { type: "text", text: "a" };
      await go;
      yield* says("b");
    });
    const { app, url, post, traffic } = await startServer(runtimeOf(openAgent(model)));
    const response = await post({ ...ask, stream: true });
    // A load balancer's question that is half sent when the stop comes: idle connections are closed, this one is not.
    const probe = connect(Number(new URL(url).port), "127.0.0.1");
    probe.write("GET /readyz HTTP/1.1\r\nhost: localhost\r\n");
    await expect.poll(() => openConnections(app.server)).toBe(2);
    const stopped = stopServer(app, traffic, 60_000);
    await expect(fetch(`${url}/livez`)).rejects.toThrow("fetch failed");
    probe.end("\r\n");
    const answer = await text(probe);
    expect(answer).toMatch(/^HTTP\/1.1 503 .*connection: close.*"status":"draining"/s);
    letGo();
    expect(await response.text()).toContain("data: [DONE]");
    await stopped;
  });

  it("cuts a stream at the deadline with an error in it", async () => {
    const model = scriptedModel((request) => saysAndHangs("Half", request));
    const runtime = runtimeOf(openAgent(model));
    const { app, client, traffic } = await startServer(runtime);
    const stream = await client.chat.completions.create({ ...ask, messages: [...ask.messages], stream: true });
    const reading = Array.fromAsync(stream).catch((error: unknown) => error);
    await stopServer(app, traffic, 0);
    expect(await reading).toMatchObject({ code: "answer_cut", message: expect.stringContaining("stopping") });
    expect(runtime.events).toMatchObject([{ "error.type": "ANSWER_CUT", "twelve.aborted": false, "gen_ai.usage.output_tokens": 1 }]);
  });

  it("does not wait for idle connections that clients keep open", async () => {
    const { app, post, traffic } = await startServer(answering());
    await (await post(ask)).text();
    await stopServer(app, traffic, 60_000);
    expect(traffic.taken).toBe(1);
  });

  it("says that it stops while it still takes requests, so that load balancers hear of it first", async () => {
    const { url, post, traffic } = await startServer(answering());
    traffic.announceStop();
    const readiness = await fetch(`${url}/readyz`);
    expect([readiness.status, await readiness.json()]).toMatchObject([503, { status: "draining" }]);
    const answer = await post(ask);
    expect([answer.status, answer.headers.get("connection")]).toEqual([200, "close"]);
  });

  it("refuses with 503 what comes on an open connection meanwhile, and finishes what had come by half", async () => {
    const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
    const model = scriptedModel(async function* ({ question }) {
      if (question === "Slow") await go;
      yield* says("yes");
    });
    const { app, url, post, traffic } = await startServer(runtimeOf(openAgent(model)));
    const slow = post({ ...ask, messages: [{ role: "user", content: "Slow" }] });
    await expect.poll(() => model.asked.length).toBe(1);
    const [early, late] = [rawRequest(url), rawRequest(url)];
    early.socket.write(early.head + early.body.slice(0, 10));
    late.socket.write("GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\nP");
    await expect.poll(() => openConnections(app.server)).toBe(3);
    await expect.poll(() => traffic.taken).toBe(3);
    const stopped = stopServer(app, traffic, 60_000);
    early.socket.write(early.body.slice(10));
    expect(await early.answer).toMatch(/^HTTP\/1.1 200 .*connection: close/s);
    late.socket.write(late.head.slice(1) + late.body);
    const answers = (await late.answer).split("HTTP/1.1 ").slice(1);
    expect(answers[0]).toMatch(/^200 /);
    expect(answers[1]).toMatch(/^503 .*retry-after: 1\r\n.*"code":"stopping"/s);
    letGo();
    expect((await slow).status).toBe(200);
    await stopped;
  });

  it("waits for no body that trickles in, and not for a client that does not read once time is up", async () => {
    const endless = scriptedModel(async function* ({ signal }) {
      for (;;) {
        signal?.throwIfAborted();
        yield { type: "text", text: "x".repeat(65_536) };
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const runtime = runtimeOf(openAgent(endless));
    const { app, url, traffic } = await startServer(runtime);
    const slow = rawRequest(url);
    slow.socket.write(slow.head + slow.body.slice(0, 10));
    await expect.poll(() => traffic.taken).toBe(1);
    const waiting = stopServer(app, traffic, 60_000);
    expect(await slow.answer).toMatch(/^HTTP\/1.1 503 .*retry-after: 1\r\n.*"code":"stopping"/s);
    await waiting;

    const { app: second, url: secondUrl, traffic: secondTraffic } = await startServer(runtime);
    const unread = rawRequest(secondUrl, { ...ask, stream: true });
    unread.socket.pause();
    unread.socket.write(unread.head + unread.body);
    await expect.poll(() => secondTraffic.taken).toBe(1);
    await stopServer(second, secondTraffic, 100);
    expect(runtime.events.at(-1)).toMatchObject({ "gen_ai.response.finish_reasons": ["error"] });
  });
});

/** A request that the test sends piece by piece. */
function rawRequest(url: string, given: object = ask) {
  const body = JSON.stringify(given);
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  const head = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
  return { socket, head, body, answer: text(socket) };
}

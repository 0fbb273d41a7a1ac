import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import { listen, stopServer } from "../../../src/run/http/listen.ts";
import { openAgent, runtimeOf, says, saysAndHangs, scriptedModel } from "../fixture.ts";
import { ask, openTestServer, startServer } from "./fixture.ts";

const answering = () => runtimeOf(openAgent(scriptedModel(() => says("yes"))));
const body = JSON.stringify(ask);
const post = (given: string, headers: readonly string[] = [`content-length: ${Buffer.byteLength(given)}`], host = "localhost"): string =>
  [`POST /v1/chat/completions HTTP/1.1`, `host: ${host}`, "content-type: application/json", ...headers, "", given].join("\r\n");
const last = ["connection: close"];

function open(url: string, sent: string): Socket {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(sent);
  return socket;
}

const answerTo = (url: string, sent: string): Promise<string> => text(open(url, sent));

describe("what no usual client sends", () => {
  it("is refused where it is for another host, which a page had made to point here", async () => {
    const { url } = await startServer(answering());
    expect(await answerTo(url, post(body, [`content-length: ${body.length}`, ...last], "evil.example:3000"))).toMatch(/^HTTP\/1.1 403 .*host_not_allowed/s);
    expect(await answerTo(url, post(body, [`content-length: ${body.length}`, ...last], "localhost:9"))).toMatch(/^HTTP\/1.1 200 /);
    const { url: behindProxy } = await startServer(answering(), { access: { isHostChecked: false } });
    expect(await answerTo(behindProxy, post(body, [`content-length: ${body.length}`, ...last], "app.example"))).toMatch(/^HTTP\/1.1 200 /);
  });

  it.each([
    ["headers without end", `GET /livez HTTP/1.1\r\nhost: localhost\r\nx-long: ${"x".repeat(20_000)}\r\n\r\n`, /^HTTP\/1.1 431 .*"code":"headers_too_large"/s],
    ["many small headers", `GET /livez HTTP/1.1\r\nhost: localhost\r\n${Array.from({ length: 3000 }, (_, at) => `x-${at}: y`).join("\r\n")}\r\n\r\n`, /^HTTP\/1.1 431 /],
    ["no HTTP", "\u0016\u0003\u0001 TLS to a port without it\r\n\r\n", /^HTTP\/1.1 400 .*"code":"invalid_request"/s],
    ["no host", "GET /livez HTTP/1.1\r\n\r\n", /^HTTP\/1.1 400 /],
    ["a length and chunks at once", post("0\r\n\r\n", ["content-length: 5", "transfer-encoding: chunked"]), /^HTTP\/1.1 400 /],
    ["two lengths", post(body, ["content-length: 1", `content-length: ${body.length}`]), /^HTTP\/1.1 400 /],
    ["a length that is no number", post(body, ["content-length: 1e3"]), /^HTTP\/1.1 400 /],
    ["a chunk whose length is no number", post("zz\r\nabc\r\n0\r\n\r\n", ["transfer-encoding: chunked"]), /^HTTP\/1.1 400 /],
  ])("is refused, with the connection closed: %s", async (_, sent, answer) => {
    const { url } = await startServer(answering());
    expect(await answerTo(url, sent)).toMatch(answer);
  });

  it("is not answered with less or more than the length that it announces", async () => {
    const runtime = answering();
    const { url, app } = await startServer(runtime);
    const short = open(url, post(body, [`content-length: ${body.length + 10}`]));
    short.end();
    expect(await text(short)).not.toContain("200 OK");
    expect(runtime.events).toEqual([]);
    // What follows would be the next request on the connection.
    expect(await answerTo(url, post(`${body}GARBAGE`, [`content-length: ${body.length}`]))).toMatch(/^HTTP\/1.1 400 /);
    expect((await app.inject("/livez")).statusCode).toBe(200);
  });

  it("takes as large a body as is allowed, in chunks too, and not a byte more", async () => {
    const { url } = await startServer(answering(), { access: { bodyBytes: 2 * 1024 * 1024 } });
    const sized = (bytes: number): string => JSON.stringify({ ...ask, user: "x".repeat(bytes - JSON.stringify({ ...ask, user: "" }).length) });
    const whole = sized(2 * 1024 * 1024);
    const chunked = (given: string): string => post(`${given.length.toString(16)}\r\n${given}\r\n0\r\n\r\n`, ["transfer-encoding: chunked", ...last]);
    expect(await answerTo(url, post(whole, [`content-length: ${whole.length}`, ...last]))).toMatch(/^HTTP\/1.1 200 /);
    expect(await answerTo(url, chunked(whole))).toMatch(/^HTTP\/1.1 200 /);
    const refused = open(url, chunked(sized(2 * 1024 * 1024 + 1)));
    const [answer] = (await once(refused, "data")) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 413 .*larger than 2 MiB/s);
  });

  it("is answered in order, where several requests are sent at once", async () => {
    const { url } = await startServer(answering());
    const answers = await answerTo(url, `${post(body)}GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n${post(body, [`content-length: ${body.length}`, ...last])}`);
    expect(answers.match(/"object":"chat.completion"|\{"status":"ok"\}/g)).toEqual(['"object":"chat.completion"', '{"status":"ok"}', '"object":"chat.completion"']);
  });

  it("ends all of several requests that were sent at once when their client goes away", async () => {
    const model = scriptedModel((request) => saysAndHangs("Half", request));
    const { url, app, traffic } = await startServer(runtimeOf(openAgent(model)));
    const socket = open(url, post(JSON.stringify({ ...ask, stream: true })) + post(body));
    await expect.poll(() => model.asked.length).toBe(2);
    socket.destroy();
    await expect.poll(() => model.asked.map(({ signal }) => signal?.aborted)).toEqual([true, true]);
    await stopServer(app, traffic, 60_000);
  });

  it("is told that it took too long, when its headers or its body trickle in", async () => {
    const { app } = await openTestServer(answering());
    Object.assign(app.server, { headersTimeout: 30, requestTimeout: 60, connectionsCheckingInterval: 10 });
    const url = await listen(app, { host: "127.0.0.1", port: 0 });
    onTestFinished(() => app.close());
    expect(await answerTo(url, "GET /livez HTTP/1.1\r\nhost: loc")).toMatch(/^HTTP\/1.1 408 .*"code":"request_timeout"/s);
    expect(await answerTo(url, post("{", ["content-length: 100"]))).toMatch(/^HTTP\/1.1 408 /);
  });
});

describe("an answer that takes longer than is allowed", () => {
  const hanging = () => scriptedModel((request) => saysAndHangs("Half", request));

  it("ends the call of the model and is answered with 504", async () => {
    const model = hanging();
    const runtime = runtimeOf(openAgent(model));
    const { post: send } = await startServer(runtime, { access: { answerMs: 30 } });
    const response = await send(ask);
    expect([response.status, await response.json()]).toMatchObject([504, { error: { type: "server_error", code: "answer_overdue" } }]);
    expect(model.asked[0]?.signal?.aborted).toBe(true);
    expect(runtime.events).toMatchObject([{ "error.type": "ANSWER_OVERDUE", "twelve.aborted": false }]);
  });

  it("is told so within the stream", async () => {
    const { post: send } = await startServer(runtimeOf(openAgent(hanging())), { access: { answerMs: 30 } });
    const stream = await (await send({ ...ask, stream: true })).text();
    expect(stream).toMatch(/"content":"Half".*data: \{"error":\{.*"code":"answer_overdue"/s);
    expect(stream).not.toContain("[DONE]");
  });

  it("holds no connection whose client does not read", async () => {
    const endless = scriptedModel(async function* ({ signal }) {
      for (;;) {
        signal?.throwIfAborted();
        yield { type: "text", text: "x".repeat(65_536) };
        await new Promise((resolve) => setImmediate(resolve));
      }
    });
    const runtime = runtimeOf(openAgent(endless));
    const { url, app } = await startServer(runtime, { access: { answerMs: 200 } });
    const socket = open(url, post(JSON.stringify({ ...ask, stream: true })));
    socket.pause();
    await expect.poll(() => runtime.events, { timeout: 5000 }).toHaveLength(1);
    await expect.poll(() => new Promise((resolve) => app.server.getConnections((_error, count) => resolve(count))), { timeout: 5000 }).toBe(0);
  });
});

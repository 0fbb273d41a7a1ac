import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import type { ModelChunk, ModelRequest } from "../../../src/ports/model.ts";
import { largestAnswerBytes } from "../../../src/run/answer-record.ts";
import { openMemorySessions } from "../../helpers/memory-sessions.ts";
import { keeping, openAgent, runtimeOf, says, saysAndHangs, scriptedModel } from "../fixture.ts";
import { movableClock } from "../session/fixture.ts";
import { ask, startServer } from "./fixture.ts";

type Script = (request: ModelRequest) => AsyncIterable<ModelChunk> | Iterable<ModelChunk>;
const keyed = { "idempotency-key": '"k-1"' };
const kept = ["content-type", "cache-control", "x-accel-buffering"];

async function start(script: Script = counting(), sessions: SessionStore = openMemorySessions()) {
  const clock = movableClock();
  const runtime = runtimeOf(openAgent(scriptedModel(script)), clock, keeping({ clock, sessions }));
  const server = await startServer(runtime);
  const send = async (body: unknown, headers: Record<string, string> = keyed) => {
    const response = await server.post(body, headers);
    return { response, status: response.status, facts: [response.status, ...kept.map((name) => response.headers.get(name))], isReplayed: response.headers.get("idempotency-replayed") === "true", text: await response.text() };
  };
  return { runtime, sessions, ...server, send };
}

/** Each answer is another one, so that one that comes again was kept. */
function counting(): Script {
  let answers = 0;
  return () => says(`answer ${(answers += 1)}`, " é", " [1]");
}

/** Fails so often before it answers. */
function failing(times: number, error: TwelveError): Script {
  let calls = 0;
  return function* () {
    if ((calls += 1) <= times) throw error;
    yield* says("at last");
  };
}

describe("a request with an Idempotency-Key", () => {
  it.each([[false], [true]])("is answered once, and the same bytes come again, with stream: %s", async (stream) => {
    const { send, runtime } = await start();
    const first = await send({ ...ask, stream });
    const again = await send({ stream, ...ask }, { "idempotency-key": "k-1" });
    expect(again.text).toBe(first.text);
    expect(again.facts).toEqual(first.facts);
    expect([first.isReplayed, again.isReplayed]).toEqual([false, true]);
    expect(first.text).toContain(stream ? "data: [DONE]\n\n" : "answer 1 é [1]");
    expect(again.response.headers.get("x-trace-id")).not.toBe(first.response.headers.get("x-trace-id"));
    expect(runtime.events).toHaveLength(1);
  });

  it("is answered once by whatever process is asked", async () => {
    const { send, sessions } = await start();
    const first = await send({ ...ask, stream: true });
    const { send: sendOther, runtime } = await start(counting(), sessions);
    expect((await sendOther({ ...ask, stream: true })).text).toBe(first.text);
    expect(runtime.events).toEqual([]);
  });

  it("is refused with 422 when its key was another request's", async () => {
    const { send } = await start();
    await send(ask);
    for (const other of [await send({ ...ask, seed: 1 }), await send({ ...ask, stream: true }), await send(ask, { ...keyed, "x-session-id": "s-1" })]) {
      expect([other.status, JSON.parse(other.text)]).toMatchObject([422, { error: { type: "invalid_request_error", code: "idempotency_key_reused" } }]);
    }
  });

  it("is refused with 409 and Retry-After while it is being answered", async () => {
    const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: asked, resolve: onAsk } = Promise.withResolvers<void>();
    const { send } = await start(async function* () {
      onAsk();
      await go;
      yield* says("late");
    });
    const first = send(ask);
    await asked;
    const busy = await send(ask);
    expect([busy.status, busy.response.headers.get("retry-after"), JSON.parse(busy.text)]).toMatchObject([409, "1", { error: { code: "idempotency_key_busy" } }]);
    letGo();
    const { text } = await first;
    expect((await send(ask)).text).toBe(text);
  });

  it("is refused again where it was refused for good", async () => {
    const { send, runtime } = await start();
    const unknown = { ...ask, model: "other" };
    const first = await send(unknown);
    const again = await send(unknown);
    expect([first.status, again.status, again.text, again.isReplayed]).toEqual([404, 404, first.text, true]);
    const { send: sendFiltered, runtime: filtered } = await start(failing(1, new TwelveError("SERVICE_FILTERED", "no")));
    expect([(await sendFiltered(ask)).status, (await sendFiltered(ask)).status]).toEqual([400, 400]);
    expect([runtime.events.length, filtered.events.length]).toEqual([0, 1]);
  });

  it.each([
    ["a failure of the server", new TypeError("bug") as unknown as TwelveError, 500],
    ["a failure of a service", new TwelveError("SERVICE_FAILED", "broken"), 502],
    ["a rate limit", new TwelveError("SERVICE_LIMITED", "slow down", { retry: { afterMs: 600_000 } }), 429],
  ])("is answered anew after %s", async (_, error, status) => {
    const { send } = await start(failing(1, error));
    expect((await send(ask)).status).toBe(status);
    const again = await send(ask);
    expect([again.status, again.isReplayed]).toEqual([200, false]);
  });

  it("is answered anew after a stream that was cut, by a failure or by its client", async () => {
    let calls = 0;
    const { send, post, runtime } = await start(async function* (request) {
      calls += 1;
      yield { type: "text", text: `part ${calls}` };
      if (calls === 1) throw new TwelveError("SERVICE_CUT", "broke off");
      yield* calls === 2 ? saysAndHangs("...", request) : says(" whole");
    });
    const stream = { ...ask, stream: true };
    expect((await send(stream)).text).toMatch(/part 1.*service_cut/s);
    const reader = (await post(stream, keyed)).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await expect.poll(async () => (await send(stream)).text).toMatch(/part 3.* whole.*DONE/s);
    expect(runtime.events).toMatchObject([{ "error.type": "SERVICE_CUT" }, { "twelve.aborted": true, "gen_ai.usage.output_tokens": expect.any(Number) }, { "error.type": null }]);
    expect((await send(stream)).isReplayed).toBe(true);
  });

  it("is free again when its client went away from something that does not listen", async () => {
    let calls = 0;
    const { promise: asked, resolve: onAsk } = Promise.withResolvers<void>();
    const { url, send } = await start(async function* () {
      onAsk();
      if ((calls += 1) === 1) await new Promise(() => {});
      yield* says("at last");
    });
    const client = new AbortController();
    const first = fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { ...keyed, "content-type": "application/json" }, body: JSON.stringify(ask), signal: client.signal }).catch(() => "gone");
    await asked;
    client.abort();
    expect(await first).toBe("gone");
    await expect.poll(async () => (await send(ask)).status).toBe(200);
  });

  it("is not told to be complete before its record is durable", async () => {
    const store = openMemorySessions();
    const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
    const { promise: recording, resolve: onRecord } = Promise.withResolvers<"recording">();
    let appends = 0;
    const slow: SessionStore = {
      ...store,
      async append(...args) {
        if ((appends += 1) === 2) {
          onRecord("recording");
          await go;
        }
        return store.append(...args);
      },
    };
    const { post } = await start(counting(), slow);
    const reader = (await post({ ...ask, stream: true }, keyed)).body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    while (!text.includes("[1]")) text += (await reader?.read())?.value ?? "";
    const rest = reader?.read();
    expect([await Promise.race([rest, recording]), text.includes('"stop"')]).toEqual(["recording", false]);
    letGo();
    expect((await rest)?.value).toMatch(/"finish_reason":"stop".*DONE/s);
  });

  it.each([[false], [true]])("says that it failed where its answer could not be recorded, with stream: %s", async (stream) => {
    const store = openMemorySessions();
    let appends = 0;
    const shut: SessionStore = { ...store, append: (...args) => ((appends += 1) === 1 ? store.append(...args) : Promise.reject(new TwelveError("SERVICE_DENIED", "read only"))) };
    const { send } = await start(counting(), shut);
    const { status, text } = await send({ ...ask, stream });
    expect([status, text.includes("service_denied"), text.includes("DONE"), text.includes('"finish_reason":"stop"')]).toEqual([stream ? 200 : 502, true, false, false]);
  });

  it.each([[false], [true]])("is sent whole where it is too large to be kept, and lost to whoever asks again, with stream: %s", async (stream) => {
    const large = "x".repeat(1024 * 1024);
    const { send } = await start(() => says(large, large, large, "end"));
    const first = await send({ ...ask, stream });
    expect([first.status, first.text.length > largestAnswerBytes, first.text.includes("end")]).toEqual([200, true, true]);
    const again = await send({ ...ask, stream });
    expect([again.status, JSON.parse(again.text)]).toMatchObject([422, { error: { code: "idempotency_answer_lost" } }]);
  });

  it("is refused where the header cannot be read, and pays for the state service only where it has one", async () => {
    const touched: string[] = [];
    const store = new Proxy(openMemorySessions(), { get: (target, name, receiver) => (touched.push(String(name)), Reflect.get(target, name, receiver)) });
    const { send } = await start(counting(), store);
    const refused = await send(ask, { "idempotency-key": "a, b" });
    expect([refused.status, JSON.parse(refused.text)]).toMatchObject([400, { error: { param: "Idempotency-Key" } }]);
    expect((await send(ask, {})).status).toBe(200);
    expect((await fetch((await start(counting(), store)).url + "/v1/models", { headers: keyed })).status).toBe(200);
    expect(touched.filter((name) => name !== "then")).toEqual([]);
    await send(ask);
    expect(touched).toContain("append");
  });

  it("is one turn of its session, however often it is sent", async () => {
    const { send, url } = await start();
    const headers = { ...keyed, "x-session-id": "s-1" };
    expect((await send(ask, headers)).text).toBe((await send(ask, headers)).text);
    expect(await (await fetch(`${url}/v1/sessions/s-1`)).json()).toMatchObject({ turns: [{ status: "answered" }] });
    // What answers requests that come again is no conversation.
    expect(await (await fetch(`${url}/v1/sessions`)).json()).toMatchObject({ data: [{ id: "s-1" }] });
  });
});

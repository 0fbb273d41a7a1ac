import { describe, expect, it } from "vitest";
import { hashOfKey } from "../../../src/config/api-key.ts";
import { TwelveError } from "../../../src/core/errors.ts";
import { openKeyRing } from "../../../src/run/http/key.ts";
import { openMemorySessions } from "../../helpers/memory-sessions.ts";
import { keeping, openAgent, runtimeOf, says, saysAndHangs, scriptedModel } from "../fixture.ts";
import { movableClock } from "../session/fixture.ts";
import { ask, startServer } from "./fixture.ts";

const counting = () => openAgent(scriptedModel(({ messages }) => says(`saw ${messages.length} [1]`)));

async function start(agent = counting()) {
  const clock = movableClock();
  const runtime = runtimeOf(agent, clock, keeping({ clock }));
  const server = await startServer(runtime);
  const get = async (path: string, method = "GET"): Promise<readonly [number, unknown]> => {
    const response = await fetch(`${server.url}${path}`, { method });
    return [response.status, await response.json()];
  };
  return { runtime, ...server, get };
}

describe("a session over HTTP", () => {
  it("belongs to the API key of the request, and so do the answers that an Idempotency-Key stands for", async () => {
    const clock = movableClock();
    const names = ["web", "shop"];
    const secretOf = (name: string): string => `tw_${name.padEnd(43, "x")}`;
    const keys = openKeyRing(names.map((name) => ({ name, sha256: hashOfKey(secretOf(name)).toString("hex") })), { instances: 1, nowMs: () => 0 });
    const runtime = runtimeOf(counting(), clock, keeping({ clock }));
    const { post, url } = await startServer(runtime, { access: { keys } });
    const bearer = (name: string) => ({ authorization: `Bearer ${secretOf(name)}` });
    for (const name of names) {
      const response = await post(ask, { ...bearer(name), "x-session-id": "s-1", "idempotency-key": "k-1" });
      expect([response.headers.get("idempotency-replayed"), await response.text()]).toEqual([null, expect.stringContaining("saw 2")]);
    }
    await fetch(`${url}/v1/sessions/s-1`, { method: "DELETE", headers: bearer("web") });
    expect((await fetch(`${url}/v1/sessions/s-1`, { headers: bearer("web") })).status).toBe(404);
    expect((await fetch(`${url}/v1/sessions/s-1`, { headers: bearer("shop") })).status).toBe(200);
    expect((await fetch(`${url}/v1/sessions`)).status).toBe(401);
  });

  it("goes on from request to request, is listed, read and deleted", async () => {
    const { client, get } = await start();
    const headers = { "x-session-id": "s 1/u" };
    const say = async (user?: string) => (await client.chat.completions.create({ ...ask, messages: [...ask.messages], ...(user === undefined ? {} : { user }) }, { headers })).choices[0]?.message.content;
    // The prompt's own instruction stands before every conversation.
    expect([await say(), await say(), await say("ada"), await say()]).toEqual(["saw 2 [1]", "saw 4 [1]", "saw 2 [1]", "saw 6 [1]"]);
    const seconds = expect.closeTo(Date.now() / 1000, -2);
    expect(await get("/v1/sessions")).toEqual([200, { object: "list", data: [{ id: "s 1/u", object: "session", updated_at: seconds }], has_more: false, next: null }]);
    const id = encodeURIComponent("s 1/u");
    const [status, session] = await get(`/v1/sessions/${id}?user=ada`);
    expect([status, session]).toEqual([200, {
      id: "s 1/u", object: "session", expires_at: expect.closeTo(Date.now() / 1000 + 30 * 86_400, -2),
      turns: [{ id: expect.any(String), created_at: seconds, model: "support", status: "answered", messages: [{ role: "user", content: "What is the body limit?" }, { role: "assistant", content: "saw 2 [1]" }], citations: [{ number: 1, document: "docs/limits.md", headings: "Limits", chunk: "c-1", score: 0.9 }] }],
    }]);
    expect(await get(`/v1/sessions/${id}?user=ada`, "DELETE")).toEqual([200, { id: "s 1/u", object: "session.deleted", deleted: true }]);
    expect(await get(`/v1/sessions/${id}?user=ada`)).toMatchObject([404, { error: { code: "session_not_found", message: 'There is no session "s 1/u"' } }]);
    expect(await get(`/v1/sessions/${id}?user=ada`, "DELETE")).toMatchObject([404, { error: { code: "session_not_found" } }]);
    expect((await get(`/v1/sessions/${id}`))[0]).toBe(200);
  });

  it("is listed page by page", async () => {
    const { post, get } = await start();
    for (const id of ["c", "a", "b"]) await post(ask, { "x-session-id": id });
    expect(await get("/v1/sessions?limit=2")).toMatchObject([200, { data: [{ id: "a" }, { id: "b" }], has_more: true, next: "b" }]);
    expect(await get("/v1/sessions?limit=2&after=b")).toMatchObject([200, { data: [{ id: "c" }], has_more: false, next: null }]);
    expect(await get("/v1/sessions?limit=0&colour=red")).toMatchObject([400, { error: { message: expect.stringMatching(/limit.*colour: Unknown field/s) } }]);
  });

  it("takes the longest name there may be, and refuses what is none", async () => {
    const { post, get } = await start();
    const longest = "x".repeat(200);
    expect((await post(ask, { "x-session-id": longest })).status).toBe(200);
    expect((await get(`/v1/sessions/${longest}`))[0]).toBe(200);
    const wide = encodeURIComponent("日".repeat(200));
    expect((await get(`/v1/sessions/${wide}`))[0]).toBe(404);
    const refused = await post(ask, { "x-session-id": `${longest}x` });
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: "invalid_session", param: "session" } }]);
  });

  it("is refused by an agent that keeps none, which says what to declare", async () => {
    const clock = movableClock();
    const { post, url } = await startServer(runtimeOf(counting(), clock, keeping({ clock, session: false })));
    const response = await post(ask, { "x-session-id": "s-1" });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "invalid_request", message: expect.stringContaining("declare `session: true` under agents.support") } }]);
    expect(await (await fetch(`${url}/v1/sessions`)).json()).toMatchObject({ error: { message: expect.stringContaining("No agent of this release keeps conversations") } });
  });

  it("answers 409 with Retry-After while another turn is being answered, and ends a stream with why it failed", async () => {
    const clock = movableClock();
    const sessions = openMemorySessions();
    const runtime = runtimeOf(openAgent(scriptedModel((request) => saysAndHangs("a", request))), clock, keeping({ clock, sessions, waitMs: 20 }));
    const { post, url } = await startServer(runtime);
    const reader = (await post({ ...ask, stream: true }, { "x-session-id": "s-1" })).body?.getReader();
    await reader?.read();
    const busy = await post(ask, { "x-session-id": "s-1" });
    expect([busy.status, busy.headers.get("retry-after"), await busy.json()]).toMatchObject([409, "1", { error: { code: "session_busy" } }]);
    await fetch(`${url}/v1/sessions/s-1`, { method: "DELETE" });
    await reader?.cancel();
    // The partial answer is counted.
    await expect.poll(() => runtime.events).toMatchObject([{ "gen_ai.usage.output_tokens": 1, "twelve.usage.estimated": true, "twelve.aborted": true }]);
  });

  it("is free when the client of a stream goes away", async () => {
    let asked = 0;
    const { post, get, runtime } = await start(openAgent(scriptedModel((request) => ((asked += 1) === 1 ? saysAndHangs("a", request) : says("b")))));
    const reader = (await post({ ...ask, stream: true }, { "x-session-id": "s-1" })).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    expect((await post(ask, { "x-session-id": "s-1" })).status).toBe(200);
    expect(await get("/v1/sessions/s-1")).toMatchObject([200, { turns: [{ status: "left" }, { status: "answered" }] }]);
    expect(runtime.events).toMatchObject([{ "twelve.aborted": true, "gen_ai.usage.output_tokens": 1 }, { "twelve.aborted": false }]);
  });

  it("fails as the state service does, and leaves requests without a session alone", async () => {
    const clock = movableClock();
    const away = { ...openMemorySessions(), read: () => Promise.reject(new TwelveError("SERVICE_UNAVAILABLE", "redis://state cannot be reached", { retry: { afterMs: null } })) };
    const { post } = await startServer(runtimeOf(counting(), clock, keeping({ clock, sessions: away })));
    const response = await post(ask, { "x-session-id": "s-1" });
    expect([response.status, response.headers.get("retry-after"), await response.json()]).toMatchObject([503, "1", { error: { code: "service_unavailable" } }]);
    expect((await post(ask)).status).toBe(200);
  });
});

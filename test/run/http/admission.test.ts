import { describe, expect, it } from "vitest";
import { type ApiKey, hashOfKey } from "../../../src/config/api-key.ts";
import { TwelveError } from "../../../src/core/errors.ts";
import { openKeyRing } from "../../../src/run/http/key.ts";
import { fixedClock } from "../../helpers/context.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";
import { ask, openTestServer, startServer } from "./fixture.ts";

const answering = () => runtimeOf(openAgent(scriptedModel(() => says("yes"))));
const keyOf = (name: string): string => `tw_${name.padEnd(43, "x")}`;
const record = (name: string, change: Partial<ApiKey> = {}): ApiKey => ({ name, sha256: hashOfKey(keyOf(name)).toString("hex"), ...change });

/** With the keys `all`, `searcher` (other scopes), `old` (expired) and `slow` (2 requests a minute). */
async function guarded({ instances = 1, isExposed = true } = {}) {
  let nowMs = 0;
  const records = [record("all"), record("chatter", { scopes: ["chat"] }), record("searcher", { scopes: ["search", "metrics"] }), record("old", { expires: "2025-12-31" }), record("slow", { requestsPerMinute: 2 })];
  const keys = openKeyRing(records, { instances, nowMs: () => nowMs });
  const runtime = answering();
  const server = await startServer(runtime, { access: { keys, isHostChecked: false }, isExposed, clock: { ...fixedClock(), monotonicMs: () => nowMs } });
  const get = (path: string, headers: Record<string, string> = {}): Promise<Response> => fetch(`${server.url}${path}`, { headers });
  const bearer = (name: string) => ({ authorization: `Bearer ${keyOf(name)}` });
  return { ...server, runtime, get, bearer, wait: (ms: number) => (nowMs += ms) };
}

describe("a server with API keys", () => {
  it("takes a key as a bearer token, in any case of the word, and as X-Api-Key", async () => {
    const { post } = await guarded();
    const headers = [{ authorization: `Bearer ${keyOf("all")}` }, { authorization: `bearer  ${keyOf("all")}` }, { "x-api-key": keyOf("all") }, { authorization: "Basic YTpi", "x-api-key": keyOf("all") }];
    expect(await Promise.all(headers.map(async (each) => (await post(ask, each)).status))).toEqual([200, 200, 200, 200]);
  });

  it.each([
    ["no key", {}, "api_key_missing"],
    ["an empty one", { authorization: "Bearer " }, "api_key_missing"],
    ["another scheme", { authorization: `Basic ${keyOf("all")}` }, "api_key_missing"],
    ["a wrong key", { authorization: `Bearer ${keyOf("other")}` }, "invalid_api_key"],
    ["the hash of a key", { authorization: `Bearer ${record("all").sha256}` }, "invalid_api_key"],
    ["an expired key", { authorization: `Bearer ${keyOf("old")}` }, "invalid_api_key"],
  ] as const)("refuses %s with 401, in OpenAI's shape and without a word of what was sent", async (_, headers, code) => {
    const { post, lines, runtime } = await guarded();
    const response = await post(ask, headers);
    const text = await response.text();
    expect([response.status, response.headers.get("www-authenticate"), JSON.parse(text)]).toMatchObject([401, "Bearer", { error: { type: "invalid_request_error", code, param: null, trace_id: response.headers.get("x-trace-id") } }]);
    expect(text).not.toContain("xxx");
    expect(lines.join("\n")).not.toContain("xxx");
    expect(runtime.events).toEqual([]);
  });

  it("writes whom it refused and why to the log, but not as often as a stranger likes", async () => {
    const { post, get, bearer, lines, wait } = await guarded();
    await post(ask, bearer("searcher"));
    await get("/nowhere/at/all");
    const events = lines.map((line) => JSON.parse(line) as object);
    expect(events).toEqual([
      { event: "request-refused", trace_id: expect.stringMatching(/^[0-9a-f]{32}$/), "http.request.method": "POST", "http.route": "/v1/chat/completions", "http.response.status_code": 403, "error.type": "SCOPE_MISSING", "error.message": expect.stringContaining("The API key searcher"), "twelve.refused.omitted": 0 },
      expect.objectContaining({ "http.request.method": "GET", "http.route": null, "error.type": "KEY_MISSING" }),
    ]);
    for (let times = 0; times < 30; times++) await get("/v1/models");
    expect(lines).toHaveLength(20);
    wait(1000);
    await get("/v1/models");
    expect(lines).toHaveLength(21);
    expect(JSON.parse(lines[20] ?? "")).toMatchObject({ "twelve.refused.omitted": 12 });
  });

  it("writes the name of the key that asked beside each answer, and never the key", async () => {
    const { post, bearer, runtime } = await guarded();
    await post(ask, bearer("chatter"));
    expect(runtime.events).toMatchObject([{ "twelve.key.name": "chatter" }]);
    expect(JSON.stringify(runtime.events)).not.toContain("xxx");
  });

  it("lets a key do what its scopes say, and nothing that no scope covers", async () => {
    const { post, get, bearer } = await guarded();
    expect((await post(ask, bearer("chatter"))).status).toBe(200);
    const refused = await post(ask, bearer("searcher"));
    expect([refused.status, await refused.json()]).toMatchObject([403, { error: { code: "scope_missing", message: "The API key searcher may not do this: it needs the scope chat" } }]);
    expect((await get("/v1/models", bearer("searcher"))).status).toBe(200);
    expect((await get("/v1/models")).status).toBe(401);
    expect([(await get("/nowhere")).status, (await get("/nowhere", bearer("searcher"))).status]).toEqual([401, 404]);
  });

  it("reads the scope off the route that is taken, however its path is written", async () => {
    const { url, bearer } = await guarded();
    const response = await fetch(`${url}/v1/%63hat/completions`, { method: "POST", headers: { "content-type": "application/json", ...bearer("searcher") }, body: JSON.stringify(ask) });
    expect(response.status).toBe(403);
  });

  it("answers probes without a key, and tells who may see it what they found", async () => {
    const { get, bearer } = await guarded();
    expect((await get("/livez")).status).toBe(200);
    expect(await (await get("/readyz")).json()).toEqual({ status: "ok" });
    expect(await (await get("/readyz", bearer("old"))).json()).toEqual({ status: "ok" });
    expect(await (await get("/readyz", bearer("searcher"))).json()).toMatchObject({ status: "ok", checks: { release: { status: "ok" } } });
    const { get: getLocal } = await guarded({ isExposed: false });
    expect(await (await getLocal("/readyz")).json()).toEqual({ status: "ok" });
    expect(await (await getLocal("/readyz", bearer("all"))).json()).toMatchObject({ checks: { release: {} } });
  });

  it.each(["x-forwarded-for", "forwarded", "via", "x-real-ip"])("tells a stranger whose %s shows a proxy of this machine no more than the status, without keys too", async (header) => {
    const { url } = await startServer(answering());
    const response = await fetch(`${url}/readyz`, { headers: { [header]: "203.0.113.7" } });
    expect([response.status, await response.json()]).toEqual([200, { status: "ok" }]);
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ checks: { release: {} } });
  });

  it.each([
    ["through a proxy of this machine", { host: "localhost", "x-forwarded-for": "203.0.113.7" }],
    ["for another host, which a page had made to point here", { host: "evil.example:3000" }],
  ])("does not tell a stranger who asks %s what the server waits for while it starts", async (_, headers) => {
    const { app } = await openTestServer(answering(), { access: "unknown", notReady: () => new TwelveError("PROCESS_NOT_READY", "postgres://db.internal does not answer") });
    const told = async (given: Record<string, string>): Promise<string> => (await app.inject({ method: "POST", url: "/v1/chat/completions", headers: given, payload: ask })).json<{ error: { message: string } }>().error.message;
    expect(await told(headers)).toBe("The server cannot answer yet");
    expect(await told({ host: "localhost:3000" })).toBe("postgres://db.internal does not answer");
    expect((await app.inject({ url: "/readyz", headers })).json()).toEqual({ status: "ok" });
    expect((await app.inject({ url: "/readyz" })).json()).toHaveProperty("checks");
  });

  it("tells a stranger for another host no more than the status when it has started, too", async () => {
    const { app } = await openTestServer(answering());
    expect((await app.inject({ url: "/readyz", headers: { host: "evil.example" } })).json()).toEqual({ status: "ok" });
    const { app: behindProxy } = await openTestServer(answering(), { access: { isHostChecked: false } });
    expect((await behindProxy.inject({ url: "/readyz", headers: { host: "app.example" } })).json()).toHaveProperty("checks");
  });

  it("shows the page's data, frozen settings of every release, to keys with the scope ui alone", async () => {
    const records = [record("chatter", { scopes: ["chat"] }), record("maker", { scopes: ["ui"] })];
    const ui = { overview: () => Promise.resolve({ app: "a", environment: "staging", served: 1, agents: [], releases: [] }), release: () => Promise.reject(new Error("not asked")), answer: () => { throw new Error("not asked"); }, close: () => Promise.resolve() };
    const { url } = await startServer(answering(), { access: { keys: openKeyRing(records, { instances: 1, nowMs: () => 0 }) }, ui });
    const statuses = async (name: string) => Promise.all(["/ui/releases", "/ui/releases/1"].map(async (path) => (await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${keyOf(name)}` } })).status));
    expect([await statuses("chatter"), await statuses("maker")]).toEqual([[403, 403], [200, 500]]);
  });

  it("works with the official client, which throws what it should", async () => {
    const { client } = await guarded();
    const body = { ...ask, messages: [...ask.messages] };
    await expect(client.chat.completions.create(body)).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
    expect(await client.chat.completions.create(body, { headers: { authorization: `Bearer ${keyOf("all")}` } })).toMatchObject({ object: "chat.completion" });
  });

  it("counts the requests of a key under OpenAI's names, and answers 429 until there is room", async () => {
    const { post, bearer, wait } = await guarded();
    const limits = ({ headers }: Response) => ["limit", "remaining", "reset"].map((name) => headers.get(`x-ratelimit-${name}-requests`));
    expect(limits(await post(ask, bearer("slow")))).toEqual(["2", "1", "30s"]);
    expect(limits(await post(ask, bearer("slow")))).toEqual(["2", "0", "1m0s"]);
    const refused = await post(ask, bearer("slow"));
    expect([refused.status, refused.headers.get("retry-after"), limits(refused), await refused.json()]).toMatchObject([429, "30", ["2", "0", "1m0s"], { error: { type: "requests", code: "rate_limit_exceeded" } }]);
    expect((await post(ask, bearer("all"))).status).toBe(200);
    wait(30_000);
    expect((await post(ask, bearer("slow"))).status).toBe(200);
    expect(limits(await post(ask, bearer("all")))).toEqual([null, null, null]);
  });

  it("gives each of several processes its share of the limit", async () => {
    const { post, bearer } = await guarded({ instances: 2 });
    expect([(await post(ask, bearer("slow"))).status, (await post(ask, bearer("slow"))).status]).toEqual([200, 429]);
  });

  it("refuses everything but probes for as long as it does not know its keys", async () => {
    const { url, post } = await startServer(answering(), { access: "unknown", isExposed: true });
    const refused = await post(ask, { authorization: `Bearer ${keyOf("all")}` });
    expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: "not_ready" } }]);
    expect([(await fetch(`${url}/v1/models`)).status, (await fetch(`${url}/livez`)).status]).toEqual([503, 200]);
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: "ok" });
  });
});

describe("pages in a browser", () => {
  const page = (origin: string) => ({ origin });
  const preflight = (url: string, origin: string, more: Record<string, string> = {}): Promise<Response> =>
    fetch(`${url}/v1/chat/completions`, { method: "OPTIONS", headers: { origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type,x-stainless-os", ...more } });

  it("may not use a server without keys from another origin", async () => {
    const runtime = answering();
    const { url, post } = await startServer(runtime);
    for (const origin of ["https://evil.example", "null", "http://localhost:5173", "http://127.0.0.1"]) {
      const refused = await post(ask, page(origin));
      expect([refused.status, refused.headers.get("access-control-allow-origin"), await refused.json()]).toMatchObject([403, null, { error: { code: "origin_not_allowed" } }]);
    }
    expect((await preflight(url, "https://evil.example")).status).toBe(403);
    expect(runtime.events).toEqual([]);
    expect((await post(ask, page(url))).status).toBe(200);
  });

  it("may use it from an origin that is listed, after a preflight without a key", async () => {
    const origins = ["https://app.example"];
    const keys = openKeyRing([record("all")], { instances: 1, nowMs: () => 0 });
    const { url, post } = await startServer(answering(), { access: { keys, origins } });
    const allowed = await preflight(url, "https://app.example");
    expect([allowed.status, Object.fromEntries(allowed.headers)]).toMatchObject([204, { "access-control-allow-origin": "https://app.example", "access-control-allow-headers": "authorization,content-type,x-stainless-os", "access-control-allow-methods": "GET, POST, DELETE", vary: "Origin" }]);
    const answer = await post(ask, { ...page("https://app.example"), authorization: `Bearer ${keyOf("all")}` });
    expect([answer.status, answer.headers.get("access-control-allow-origin"), answer.headers.get("access-control-expose-headers")]).toEqual([200, "https://app.example", expect.stringContaining("x-trace-id")]);
    // A page has to be able to read why it was refused, and what a stream says.
    expect((await post(ask, page("https://app.example"))).headers.get("access-control-allow-origin")).toBe("https://app.example");
    expect((await post({ ...ask, stream: true }, { ...page("https://app.example"), authorization: `Bearer ${keyOf("all")}` })).headers.get("access-control-allow-origin")).toBe("https://app.example");
    const other = await post(ask, { ...page("https://evil.example"), authorization: `Bearer ${keyOf("all")}` });
    expect([other.headers.get("access-control-allow-origin"), other.headers.get("vary")]).toEqual([null, "Origin"]);
    expect((await preflight(url, "https://evil.example")).status).toBe(403);
    // A cache must not give a page what it has from somebody who is none.
    expect((await fetch(`${url}/livez`)).headers.get("vary")).toBe("Origin");
  });

  it("may use it from anywhere where * is listed, and no header is sent where nothing is", async () => {
    const { url, post } = await startServer(answering(), { access: { origins: ["*"] } });
    expect((await post(ask, page("https://any.example"))).headers.get("access-control-allow-origin")).toBe("*");
    expect((await preflight(url, "https://any.example")).status).toBe(204);
    const { post: closed } = await startServer(answering());
    expect([...(await closed(ask)).headers.keys()].filter((name) => name.startsWith("access-control") || name === "vary")).toEqual([]);
  });
});

import { request } from "node:http";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ApiKey, hashOfKey } from "../../../src/config/api-key.ts";
import { openReranker } from "../../../src/adapters/registry.ts";
import { TwelveError } from "../../../src/core/errors.ts";
import type { CrossEncoder } from "../../../src/ports/rerank.ts";
import type { Access } from "../../../src/run/http/access.ts";
import { openKeyRing } from "../../../src/run/http/key.ts";
import { listen } from "../../../src/run/http/listen.ts";
import { trackTraffic } from "../../../src/run/http/traffic.ts";
import { openMetrics } from "../../../src/run/metrics/record.ts";
import { RerankRequest } from "../../../src/run/rerank/request.ts";
import { openRerankServer } from "../../../src/run/rerank/server.ts";
import { fixedClock } from "../../helpers/context.ts";
import { describeReranker } from "../../ports/rerank.contract.ts";

const wordsOf = (text: string): readonly string[] => text.toLowerCase().match(/[a-z]+/g) ?? [];

/** Scores by the words that question and text share. */
const overlap: CrossEncoder = {
  folder: "models/overlap", digest: "0123456789ab", dtype: "fp32", maxTokens: 512,
  load: () => Promise.resolve(),
  score: (query, texts, { isTruncated }) => {
    if (!isTruncated && texts.some((text) => text.length > 512)) return Promise.reject(new TwelveError("REQUEST_INVALID", "together have 600 tokens, and the model takes 512"));
    const asked = new Set(wordsOf(query));
    return Promise.resolve(texts.map((text) => [...new Set(wordsOf(text))].filter((word) => asked.has(word)).length - 2));
  },
};

/** As the process serves without keys on 127.0.0.1. */
const open: Access = { keys: null, origins: [], isHostChecked: true, bodyBytes: 2_000_000, answerMs: 600_000 };

async function start(model: Partial<CrossEncoder> = {}, access: Partial<Access> = {}) {
  const traffic = trackTraffic();
  const events: object[] = [];
  const app = await openRerankServer({
    model: { ...overlap, ...model }, traffic, metrics: openMetrics(), clock: fixedClock(), access: () => ({ ...open, ...access }), isExposed: access.keys !== undefined,
    notReady: () => new TwelveError("PROCESS_NOT_READY", "Not yet"), write: (event, fields) => events.push({ event, ...fields }), collectAll: (own) => Promise.resolve([own]),
  });
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  const post = async (body: unknown, headers: Record<string, string> = {}): Promise<readonly [number, unknown]> => {
    const response = await fetch(`${url}/rerank`, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: typeof body === "string" ? body : JSON.stringify(body) });
    return [response.status, await response.json()];
  };
  return { url, post, traffic, events };
}

// Our own client of text-embeddings-inference finds in it what it finds in the original.
describeReranker("a rerank process, asked by tei+http:,", async () => openReranker(`tei+${(await start()).url}`, { dir: "/", env: {} }));

const texts = ["nothing here", "the body limit is one", "a limit"];
const query = "what is the body limit";

describe("POST /rerank", () => {
  it("gives the best first, with a probability and the text's place", async () => {
    const { post } = await start();
    const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));
    expect(await post({ query, texts })).toEqual([200, [{ index: 1, score: sigmoid(2) }, { index: 2, score: sigmoid(-1) }, { index: 0, score: sigmoid(-2) }]]);
  });

  it("gives the texts and the model's own numbers to who asks for them", async () => {
    const { post } = await start();
    expect(await post({ query, texts, raw_scores: true, return_text: true })).toEqual([200, [{ index: 1, text: texts[1], score: 2 }, { index: 2, text: texts[2], score: -1 }, { index: 0, text: texts[0], score: -2 }]]);
  });

  it.each([
    ["no text", { query, texts: [] }, 413, "Validation", "`texts` cannot be empty"],
    ["more texts than a client may send at once", { query, texts: Array.from({ length: 33 }, () => "a") }, 413, "Validation", "batch size 33 > maximum allowed batch size 32"],
    ["very much that is no text", { query, texts: Array.from({ length: 500_000 }, () => 1) }, 413, "Validation", "batch size 500000 > maximum allowed batch size 32"],
    ["a pair that is too long and must not be cut", { query, texts: ["word ".repeat(600)], truncate: false }, 413, "Validation", "together have 600 tokens"],
    ["a body of another shape", { query, documents: texts }, 422, "Validation", "texts: "],
    ["an option that it does not have", { query, texts, truncation_direction: "left" }, 422, "Validation", "truncation_direction: "],
  ])("refuses %s as the original does", async (_, body, status, type, message) => {
    const { post } = await start();
    expect(await post(body)).toEqual([status, { error: expect.stringContaining(message), error_type: type }]);
  });

  it("does not look at the texts where there are too many", () => {
    let looks = 0;
    const many = Array.from({ length: 33 }, () => "a");
    Object.defineProperty(many, 0, { get: () => `${looks++}` });
    expect(RerankRequest.safeParse({ query, texts: many }).success).toBe(false);
    expect(looks).toBe(0);
    expect(RerankRequest.safeParse({ query, texts: many.slice(0, 32) }).success).toBe(true);
  });

  it("asks to come back when too much waits, and works on what it has", async () => {
    const { promise: goOn, resolve } = Promise.withResolvers<void>();
    let begun = 0;
    const { post } = await start({
      async score(_, asked) {
        begun++;
        await goOn;
        return asked.map(() => 0);
      },
    });
    const many = { query, texts: Array.from({ length: 32 }, () => "a") };
    const taken = Array.from({ length: 16 }, () => post(many));
    await expect.poll(() => begun).toBe(16);
    expect(await post({ query, texts: ["a"] })).toEqual([429, { error: "Model is overloaded", error_type: "Overloaded" }]);
    resolve();
    expect((await Promise.all(taken)).map(([status]) => status)).toEqual(taken.map(() => 200));
  });

  it("writes what it refuses to the log", async () => {
    const { post, events } = await start();
    expect((await post({ query, texts: [] }))[0]).toBe(413);
    expect(events).toMatchObject([{ event: "request-failed", "http.route": "/rerank", "http.response.status_code": 413, "error.type": "Validation", "error.message": "`texts` cannot be empty" }]);
  });

  it("says of a failure inside the model nothing but that, and reports it", async () => {
    const failure = new Error("/secret/path is broken");
    const { post, events } = await start({ score: () => Promise.reject(failure) });
    expect(await post({ query, texts })).toEqual([424, { error: "Inference failed", error_type: "Backend" }]);
    expect(events).toMatchObject([{ event: "request-failed", "error.type": "Error", "exception.stacktrace": expect.stringContaining("/secret/path is broken") }]);
  });
});

describe("who may ask", () => {
  const key = `tw_${"web".padEnd(43, "x")}`;
  const record = (name: string, change: Partial<ApiKey> = {}): ApiKey => ({ name, sha256: hashOfKey(key).toString("hex"), ...change });
  const keyed = (change?: Partial<ApiKey>) => start({}, { isHostChecked: false, keys: openKeyRing([record("web", change)], { instances: 1, nowMs: () => 0 }) });

  it("is who has a key with the scope, and our own client sends it", async () => {
    const { url, post } = await keyed({ scopes: ["rerank"] });
    const reranker = await openReranker(`tei+${url}`, { dir: "/", env: { RERANKER_API_KEY: key } });
    expect(await reranker.rerank("body limit", ["body limit", "nothing"])).toEqual([0.5, expect.closeTo(0.119, 3)]);
    await expect(openReranker(`tei+${url}`, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
    expect(await post({ query, texts })).toMatchObject([401, { error: { code: "api_key_missing", trace_id: expect.any(String) } }]);
    expect([(await fetch(`${url}/health`)).status, (await fetch(`${url}/metrics`)).status]).toEqual([200, 401]);
  });

  it("is not who has a key for something else", async () => {
    const { post } = await keyed({ scopes: ["chat", "search"] });
    expect(await post({ query, texts }, { authorization: `Bearer ${key}` })).toMatchObject([403, { error: { code: "scope_missing", message: expect.stringContaining("it needs the scope rerank") } }]);
  });

  it("is no page of another origin, and nobody who calls this machine by another name", async () => {
    const { url, post } = await start();
    expect(await post({ query, texts }, { origin: "https://evil.example" })).toMatchObject([403, { error: { code: "origin_not_allowed" } }]);
    const { hostname, port } = new URL(url);
    const rebound = await new Promise<number | undefined>((resolve, reject) => {
      request({ hostname, port, path: "/info", headers: { host: "rebound.example" } }, ({ statusCode }) => resolve(statusCode)).on("error", reject).end();
    });
    expect(rebound).toBe(403);
  });

  it.each([
    ["a body that is no JSON", "{", {}, 400, "invalid_request"],
    ["a body of another type", "query=a", { "content-type": "text/plain" }, 415, "unsupported_media_type"],
    ["a body that is too large", JSON.stringify({ query, texts: ["a".repeat(2_000_000)] }), {}, 413, "request_too_large"],
  ])("has %s refused as every server of ours does", async (_, body, headers, status, code) => {
    const { post } = await start();
    expect(await post(body, headers)).toMatchObject([status, { error: { code, trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) } }]);
  });
});

describe("what the server says of itself", () => {
  it("is the original's /info and /health", async () => {
    const { url } = await start();
    expect(await (await fetch(`${url}/info`)).json()).toMatchObject({ model_id: "models/overlap", model_sha: "0123456789ab", model_dtype: "fp32", model_type: { reranker: {} }, max_input_length: 512, max_client_batch_size: 32, auto_truncate: true, version: expect.stringMatching(/^\d/) });
    expect((await fetch(`${url}/health`)).status).toBe(200);
  });

  it("is what every server of ours says to probes, and which model it is to who may know", async () => {
    const { url, traffic } = await start();
    const look = async (headers: Record<string, string> = {}) => (await fetch(`${url}/readyz`, { headers })).json();
    expect(await (await fetch(`${url}/livez`)).json()).toEqual({ status: "ok" });
    expect(await look()).toEqual({ status: "ok", checks: { model: { status: "ok", detail: "models/overlap (0123456789ab)" } } });
    expect(await look({ "x-forwarded-for": "203.0.113.7" })).toEqual({ status: "ok" });
    void traffic.drain(1000);
    expect(await look({ "x-forwarded-for": "203.0.113.7" })).toEqual({ status: "draining" });
  });

  it("turns to 503 when it stops", async () => {
    const { url, traffic } = await start();
    void traffic.drain(1000);
    const response = await fetch(`${url}/health`);
    expect([response.status, await response.json()]).toEqual([503, { error: "unhealthy", error_type: "Unhealthy" }]);
  });

  it("counts what is asked of it", async () => {
    const { url, post } = await start();
    await post({ query, texts });
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('twelve_http_requests_total{method="POST",route="/rerank",status="200"} 1');
  });
});

import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import type { OpenedRuntime } from "../../src/run/apply.ts";
import type { RuntimePart } from "../../src/run/health.ts";
import { openInBackground, type Opening } from "../../src/run/opening.ts";
import type { AnswerRequest } from "../../src/run/schema.ts";
import { testContext, type TestContext } from "../helpers/context.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "./fixture.ts";

const away = new TwelveError("SERVICE_UNAVAILABLE", "tei+http://127.0.0.1:8080: nothing answers", { retry: { afterMs: null } });
const question: AnswerRequest = { agent: "support", messages: [{ role: "user", content: "What is the body limit?" }], variables: {}, isStream: false, traceId: "0".repeat(32) };
const opened = (): OpenedRuntime => runtimeOf(openAgent(scriptedModel(() => says("1 MiB"))));

async function opening(open: Opening["open"], change: Partial<Opening> = {}) {
  const stop = new AbortController();
  onTestFinished(() => stop.abort());
  const context: TestContext = await testContext({ dir: "/", signal: stop.signal });
  const runtime = openInBackground(context, { open, known: () => ({ name: "v3", agents: ["support"] }), store: "s3://bucket", random: () => 0, shortestWaitMs: 1, ...change });
  return { runtime, stop };
}

describe("openInBackground", () => {
  it("asks again until everything is there, and then answers", async () => {
    let attempts = 0;
    const { runtime } = await opening(async () => {
      attempts++;
      if (attempts < 4) throw away;
      return opened();
    });
    await runtime.opened;
    expect(attempts).toBe(4);
    expect(await runtime.check()).toEqual([{ name: "release", isReady: true, detail: "v3" }]);
    expect(await Array.fromAsync(runtime.answer(question))).toHaveLength(2);
  });

  it("says which part is missing and why, and refuses requests for as long", async () => {
    const { runtime } = await opening(async (_, { onPartFailed }) => {
      onPartFailed("index docs", away);
      throw away;
    }, { shortestWaitMs: 60_000 });
    await new Promise<void>((resolve) => runtime.onWaiting(() => resolve()));
    expect(await runtime.check()).toEqual([
      { name: "release", isReady: true, detail: "v3" },
      { name: "index docs", isReady: false, detail: expect.stringMatching(/^tei\+http:\/\/127\.0\.0\.1:8080: nothing answers; asked once in \d+ s, and again soon$/), failure: away },
    ]);
    expect(() => runtime.answer(question)).toThrow(expect.objectContaining({ code: "PROCESS_NOT_READY", message: "The server cannot answer yet. It waits for index docs: tei+http://127.0.0.1:8080: nothing answers", retry: { afterMs: 60_000 } }));
    expect(() => runtime.kept()).toThrow(expect.objectContaining({ code: "PROCESS_NOT_READY", retry: { afterMs: 60_000 } }));
    expect(() => runtime.answer({ ...question, agent: "nobody" })).toThrow(expect.objectContaining({ code: "AGENT_UNKNOWN" }));
  });

  it("says whom it waits for before the first answer comes", async () => {
    const { runtime } = await opening(async (context) => {
      await context.openEmbedder("hash:0");
      throw away;
    });
    void runtime.opened.catch(() => {});
    expect(await runtime.check()).toMatchObject([{ name: "release", isReady: false, detail: expect.stringMatching(/^v3 is being opened, for 0 s by now; waiting for hash:0$/) }]);
  });

  it("asks at once when somebody asks for its readiness, but no sooner than it may", async () => {
    let attempts = 0;
    const { runtime } = await opening(async () => {
      attempts++;
      if (attempts < 2) throw away;
      return opened();
    }, { random: () => 1, shortestWaitMs: 20 });
    await new Promise<void>((resolve) => runtime.onWaiting(() => resolve()));
    await runtime.check();
    await runtime.opened;
    expect(attempts).toBe(2);
  });

  it.each([
    new TwelveError("EMBEDDER_DRIFTED", "another model"),
    new TwelveError("CONFIG_DRIFTED", "another value"),
    new TwelveError("BLOB_NOT_FOUND", "gone"),
    new TwelveError("SERVICE_UNSUPPORTED", "unknown scheme"),
    new TwelveError("SERVICE_UNAUTHENTICATED", "no key"),
    new TypeError("a bug"),
  ])("gives up at once for what stays wrong: $code", async (failure) => {
    const open = vi.fn<Opening["open"]>(() => Promise.reject(failure));
    const { runtime } = await opening(open);
    await expect(runtime.opened).rejects.toBe(failure);
    expect(open).toHaveBeenCalledTimes(1);
  });

  it("looks at every part once it is open, and ends where credentials are refused: a model was not asked before", async () => {
    const seen = (failure: TwelveError, isReady = false): OpenedRuntime => ({ ...opened(), check: () => Promise.resolve([{ name: "release", isReady: true, detail: "v3" }, { name: "model a:1", isReady, detail: failure.message, failure }]) });
    const noKey = new TwelveError("SERVICE_UNAUTHENTICATED", "a:1 needs a key");
    const { runtime } = await opening(() => Promise.resolve(seen(noKey)));
    await expect(runtime.opened).rejects.toBe(noKey);
    // What may pass is waited for, and so is a key that another model makes up for.
    for (const open of [seen(away), seen(new TwelveError("SERVICE_DENIED", "not yet")), seen(noKey, true)]) {
      const { runtime: waiting } = await opening(() => Promise.resolve(open));
      await waiting.opened;
      expect(await waiting.check()).toMatchObject([{}, { name: "model a:1" }]);
    }
  });

  it("ends an attempt whose service never answers, and gives the next one twice the time", async () => {
    const server = createServer(() => {}).listen(0, "127.0.0.1");
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const { runtime } = await opening(async (context) => {
      await context.openReranker(`tei+http://127.0.0.1:${port}`);
      return opened();
    }, { firstLimitMs: 50 });
    const told: (readonly RuntimePart[])[] = [];
    runtime.onWaiting((parts) => told.push(parts));
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(2), { timeout: 5000 });
    const detail = (seconds: number): unknown => expect.stringContaining(`tei+http://127.0.0.1:${port} did not answer within ${seconds} s`);
    expect(told.slice(0, 3)).toMatchObject([0.05, 0.1, 0.2].map((seconds) => [{}, { name: "release v3", detail: detail(seconds) }]));
  });

  it("says that it waits for the release itself, whoever is asked for, until the store has named it", async () => {
    let found: { readonly name: string; readonly agents: readonly string[] } | undefined;
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const gone = new TwelveError("SERVICE_UNAVAILABLE", "s3://bucket cannot be reached", { retry: { afterMs: null } });
    const { runtime } = await opening(async () => {
      await answered;
      if (found === undefined) throw gone;
      return opened();
    }, { known: () => found, shortestWaitMs: 20 });
    expect(await runtime.check()).toEqual([{ name: "release", isReady: false, detail: "being looked up in s3://bucket, for 0 s by now" }]);
    answer();
    await new Promise<void>((resolve) => runtime.onWaiting(() => resolve()));
    expect(await runtime.check()).toEqual([{ name: "release", isReady: false, detail: expect.stringMatching(/^s3:\/\/bucket cannot be reached; asked /), failure: gone }]);
    expect([runtime.agents, runtime.indexes]).toEqual([[], []]);
    expect(() => runtime.answer({ ...question, agent: "nobody" })).toThrow(expect.objectContaining({ code: "PROCESS_NOT_READY", message: expect.stringContaining("s3://bucket cannot be reached") }));
    await expect(runtime.search({ index: "docs", question: "x" })).rejects.toMatchObject({ code: "PROCESS_NOT_READY" });
    await expect(runtime.embed({ index: "docs", texts: ["x"], task: "query" })).rejects.toMatchObject({ code: "PROCESS_NOT_READY" });
    found = { name: "v3", agents: ["support"] };
    await runtime.opened;
    expect([runtime.agents, runtime.indexes]).toEqual([["support"], ["docs"]]);
    expect(await runtime.search({ index: "docs", question: "x" })).toMatchObject({ agent: "support" });
    expect(await runtime.embed({ index: "docs", texts: ["x"], task: "query" })).toHaveLength(1);
    expect(await Array.fromAsync(runtime.answer(question))).toHaveLength(2);
  });

  it("ends with the process, and closes what is opened after that", async () => {
    const { runtime, stop } = await opening(() => Promise.reject(away), { shortestWaitMs: 60_000 });
    await new Promise<void>((resolve) => runtime.onWaiting(() => resolve()));
    const reason = new Error("interrupted");
    stop.abort(reason);
    await expect(runtime.opened).rejects.toBe(reason);

    const late = { ...opened(), close: vi.fn<OpenedRuntime["close"]>(() => Promise.resolve()) };
    const { promise, resolve } = Promise.withResolvers<OpenedRuntime>();
    const slow = await opening(() => promise);
    await slow.runtime.close();
    resolve(late);
    await slow.runtime.opened;
    expect(late.close).toHaveBeenCalledTimes(1);
  });
});

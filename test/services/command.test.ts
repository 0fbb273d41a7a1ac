import { describe, expect, it, onTestFinished } from "vitest";
import { askServices } from "../../src/services/apply.ts";
import command from "../../src/services/command.ts";
import { fixedClock, temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { startTeiServer, type TeiServerOptions } from "../helpers/tei-server.ts";
import type { ServiceServer } from "../helpers/service-server.ts";
import { makeRelease, manifest, writeFiles } from "../run/release.ts";

async function teiServer(options: TeiServerOptions = {}): Promise<ServiceServer> {
  const server = await startTeiServer(options);
  onTestFinished(() => server.close());
  return server;
}

const check = async (context: TestContext, input: object = {}) => command.run(command.input.parse({ env: "staging", ...input }), context);

/** v1 in staging: an index behind a TEI server, one reranker for both agents, and a worker whose queue is nowhere. */
async function released(): Promise<{ readonly context: TestContext; readonly embedder: ServiceServer; readonly reranker: ServiceServer }> {
  const [embedder, reranker] = await Promise.all([teiServer(), teiServer({ model: "reranker" })]);
  const text = manifest
    .replace('"hash:64"', `"tei+${embedder.url}"`)
    .replace('topK: "${TOP_K}" }', `topK: "\${TOP_K}", reranker: "tei+${reranker.url}" }`)
    .replace("chat: { prompt: chat, model: \"mock:echo\" }", `chat: { prompt: chat, model: "mock:echo" }\n  again: { prompt: answer, model: "mock:echo", retrieve: { index: docs, reranker: "tei+${reranker.url}" } }`)
    .replace('"postgres://localhost/state"', '"pglite:.twelve/state"');
  const context = await testContext({ dir: await temporaryFolder() });
  await makeRelease(context, text);
  return { context, embedder, reranker };
}

describe("twelve services check", () => {
  it("asks everything that the active release needs, each service once, and says what it said", async () => {
    const { context, embedder, reranker } = await released();
    const before = embedder.requests.length;
    const output = await check(context);
    expect(output).toMatchObject({ app: "handbook", environment: "staging", release: 1 });
    expect(output.services.map(({ service, url, isReachable, version, detail, problem }) => [service, url, isReachable, version, detail, problem])).toEqual([
      ["model of agents again, chat", "mock:echo", true, null, null, null],
      ["model of agent support", "mock:extractive", true, null, null, null],
      ["embedder of index docs", `tei+${embedder.url}`, true, "1.8.2", "64 dimensions", null],
      ["reranker of agents again, support", `tei+${reranker.url}`, true, "1.8.2", "BAAI/bge-reranker-base", null],
      ["vectors of index docs", "lance:", true, expect.stringMatching(/^\d+\.\d+/), "in this process", null],
      ["state: index jobs", "pglite:.twelve/state", true, null, "made at first use", null],
      ["store", "memory:", true, null, null, null],
      ["configuration source", "dotenv:.env", true, null, null, null],
    ]);
    expect(output.services.every(({ latencyMs }) => latencyMs !== null && latencyMs >= 0)).toBe(true);
    // The server describes itself and its vectors when it is opened, and embeds one word to be asked.
    expect(embedder.requests.slice(before).map(({ path }) => path)).toEqual(["/info", "/embed", "/embed"]);
    expect(command.verdict?.(output)).toBeUndefined();
  });

  it("tells which service is away and why, beside those that answer, and ends with 6", async () => {
    const { context, embedder } = await released();
    await embedder.close();
    const output = await check(context);
    const { host } = new URL(embedder.url);
    expect(output.services.filter(({ isReachable }) => !isReachable)).toEqual([
      { service: "embedder of index docs", url: `tei+${embedder.url}`, isReachable: false, version: null, detail: null, lifecycle: null, latencyMs: null, problem: { code: expect.stringMatching(/^SERVICE_/), message: `tei+${embedder.url}: nothing answers at ${host}`, fix: expect.stringContaining("Start the server") } },
    ]);
    expect(command.verdict?.(output)).toEqual({ exit: 6, message: "1 of 8 services cannot be used" });
    expect(command.render(output, command.input.parse({}))).toContain(`\n\nembedder of index docs: tei+${embedder.url}: nothing answers at ${host}\n  Fix: Start the server`);
  });

  it("waits no longer for a service than it is told", async () => {
    const { context, embedder } = await released();
    embedder.faults.push("hang");
    const { services } = await check(context, { timeout: 0.1 });
    expect(services.find(({ service }) => service.startsWith("embedder"))?.problem).toMatchObject({ code: "SERVICE_TIMEOUT", message: `tei+${embedder.url} did not answer within 0.1 s` });
  });

  it("looks at twelve.yaml before there is a release, and tells what is not set instead of stopping at it", async () => {
    const context = await testContext({ dir: await temporaryFolder(), env: { STATE_URL: "postgres://user:p%2Fw@127.0.0.1:1/state?password=pw&sslmode=disable" } });
    const text = manifest.replace('CHAT_MODEL: { default: "mock:extractive" }', "CHAT_MODEL: {}").replace("API_KEY: { kind: secret, optional: true }", "API_KEY: { kind: secret }\n  SPARE_KEY: { kind: secret, optional: true }");
    await writeFiles(context.dir, { "twelve.yaml": text });
    const output = await check(context);
    expect(output.release).toBeNull();
    expect(output.services.map(({ service, isReachable }) => [service, isReachable])).toEqual([
      ["model of agent chat", true],
      ["embedder of index docs", true],
      ["vectors of index docs", true],
      ["state: index jobs", false],
      ["store", true],
      ["configuration source", true],
      ["configuration CHAT_MODEL", false],
      ["secret API_KEY", false],
    ]);
    expect(output.services.at(-1)).toMatchObject({ url: null, problem: { code: "CONFIG_INVALID", message: "staging does not have it", fix: "Set API_KEY in the process environment or dotenv:.env" } });
    expect(output.services[3]).toMatchObject({ url: "postgres://127.0.0.1:1/state?sslmode=disable", problem: { message: expect.stringContaining("ECONNREFUSED") } });
    const shown = JSON.stringify(output) + command.render(output, command.input.parse({}));
    expect(shown).not.toMatch(/p%2Fw|p\/w|password|user/);
  });

  it("looks at what a release made now would need with --next, whatever is active", async () => {
    const { context } = await released();
    const moved = await testContext({ dir: context.dir, store: await context.store(), env: { CHAT_MODEL: "mock:echo?latencyMs=1", STATE_URL: "postgres://127.0.0.1:1/next" } });
    const output = await check(moved, { next: true });
    expect(output.release).toBeNull();
    expect(output.services.filter(({ service }) => /^(model|state)/.test(service)).map(({ service, url, isReachable }) => [service, url, isReachable])).toEqual([
      ["model of agent support", "mock:echo?latencyMs=1", true],
      ["model of agents chat, again", "mock:echo", true],
      ["state: index jobs", "postgres://127.0.0.1:1/next", false],
    ]);
    expect(command.render(output, command.input.parse({}))).toMatch(/^handbook in staging, as twelve.yaml and the configuration stand now/);
    await expect(check(moved, { next: true, release: "v1" })).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });

  it.each([
    ["is not set", "CHAT_MODEL: {}", "configuration CHAT_MODEL"],
    ["is no URL", 'CHAT_MODEL: { default: "gpt" }', "support"],
  ])("hides no other service of an agent whose model %s", async (_, declared, row) => {
    const reranker = await teiServer({ model: "reranker" });
    const context = await testContext({ dir: await temporaryFolder(), env: { STATE_URL: "pglite:.twelve/state" } });
    const text = manifest
      .replace('CHAT_MODEL: { default: "mock:extractive" }', `${declared}\n  RERANKER: { default: "tei+${reranker.url}" }`)
      .replace('model: "${CHAT_MODEL}"', 'session: true, model: ["${CHAT_MODEL}", "mock:extractive"]')
      .replace('topK: "${TOP_K}" }', 'topK: "${TOP_K}", reranker: "${RERANKER}" }');
    await writeFiles(context.dir, { "twelve.yaml": text });
    const { services } = await check(context);
    expect(services.map(({ service, isReachable }) => [service, isReachable])).toEqual([
      ["model of agent support", true],
      ["model of agent chat", true],
      ["embedder of index docs", true],
      ["reranker of agent support", true],
      ["vectors of index docs", true],
      ["state: sessions", true],
      ["state: index jobs", true],
      ["store", true],
      ["configuration source", true],
      [row, false],
    ]);
  });

  it("hides no place of an index whose embedder is no URL", async () => {
    const context = await testContext({ dir: await temporaryFolder(), env: { STATE_URL: "pglite:.twelve/state" } });
    const text = manifest.replace('CHAT_MODEL: {', 'EMBEDDER: { default: "none" }\n  CHAT_MODEL: {').replace('"hash:64"', '"${EMBEDDER}"');
    await writeFiles(context.dir, { "twelve.yaml": text });
    const { services } = await check(context);
    expect(services.map(({ service }) => service)).toContain("vectors of index docs");
    expect(services.filter(({ isReachable }) => !isReachable)).toMatchObject([{ service: "docs", problem: { code: "CONFIG_INVALID" } }]);
  });

  it("does not count the opening of a store or a configuration source as their time to answer", async () => {
    let ms = 0;
    const context = await testContext({ dir: await temporaryFolder(), env: { STATE_URL: "pglite:.twelve/state" }, clock: { ...fixedClock(), monotonicMs: () => ms } });
    await writeFiles(context.dir, { "twelve.yaml": manifest, ".env": "" });
    const after = <Result>(passedMs: number, result: Result): Promise<Result> => {
      ms += passedMs;
      return Promise.resolve(result);
    };
    const store = await context.store();
    const source = await context.openConfig("dotenv:.env");
    const slow = { ...context, store: () => after(4000, { ...store, check: () => after(7, { version: null }) }), openConfig: () => after(4000, { ...source, check: () => after(7, { version: null }) }) };
    const needs = [{ role: "store", reference: "memory:", service: "store" }, { role: "config", reference: "dotenv:.env", service: "configuration source" }] as const;
    for (const need of needs) {
      expect(await askServices(slow, [need], { environment: "staging", secrets: {}, code: undefined, limitMs: 10_000, onAnswer: () => {} })).toMatchObject([{ isReachable: true, latencyMs: 7 }]);
    }
  });

  it("asks with the environment's secrets, and goes on without a configuration source that cannot be read", async () => {
    const server = await teiServer({ key: "ek-secret" });
    const text = manifest.replace('"hash:64"', `"tei+${server.url}"`).replace("API_KEY:", "EMBEDDER_API_KEY: { kind: secret }\n  API_KEY:");
    const context = await testContext({ dir: await temporaryFolder(), env: { STATE_URL: "pglite:.twelve/state" } });
    await writeFiles(context.dir, { "twelve.yaml": text, ".env": "EMBEDDER_API_KEY=ek-secret\n" });
    expect(command.verdict?.(await check(context))).toBeUndefined();

    await writeFiles(context.dir, { "twelve.yaml": text.replace("dotenv:.env", "dotenv:docs"), "docs/x.md": "" });
    const { services } = await check(context);
    expect(services.filter(({ isReachable }) => !isReachable).map(({ service, problem }) => [service, problem?.message])).toEqual([
      ["embedder of index docs", expect.stringContaining("answered 401")],
      ["configuration source", expect.stringContaining("docs cannot be read")],
      ["secret EMBEDDER_API_KEY", "staging does not have it"],
    ]);
  });

  it("says so where the store is away, and then looks at twelve.yaml", async () => {
    const { context, embedder } = await released();
    const store = await context.store();
    const { TwelveError } = await import("../../src/core/errors.ts");
    const away = (): Promise<never> => Promise.reject(new TwelveError("SERVICE_UNAVAILABLE", "s3://bucket cannot be reached", { retry: { afterMs: null } }));
    const broken = await testContext({ dir: context.dir, store: { ...store, refs: { ...store.refs, read: away, list: away }, check: away } });
    const output = await check(broken);
    expect(output.release).toBeNull();
    expect(output.services.filter(({ isReachable }) => !isReachable)).toMatchObject([{ service: "store", problem: { code: "SERVICE_UNAVAILABLE", message: "s3://bucket cannot be reached" } }]);
    expect(output.services.find(({ service }) => service.startsWith("embedder"))?.url).toBe(`tei+${embedder.url}`);
  });

  it("stays with the failure for what is no service: an unknown environment, a release that is not there", async () => {
    const { context } = await released();
    await expect(check(context, { env: "live" })).rejects.toMatchObject({ code: "ENVIRONMENT_UNKNOWN" });
    await expect(check(context, { release: "v9" })).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND" });
    expect((await check(context, { env: "production", release: "v1" })).release).toBe(1);
  });
});

import { readFile, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import OpenAI from "openai";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import type { Parent } from "../../src/ports/instance.ts";
import type { Store } from "../../src/ports/store.ts";
import type { ModelCallEvent } from "../../src/run/schema.ts";
import command from "../../src/run/command.ts";
import { commonReleaseOf, releaseVariable } from "../../src/run/common-release.ts";
import { findRelease } from "../../src/run/find.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { makeRelease, manifest, writeFiles } from "./release.ts";

async function releasedApp(text = manifest): Promise<TestContext> {
  const context = await testContext({ dir: await temporaryFolder() });
  await makeRelease(context, text);
  return context;
}

/** The same application in another process: with its own environment, output and signal. */
async function processOf(app: TestContext, env: Record<string, string> = {}) {
  const controller = new AbortController();
  const context = await testContext({ dir: app.dir, env, store: await app.store(), signal: controller.signal });
  const run = (input: object) => command.run(command.input.parse({ process: "web", env: "staging", ...input }), context);
  return { context, run, stop: () => controller.abort() };
}

/** A field that the official client does not know; it sends it all the same. */
const withVariables = (variables: Record<string, string>): object => ({ variables });

async function serving(app: TestContext, { env = {}, change = {} }: { env?: Record<string, string>; change?: Partial<TestContext> } = {}) {
  const controller = new AbortController();
  const own = await testContext({ dir: app.dir, env, store: await app.store(), signal: controller.signal });
  const context = { ...own, ...change };
  const ended = command.run(command.input.parse({ process: "web", env: "staging", port: 0 }), context);
  onTestFinished(() => {
    controller.abort();
    return ended.then(() => {}, () => {});
  });
  const isReady = async (): Promise<void> => {
    while (own.lines.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  await Promise.race([ended, isReady()]);
  const ready = JSON.parse(own.lines[0] ?? "{}") as { readonly url: string };
  return { context: own, ready, client: new OpenAI({ baseURL: `${ready.url}/v1`, apiKey: "none", maxRetries: 0 }), stop: () => controller.abort(), ended };
}

// oxlint-disable-next-line require-yield
async function* failing(failure: TwelveError): AsyncGenerator<never> {
  throw failure;
}

it("hides from a program how the processes of one twelve run find each other", async () => {
  const { context, run } = await processOf(await releasedApp(manifest.replace("command: exit 7", 'command: test -z "$TWELVE_INSTANCE$TWELVE_INSTANCE_RELEASE"')), { TWELVE_INSTANCE: "fail.1", TWELVE_INSTANCE_RELEASE: "{}" });
  expect(context.parent).toBeUndefined();
  expect(await run({ process: "fail" })).toMatchObject({ exitCode: 0 });
});

it("of an instance runs the release that it was told, also while twelve.yaml is being edited", async () => {
  const app = await releasedApp();
  const found = await findRelease(app, { environment: "staging", wanted: undefined, process: undefined });
  await writeFile(join(app.dir, "twelve.yaml"), "name: [");
  const parent: Parent = { name: "fail.1", send: () => Promise.resolve(), onMessage: () => {}, onStopAsked: () => {}, onLost: () => {} };
  const env = { [releaseVariable]: JSON.stringify(commonReleaseOf(found)) };
  expect(await command.run(command.input.parse({ process: "fail", env: "staging" }), { ...app, env, parent })).toMatchObject({ process: "fail", exitCode: 7 });
});

describe("twelve run", () => {
  it("serves the release's agents with cited answers, logs each call, and stops in good order", async () => {
    const app = await releasedApp();
    const { context, ready, client, stop, ended } = await serving(app);
    expect(ready).toMatchObject({ event: "server-ready", "twelve.app": "handbook", "twelve.environment": "staging", "twelve.release.number": 1, agents: ["support", "chat"] });
    expect(context.told).toEqual([expect.stringMatching(/^note Ready: http:\/\/127\.0\.0\.1:\d+ {2}release v1 \([0-9a-f]{12}\) {2}agents: support, chat$/), expect.stringContaining(`note Try it: curl ${ready.url}/v1/chat/completions`)]);

    const { choices, system_fingerprint } = await client.chat.completions.create({ model: "support", messages: [{ role: "user", content: "How large may the body of a request be?" }] });
    expect(choices[0]?.message).toMatchObject({ content: "The body of a request may be 1 MiB large. [1]", citations: [{ number: 1, document: "docs/limits.md", headings: "Limits" }] });
    expect(system_fingerprint).toMatch(/^v1-[0-9a-f]{12}$/);
    const event = JSON.parse(context.lines[1] ?? "{}") as ModelCallEvent;
    expect(event).toMatchObject({ event: "model-call-finished", "gen_ai.agent.name": "support", "gen_ai.provider.name": "mock", "gen_ai.request.model": "extractive", "twelve.cost.amount": 0, "twelve.index.ref": expect.stringMatching(/^sha256:/) });
    expect(event["gen_ai.retrieval.documents"]).toHaveLength(2);

    const readiness = await fetch(`${ready.url}/readyz`);
    expect([readiness.status, await readiness.json()]).toEqual([200, { status: "ok", checks: {
      release: { status: "ok", detail: "v1, every digest verified at start" },
      "index docs": { status: "ok", detail: "2 chunks of 2 documents; the embedder agreed to 1.0000 at start" },
      "embedder of index docs": { status: "ok", detail: "answers, 64 dimensions, computed in this process" },
      "model mock:extractive": { status: "ok", detail: "answers" },
      "model mock:echo": { status: "ok", detail: "answers" },
    } }]);

    stop();
    expect(await ended).toMatchObject({ process: "web", exitCode: 0 });
    expect(JSON.parse(context.lines.at(-1) ?? "{}")).toMatchObject({ event: "server-stopped", requests: 2 });
  });

  it("listens while the store is away, says so, and serves the release as soon as the store is back", async () => {
    const app = await releasedApp();
    const store = await app.store();
    let isAway = true;
    const away = (): Promise<never> => Promise.reject(new TwelveError("SERVICE_UNAVAILABLE", "s3://bucket cannot be reached", { retry: { afterMs: null } }));
    const flaky: Store = { ...store, refs: { ...store.refs, read: (name) => (isAway ? away() : store.refs.read(name)) } };
    const { context, ready: waiting, client } = await serving(app, { change: { store: () => Promise.resolve(flaky) } });
    expect(waiting).toMatchObject({ event: "server-not-ready", agents: [], checks: { release: expect.stringContaining("s3://bucket cannot be reached") } });
    const readiness = async (): Promise<readonly [number, unknown]> => {
      const answer = await fetch(`${waiting.url}/readyz`);
      return [answer.status, await answer.json()];
    };
    expect(await readiness()).toEqual([503, { status: "failed", checks: { release: { status: "failed", detail: expect.stringContaining("s3://bucket cannot be reached") } } }]);
    const ask = (): ReturnType<typeof client.chat.completions.create> => client.chat.completions.create({ model: "support", messages: [{ role: "user", content: "How large may the body of a request be?" }] });
    await expect(ask()).rejects.toMatchObject({ status: 503, message: expect.stringContaining("s3://bucket cannot be reached") });
    isAway = false;
    await vi.waitFor(async () => expect((await readiness())[0]).toBe(200), { timeout: 20_000, interval: 50 });
    expect(await ask()).toMatchObject({ system_fingerprint: expect.stringMatching(/^v1-[0-9a-f]{12}$/) });
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual(["support", "chat", "docs"]);
    expect(context.lines.map((line) => JSON.parse(line) as { readonly event: string })).toContainEqual(expect.objectContaining({ event: "server-ready", "twelve.release.number": 1, agents: ["support", "chat"] }));
  });

  it("refuses to start with a key that a model refuses, unless another model of the chain answers", async () => {
    const openModel: TestContext["openModel"] = async (...args) => {
      const model = await (await testContext({ dir: "/" })).openModel(...args);
      return args[0] === "mock:extractive" ? { ...model, check: () => Promise.reject(new TwelveError("SERVICE_UNAUTHENTICATED", "The key is wrong")) } : model;
    };
    await expect(serving(await releasedApp(), { change: { openModel } })).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", exit: 6 });
    const chained = await serving(await releasedApp(manifest.replace('model: "${CHAT_MODEL}"', 'model: ["${CHAT_MODEL}", "mock:echo"]')), { change: { openModel } });
    expect(chained.ready).toMatchObject({ event: "server-ready" });
  });

  it("starts unready while a model is away, and tells in its log what a request met, without being asked", async () => {
    const app = await releasedApp();
    const failure = new TwelveError("SERVICE_UNAVAILABLE", "nothing answers", { retry: { afterMs: null } });
    let isAway = true;
    const openModel: TestContext["openModel"] = async (...args) => {
      const model = await app.openModel(...args);
      return { ...model, check: () => (isAway ? Promise.reject(failure) : model.check()), generate: (request) => (isAway ? failing(failure) : model.generate(request)) };
    };
    const { context, ready, client } = await serving(app, { change: { openModel, clock: { ...app.clock, monotonicMs: () => performance.now() } } });
    expect(ready).toMatchObject({ event: "server-not-ready", checks: { "model mock:extractive": "nothing answers" } });
    const events = (): readonly string[] => context.lines.map((line) => (JSON.parse(line) as { readonly event: string }).event).filter((event) => event.startsWith("server-"));
    const ask = (): Promise<unknown> => client.chat.completions.create({ model: "support", messages: [{ role: "user", content: "What is the port?" }] });
    await expect(ask()).rejects.toMatchObject({ status: 503 });
    isAway = false;
    await vi.waitFor(() => expect(events()).toEqual(["server-not-ready", "server-ready"]), { timeout: 20_000, interval: 50 });
    isAway = true;
    await expect(ask()).rejects.toMatchObject({ status: 503 });
    await vi.waitFor(() => expect(events()).toEqual(["server-not-ready", "server-ready", "server-not-ready"]), { timeout: 20_000, interval: 50 });
  });

  it("waits for no store where the process is no server, and not for what stays wrong", async () => {
    const app = await releasedApp();
    const store = await app.store();
    const failing = (code: "SERVICE_UNAVAILABLE" | "SERVICE_DENIED"): Store => ({ ...store, refs: { ...store.refs, read: () => Promise.reject(new TwelveError(code, "s3://bucket")) } });
    const run = async (code: "SERVICE_UNAVAILABLE" | "SERVICE_DENIED", process: string): Promise<unknown> =>
      command.run(command.input.parse({ env: "staging", port: 0, process }), { ...(await testContext({ dir: app.dir, env: {} })), store: () => Promise.resolve(failing(code)) });
    await expect(run("SERVICE_DENIED", "web")).rejects.toMatchObject({ code: "SERVICE_DENIED" });
    await expect(run("SERVICE_UNAVAILABLE", "show")).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  });

  it("gives the prompt its variables and the earlier turns of the conversation", async () => {
    const { client, context } = await serving(await releasedApp());
    const echo = await client.chat.completions.create({ model: "chat", messages: [{ role: "user", content: "Hi" }, { role: "assistant", content: "Hello" }, { role: "user", content: "Say it again" }], ...withVariables({ tone: "polite" }) });
    expect(echo.choices[0]?.message.content).toBe("Say it again");
    const tokens = (JSON.parse(context.lines[1] ?? "{}") as ModelCallEvent)["gen_ai.usage.input_tokens"];
    // "You are polite." 4, "Hi" 1, "Hello" 1, "Say it again" 3, and 4 around each of the four messages.
    expect(tokens).toBe(25);
    await expect(client.chat.completions.create({ model: "chat", messages: [{ role: "user", content: "x" }], ...withVariables({ question: "y" }) })).rejects.toMatchObject({ status: 400, message: expect.stringContaining("The variable question is filled by twelve") });
  });

  it("refuses to start when the environment has another value for a frozen key", async () => {
    const { run } = await processOf(await releasedApp(), { TOP_K: "9" });
    await expect(run({})).rejects.toMatchObject({
      code: "CONFIG_DRIFTED",
      problems: [{ path: "TOP_K", message: '2 in release v1 (from default), "9" in the process environment' }],
      fix: expect.stringContaining("twelve release --env staging"),
    });
    await expect(run({ process: "show" })).rejects.toMatchObject({ code: "CONFIG_DRIFTED" });
  });

  it("refuses an address that others can reach without API keys, and keys that cannot be used", async () => {
    const app = await releasedApp(`${manifest}server: { keys: "\${API_KEY}" }\n`);
    const run = async (env: Record<string, string>, host: string): Promise<unknown> => (await processOf(app, env)).run({ port: 0, host });
    await expect(run({}, "192.0.2.1")).rejects.toMatchObject({ code: "HOST_UNGUARDED", exit: 2, fix: expect.stringContaining("into API_KEY") });
    await expect(run({ API_KEY: "hush-hush" }, "127.0.0.1")).rejects.toMatchObject({ code: "CONFIG_INVALID", exit: 2, message: "API_KEY does not hold a list of API keys", problems: [{ path: "API_KEY", message: expect.not.stringContaining("hush") }] });
    // Nobody has that address, so that it is the next thing to be refused.
    const keys = JSON.stringify([{ name: "ci", sha256: "a".repeat(64) }]);
    await expect(run({ API_KEY: keys }, "192.0.2.1")).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining("has no address 192.0.2.1") });
  });

  it("refuses an embedder that gives other vectors than the index was made with", async () => {
    const app = await releasedApp();
    const openEmbedder: TestContext["openEmbedder"] = async (reference) => {
      const embedder = await app.openEmbedder(reference);
      return { ...embedder, embed: async (...call) => (await embedder.embed(...call)).map((vector) => vector.toReversed()) };
    };
    await expect(serving(app, { change: { openEmbedder } })).rejects.toMatchObject({ code: "EMBEDDER_DRIFTED" });
  });

  it("names a port that is in use, and a PORT that is no port", async () => {
    const app = await releasedApp();
    const other = createServer().listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once("listening", resolve));
    const { port } = other.address() as AddressInfo;
    const { run } = await processOf(app, { PORT: String(port) });
    await expect(run({})).rejects.toMatchObject({ code: "PORT_TAKEN", message: `Port ${port} on 127.0.0.1 is in use` });
    const { run: wrong } = await processOf(app, { PORT: "http" });
    await expect(wrong({})).rejects.toMatchObject({ code: "USAGE_INVALID", message: 'PORT is "http"; expected a number from 0 to 65535' });
  });

  it("says what is missing when nothing is active or the release does not exist", async () => {
    const app = await releasedApp();
    const { run } = await processOf(app);
    await expect(run({ env: "production" })).rejects.toMatchObject({ code: "RELEASE_NOT_ACTIVE" });
    await expect(run({ release: "v9" })).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND" });
    await expect(run({ process: "wroker" })).rejects.toMatchObject({ code: "PROCESS_UNKNOWN" });
  });
});

describe("a command: process", () => {
  it("gets the release's configuration in its environment, whatever twelve.yaml says now", async () => {
    const app = await releasedApp();
    await writeFiles(app.dir, { "twelve.yaml": manifest.replace("default: 2", "default: 4"), ".env": "API_KEY=k-1\nTOP_K=6\n" });
    const out = join(app.dir, "out.txt");
    const { run, context } = await processOf(app, { PATH: process.env["PATH"] ?? "", OUT: out, OTHER: "kept", STATE_URL: "postgres://ann:pass@localhost/state" });
    expect(await run({ process: "show", port: 4321 })).toMatchObject({ process: "show", exitCode: 0 });
    expect(await readFile(out, "utf8")).toBe("v1|staging|4321|2|unset|postgres://ann:pass@localhost/state|k-1|kept");
    expect(context.lines).toEqual([]);
    expect(context.told).toEqual([expect.stringMatching(/^note Running show of release v1 \([0-9a-f]{12}\) in staging: sh show\.sh$/)]);
  });

  it("keeps to the service that the activation recorded", async () => {
    const app = await releasedApp();
    const out = join(app.dir, "out.txt");
    const { run } = await processOf(app, { PATH: process.env["PATH"] ?? "", OUT: out, STATE_URL: "postgres://elsewhere/state", PORT: "80" });
    await run({ process: "show" });
    expect(await readFile(out, "utf8")).toBe("v1|staging|80|2|unset|postgres://localhost/state||");
  });

  it("passes its exit code on", async () => {
    const { run } = await processOf(await releasedApp());
    const output = await run({ process: "fail" });
    expect(output).toMatchObject({ process: "fail", exitCode: 7 });
    expect(command.verdict?.(output)).toEqual({ exit: 7, message: "The process fail ended with exit code 7" });
  });

  it("is asked to stop when twelve is, and gives its own exit code", async () => {
    const app = await releasedApp();
    const out = join(app.dir, "out.txt");
    const { run, stop } = await processOf(app, { PATH: process.env["PATH"] ?? "", OUT: out });
    const ended = run({ process: "patient" });
    await expect.poll(() => readFile(out, "utf8").catch(() => "")).toBe("started");
    stop();
    expect(await ended).toMatchObject({ exitCode: 5 });
    expect(await readFile(out, "utf8")).toBe("startedstopped");
  });

  it.each([["itself", "exec sleep 600"], ["under a shell that waits for it", "sleep 600; exit $?"]])("that does not handle the signal has stopped in good order: %s", async (_name, line) => {
    const app = await releasedApp(manifest.replace("command: exit 7", `command: 'printf started > "$OUT"; ${line}'`));
    const out = join(app.dir, "out.txt");
    const { run, stop } = await processOf(app, { PATH: process.env["PATH"] ?? "", OUT: out });
    const ended = run({ process: "fail" });
    await expect.poll(() => readFile(out, "utf8").catch(() => "")).toBe("started");
    stop();
    expect(await ended).toMatchObject({ exitCode: 0 });
  });

  it("that does not listen is killed when its time is up", async () => {
    const app = await releasedApp(manifest.replace("command: exit 7", "command: 'trap \"\" TERM; printf started > \"$OUT\"; while :; do sleep 0.05; done'"));
    const out = join(app.dir, "out.txt");
    const { run, stop } = await processOf(app, { PATH: process.env["PATH"] ?? "", OUT: out });
    const ended = run({ process: "fail", drainSeconds: 0 });
    await expect.poll(() => readFile(out, "utf8").catch(() => "")).toBe("started");
    stop();
    expect(await ended).toMatchObject({ exitCode: 137 });
  });
});

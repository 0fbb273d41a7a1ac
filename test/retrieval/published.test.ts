import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import build from "../../src/index/command.ts";
import { listPublications } from "../../src/index/publication.ts";
import publish from "../../src/index/publish-command.ts";
import verify from "../../src/index/verify-command.ts";
import promote from "../../src/release/promote-command.ts";
import { listNumbers, readActive, readActiveOrNone } from "../../src/release/read.ts";
import release from "../../src/release/command.ts";
import rollback from "../../src/release/rollback-command.ts";
import search from "../../src/retrieval/command.ts";
import { openRuntime } from "../../src/run/apply.ts";
import services from "../../src/services/command.ts";
import type { AttachedContext } from "../helpers/published.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { type MemoryVectors, memoryVectors } from "../helpers/memory-vectors.ts";
import { withVectors } from "../helpers/published.ts";
import { makeRelease, manifest, writeFiles } from "../run/release.ts";

const text = manifest.replace('embedder: "hash:64"', 'embedder: "hash:64", vectors: "${VECTORS_URL}"').replace("config:\n", "config:\n  VECTORS_URL: { kind: attachment, optional: true }\n");
const url = "memory-vectors://one";
const otherUrl = "memory-vectors://other";
let place: MemoryVectors;
let other: MemoryVectors;
let context: TestContext;

/** The application as a process of an environment with these variables sees it. */
const seen = async (env: Readonly<Record<string, string>> = {}): Promise<AttachedContext> => withVectors(await testContext({ dir: context.dir, store: await context.store(), env, clock: context.clock }), [place, other]);
const at = (reference: string): Promise<AttachedContext> => seen({ VECTORS_URL: reference });
const publishTo = async (to: string): Promise<void> => void (await publish.run(publish.input.parse({ to }), await seen()));
const releaseAt = async (reference: string, env = "production"): Promise<Awaited<ReturnType<typeof release.run>>> => release.run(release.input.parse({ env }), await at(reference));
const find = async (given: TestContext, env = "production"): Promise<readonly string[]> => (await search.run(search.input.parse({ question: "how large may a request be?", env }), given)).hits.map(({ document }) => document);

beforeEach(async () => {
  place = memoryVectors(url);
  other = memoryVectors(otherUrl);
  context = await testContext({ dir: await temporaryFolder() });
  // v1 is in staging, which attaches nothing.
  await makeRelease(context, text);
});

describe("an index that an environment searches at a vector service", () => {
  it("is released, promoted and rolled back to only where it is published, and the command that publishes it is named", async () => {
    const failure = { code: "INDEX_NOT_PUBLISHED", message: expect.stringMatching(/^production searches docs@[0-9a-f]{12} at memory-vectors:\/\/one, where it is not, or no longer, published$/), fix: expect.stringMatching(/^Run `twelve index publish docs@[0-9a-f]{12} --env production`, then try again$/) };
    await expect(releaseAt(url)).rejects.toMatchObject(failure);
    await expect(promote.run(promote.input.parse({ from: "staging", to: "production" }), await at(url))).rejects.toMatchObject(failure);
    await publishTo(url);
    expect(await releaseAt(url)).toMatchObject({ number: 2, isActive: true, attachments: { VECTORS_URL: { url } } });
    // Another place is another publication.
    await expect(releaseAt(otherUrl)).rejects.toMatchObject({ code: "INDEX_NOT_PUBLISHED", message: expect.stringContaining(otherUrl) });
    await publishTo(otherUrl);
    expect(await promote.run(promote.input.parse({ from: "staging", to: "production" }), await at(otherUrl))).toMatchObject({ number: 1, isChanged: true });

    const store = await context.store();
    const record = (await listPublications(store, "handbook")).find((each) => each.value.url === url);
    if (record === undefined) throw new Error("It was to be published");
    await store.refs.replace(record.ref, JSON.stringify({ ...record.value, published: null }), record.tag);
    await expect(rollback.run(rollback.input.parse({ env: "production", to: "v2" }), await at(otherUrl))).rejects.toMatchObject({ ...failure, fix: expect.stringContaining("twelve index publish docs@") });
    await publishTo(url);
    expect(await rollback.run(rollback.input.parse({ env: "production", to: "v2" }), await at(otherUrl))).toMatchObject({ number: 2 });
  });

  it("needs no publishing where the embedded engine is attached", async () => {
    expect(await releaseAt("lance:")).toMatchObject({ isActive: true });
    expect(await find(await seen())).toEqual(["docs/limits.md", "docs/ports.md"]);
    expect((await seen()).asked).toEqual([]);
  });

  it("is searched there by search, run and eval, with the credentials of the environment", async () => {
    await publishTo(url);
    const secret = "memory-vectors://user:hunter2@one";
    await releaseAt(secret);
    const given = await at(secret);
    expect(await find(given)).toEqual(["docs/limits.md", "docs/ports.md"]);
    // What nobody else holds shows who was asked.
    for (const [namespace, rows] of place.held) place.held.set(namespace, rows.map((row) => ({ ...row, text: `${row.text} From the server.` })));
    const hits = (await search.run(search.input.parse({ question: "port", env: "production" }), given)).hits;
    expect(hits[0]?.text).toContain("From the server.");
    const active = await readActive(await context.store(), "handbook", "production");
    const runtime = await openRuntime(given, { release: active, environment: "production", attachments: active.activation.attachments, agents: ["support"], emit: () => {} });
    expect((await runtime.check()).find(({ name }) => name === "index docs")).toMatchObject({ isReady: true, detail: expect.stringContaining("2 chunks") });
    await runtime.close();
    expect(new Set(given.asked)).toEqual(new Set([secret]));
    expect(JSON.stringify([active, given.told])).not.toContain("hunter2");
  });

  it("is asked for there when the process looks after it, and opened anew once it has been published again", async () => {
    await publishTo(url);
    await releaseAt(url);
    const given = await at(url);
    let nowMs = 0;
    const clock = { ...given.clock, monotonicMs: () => nowMs };
    const active = await readActive(await context.store(), "handbook", "production");
    const runtime = await openRuntime({ ...given, clock }, { release: active, environment: "production", attachments: active.activation.attachments, agents: ["support"], emit: () => {} });
    onTestFinished(() => runtime.close());
    const part = async (): Promise<unknown> => {
      nowMs += 60_000;
      return (await runtime.check()).find(({ name }) => name === "index docs");
    };
    const ask = async (): Promise<unknown> => Array.fromAsync(runtime.answer({ agent: "support", messages: [{ role: "user", content: "how large may a request be?" }], variables: {}, isStream: false, traceId: "0".repeat(32) }));
    const command = /`twelve index publish docs@[0-9a-f]{12} --env production`; processes then go on by themselves/;
    expect(await part()).toMatchObject({ isReady: true });
    place.held.clear();
    expect(await part()).toMatchObject({ isReady: false, detail: expect.stringMatching(command) });
    await expect(ask()).rejects.toMatchObject({ code: "INDEX_NOT_PUBLISHED", fix: expect.stringMatching(command), retry: { afterMs: 5000 } });
    await publishTo(url);
    expect(await ask()).toContainEqual(expect.objectContaining({ type: "end" }));
    expect(await part()).toMatchObject({ isReady: true });

    // No question finds out this time, and what is published again is not whole at first.
    place.held.clear();
    expect(await part()).toMatchObject({ isReady: false });
    await publishTo(url);
    const [rows] = [...place.held.values()];
    const last = rows?.pop();
    expect(await part()).toMatchObject({ isReady: false, detail: expect.stringContaining("holds 1 of the 2 chunks") });
    if (last !== undefined) rows?.push(last);
    expect(await part()).toMatchObject({ isReady: true });
  });

  it("stays where the activation put it, whatever the environment says by now, and says so", async () => {
    await publishTo(url);
    await releaseAt(url);
    const given = await at(otherUrl);
    expect(await find(given)).toEqual(["docs/limits.md", "docs/ports.md"]);
    expect(given.asked).toEqual([url]);
    expect(given.told).toContainEqual(`warn VECTORS_URL is ${otherUrl} now, but the release was activated with ${url}, and that is where index docs is searched. Release or promote again to change it`);
    // Nothing is set any more, and nothing was set when v1 was activated.
    expect(await find(await seen())).toEqual(["docs/limits.md", "docs/ports.md"]);
    expect(await find(given, "staging")).toEqual(["docs/limits.md", "docs/ports.md"]);
    expect(given.asked).toEqual([url]);
  });

  it("says where credentials come from where the environment names another service, or none, by now", async () => {
    await publishTo(url);
    await releaseAt("memory-vectors://user:hunter2@one");
    place.open = () => Promise.reject(new TwelveError("SERVICE_UNAUTHENTICATED", `${url} refuses the login`, { fix: "Check the user and the password in the URL" }));
    const fixAt = async (given: TestContext): Promise<unknown> => find(given).then(() => undefined, (error: unknown) => (error as TwelveError).fix);
    expect(await fixAt(await at(otherUrl))).toBe(`Unset VECTORS_URL (${otherUrl}) where the environment has ${url} with its credentials, or set it to that; or move to ${otherUrl} with \`twelve release --env production\``);
    expect(await fixAt(await seen())).toBe(`Set VECTORS_URL for production to ${url} with its credentials`);
    expect(await fixAt(await at("memory-vectors://user:wrong@one"))).toBe("Check the user and the password in the URL");
  });

  it("moves to another server by changing that one value", async () => {
    await publishTo(url);
    await releaseAt(url);
    await publishTo(otherUrl);
    await releaseAt(otherUrl);
    const given = await at(otherUrl);
    expect(await find(given)).toEqual(["docs/limits.md", "docs/ports.md"]);
    expect(given.asked).toEqual([otherUrl]);
  });

  it("is not opened when the server holds another number of chunks, or nothing at all", async () => {
    await publishTo(url);
    await releaseAt(url);
    for (const rows of place.held.values()) rows.pop();
    await expect(find(await at(url))).rejects.toMatchObject({ code: "INDEX_CORRUPT", message: expect.stringContaining("holds 1 of the 2 chunks"), fix: expect.stringContaining("--again") });
    place.held.clear();
    const gone = { code: "INDEX_NOT_PUBLISHED", message: expect.stringContaining("and is gone there"), fix: expect.stringMatching(/^Run `twelve index publish docs@[0-9a-f]{12} --env production --again`, then try again$/) };
    await expect(find(await at(url))).rejects.toMatchObject(gone);
    await expect(verify.run(verify.input.parse({ env: "production" }), await at(url))).rejects.toMatchObject(gone);
  });

  it.each([
    ["the server lost it", () => place.held.clear(), { code: "INDEX_NOT_PUBLISHED", message: expect.stringContaining("where it is not, or no longer, published"), fix: expect.stringMatching(/^Run `twelve index publish docs@[0-9a-f]{12} --env production --again`, then try again$/) }],
    ["a chunk is missing", () => [...place.held.values()][0]?.pop(), { code: "INDEX_CORRUPT", message: expect.stringContaining("holds 1 of the 2 chunks"), fix: expect.stringMatching(/^Run `twelve index publish docs@[0-9a-f]{12} --env production --again`/) }],
    ["nobody answers", () => (place.open = () => Promise.reject(new TwelveError("SERVICE_UNAVAILABLE", "nobody answers"))), { code: "SERVICE_UNAVAILABLE" }],
  ])("is neither released nor promoted, and nothing is recorded, where %s", async (_, damage, failure) => {
    await publishTo(url);
    damage();
    await expect(releaseAt(url)).rejects.toMatchObject(failure);
    await expect(promote.run(promote.input.parse({ from: "staging", to: "production" }), await at(url))).rejects.toMatchObject(failure);
    const store = await context.store();
    expect(await readActiveOrNone(store, "handbook", "production")).toBeUndefined();
    expect(await listNumbers(store, "handbook")).toEqual([1]);
  });

  it("is missed, too, where the server lists it and has lost what is in it", async () => {
    await publishTo(url);
    const { open } = { open: place.open.bind(place) };
    place.open = async (namespace) => ({ ...(await open(namespace)), count: () => Promise.reject(new TwelveError("INDEX_NOT_FOUND", "a table is gone", { fix: "Open it again" })) });
    const failure = { fix: expect.stringMatching(/^Run `twelve index publish docs@[0-9a-f]{12} --env production --again`, then try again$/) };
    await expect(releaseAt(url)).rejects.toMatchObject({ ...failure, code: "INDEX_NOT_PUBLISHED" });
    place.open = () => Promise.reject(new TwelveError("ARTIFACT_INVALID", "published by another version", { fix: "Run `twelve index publish --again`" }));
    await expect(releaseAt(url)).rejects.toMatchObject({ ...failure, code: "ARTIFACT_INVALID" });
  });

  it("is rolled back to while nobody answers there, with a warning, and not where it is known to be gone", async () => {
    await publishTo(url);
    await releaseAt(url);
    await promote.run(promote.input.parse({ from: "staging", to: "production" }), await seen());
    const back = async (): Promise<readonly string[]> => {
      const given = await at(url);
      await rollback.run(rollback.input.parse({ env: "production", to: "v2" }), given);
      return given.told;
    };
    place.open = () => Promise.reject(new TwelveError("INDEX_NOT_FOUND", "no such namespace"));
    await expect(back()).rejects.toMatchObject({ code: "INDEX_NOT_PUBLISHED" });
    place.open = () => Promise.reject(new TwelveError("SERVICE_UNAVAILABLE", "nobody answers"));
    expect(await back()).toContain("warn Nobody knows whether every index is there: nobody answers. Look with `twelve services check --env production`");
  });

  it("has a line of its own in a check of the services, which says what is missing", async () => {
    await publishTo(url);
    await releaseAt(url);
    const check = async () => (await services.run(services.input.parse({ env: "production" }), await at(url))).services.filter(({ url: own }) => own === url).map(({ service, isReachable, detail, problem }) => [service.replace(/@.*/, ""), isReachable, detail, problem?.code, problem?.fix.replaceAll(/@[0-9a-f]{12}/g, "")]);
    expect(await check()).toEqual([["vectors of index docs", true, "1 indexes", undefined, undefined], ["index docs", true, "2 chunks", undefined, undefined]]);
    for (const rows of place.held.values()) rows.pop();
    expect((await check())[1]).toEqual(["index docs", false, null, "INDEX_CORRUPT", "Run `twelve index publish docs --env production --again`, then try again"]);
    place.held.clear();
    expect((await check())[1]).toEqual(["index docs", false, null, "INDEX_NOT_PUBLISHED", "Run `twelve index publish docs --env production --again`, then try again"]);
    place.check = () => Promise.reject(new TwelveError("SERVICE_UNAVAILABLE", "nobody answers"));
    const next = await services.run(services.input.parse({ env: "production", next: true }), await at(otherUrl));
    expect(next.services.find(({ service }) => service.startsWith("index docs@"))).toMatchObject({ isReachable: false, url: otherUrl, problem: { code: "INDEX_NOT_PUBLISHED", message: expect.stringContaining(`is not published at ${otherUrl}`) } });
    // What is away is told once.
    expect((await check()).map(([service]) => service)).toEqual(["vectors of index docs"]);
  });

  it("is made and searched before any release without that attachment", async () => {
    await writeFiles(context.dir, { "twelve.yaml": text.replace("optional: true }\n  CHAT", "description: required }\n  CHAT") });
    await build.run(build.input.parse({}), context);
    expect(await find(await seen(), "development")).toEqual(["docs/limits.md", "docs/ports.md"]);
  });

  it("takes no key that is not an attachment", async () => {
    await writeFile(join(context.dir, "twelve.yaml"), text.replace("kind: attachment, optional: true }\n  CHAT", "optional: true }\n  CHAT"));
    await expect(releaseAt(url)).rejects.toMatchObject({ code: "MANIFEST_INVALID", problems: [expect.objectContaining({ path: "indexes.docs.vectors", message: expect.stringContaining("declare VECTORS_URL with `kind: attachment`") })] });
    await writeFile(join(context.dir, "twelve.yaml"), text.replace("${VECTORS_URL}", "postgres://host/vectors"));
    await expect(releaseAt(url)).rejects.toMatchObject({ code: "MANIFEST_INVALID" });
  });
});

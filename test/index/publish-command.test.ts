import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import index from "../../src/index/command.ts";
import { listPublications, movePublication } from "../../src/index/publication.ts";
import publish from "../../src/index/publish-command.ts";
import verify from "../../src/index/verify-command.ts";
import type { Store } from "../../src/ports/store.ts";
import verifyStore from "../../src/verify/command.ts";
import { fixedClock, temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { handbook } from "../helpers/handbook.ts";
import { type MemoryVectors, memoryVectors } from "../helpers/memory-vectors.ts";
import { withVectors } from "../helpers/published.ts";

let dir: string;
let store: Store;
let digest: string;
let place: MemoryVectors;
const url = "memory-vectors://server/db";

const context = async (env: Readonly<Record<string, string>> = {}): Promise<TestContext> => withVectors(await testContext({ dir, store, env, clock }), [place]);
const run = async (input: Readonly<Record<string, unknown>> = {}, given?: TestContext): Promise<Awaited<ReturnType<typeof publish.run>>> => publish.run(publish.input.parse({ to: url, ...input }), given ?? (await context()));
const check = async (): Promise<Awaited<ReturnType<typeof verify.run>>> => verify.run(verify.input.parse({ to: url }), await context());
let clock = fixedClock();

async function make(): Promise<string> {
  const output = await index.run(index.input.parse({}), await testContext({ dir, store, clock }));
  if (output.kind !== "report") throw new Error("An index was to be made");
  return output.digest;
}

beforeEach(async () => {
  clock = fixedClock();
  dir = await handbook(await temporaryFolder());
  store = await openStore("memory:", { dir, env: {} });
  place = memoryVectors(url);
  digest = await make();
});

describe("twelve index publish", () => {
  it("loads the index into a namespace of its own, compares it with the ledger, and records it", async () => {
    const output = await run();
    expect(output).toEqual({ digest, name: "docs", url, namespace: expect.stringMatching(/^handbook-docs-[0-9a-f]{10}-[0-9a-f]{6}$/), isLoaded: true, chunks: 10, sampled: 10, durationMs: expect.any(Number) });
    expect([...place.held].map(([name, rows]) => [name, rows.length])).toEqual([[output.namespace, 10]]);
    const [record] = await listPublications(store, "handbook");
    expect(record?.value).toMatchObject({ index: { digest }, name: "docs", url, published: { namespace: output.namespace, chunks: 10 }, loading: null });
    expect(publish.render(output, publish.input.parse({}))).toMatch(/^Index docs \w{12} is published at memory-vectors:\/\/server\/db as handbook-docs-\S+: 10 chunks, all of them compared with the ledger, in /);
    const survey = await verifyStore.run(verifyStore.input.parse({}), await context());
    expect(survey).toMatchObject({ unknownRefs: [], problems: [] });
  });

  it("only compares what was published before, and says so", async () => {
    const first = await run();
    const again = await run();
    expect(again).toMatchObject({ namespace: first.namespace, isLoaded: false, sampled: 10 });
    expect(publish.render(again, publish.input.parse({}))).toContain("already, and agrees with its ledger: 10 chunks, all of them compared");
  });

  it("keeps a newer version beside the older one", async () => {
    const first = await run();
    await rm(join(dir, "docs/ja.md"));
    const newer = await make();
    const second = await run();
    expect(second).toMatchObject({ digest: newer, isLoaded: true, chunks: 9 });
    expect([...place.held.keys()].toSorted()).toEqual([first.namespace, second.namespace].toSorted());
    expect((await run({ index: digest.slice(7, 15) })).isLoaded).toBe(false);
  });

  it("loads it once more beside the old one with --again, because processes may be reading that", async () => {
    const first = await run();
    const second = await run({ again: true });
    expect(second).toMatchObject({ isLoaded: true, chunks: 10 });
    expect(second.namespace).not.toBe(first.namespace);
    expect(place.held.size).toBe(2);
    expect((await listPublications(store, "handbook"))[0]?.value.published?.namespace).toBe(second.namespace);
  });

  it.each([
    ["a chunk is missing", (rows: MemoryVectors["held"]) => [...rows.values()][0]?.pop(), "missing"],
    ["a chunk is there twice", (rows: MemoryVectors["held"]) => [...rows.values()].forEach((all) => all[0] !== undefined && all.push(all[0])), "unknown"],
    ["a text was changed", (rows: MemoryVectors["held"]) => change(rows, (row) => ({ ...row, text: `${row.text} more` })), "its text has another digest"],
    ["a vector was changed", (rows: MemoryVectors["held"]) => change(rows, (row) => ({ ...row, vector: row.vector.map((value) => value + 0.01) })), "its vector differs"],
    ["metadata was changed", (rows: MemoryVectors["held"]) => change(rows, (row) => ({ ...row, metadata: { ...row.metadata, team: "other" } })), "its metadata differ"],
  ])("finds that %s, and names the way to load it anew", async (_, damage, reason) => {
    await run();
    damage(place.held);
    const again = `Run \`twelve index publish docs@${digest.slice(7, 19)} --to ${url} --env development --again\``;
    const failure = { code: "INDEX_CORRUPT", fix: `${again}, which loads it beside the old one`, problems: expect.arrayContaining([expect.objectContaining({ message: expect.stringContaining(reason) })]) };
    await expect(run()).rejects.toMatchObject(failure);
    const output = await check();
    expect(verify.render(output, verify.input.parse({}))).toContain(reason);
    expect(verify.verdict?.(output)).toMatchObject({ exit: 100, message: expect.stringContaining(`Fix: ${again}, then start its processes again`) });
    await run({ again: true });
    expect(verify.verdict?.(await check())).toBeUndefined();
  });

  const publishTo = async (factor: number): Promise<unknown> => {
    const nearly: MemoryVectors = { ...place, open: async (namespace) => {
      const opened = await place.open(namespace);
      return { ...opened, search: async (query) => (await opened.search(query)).map((hit) => ({ ...hit, score: hit.score * factor })) };
    } };
    return run({}, withVectors(await testContext({ dir, store, clock }), [nearly])).catch((error: unknown) => error);
  };

  it("takes cosines that are off in the third digit, as of a service that compares shortened vectors", async () => {
    for (const factor of [1.002, 0.997]) expect(await publishTo(factor)).toMatchObject({ chunks: 10 });
  });

  it("finds that a search for a chunk's own vector finds something else", async () => {
    expect(await publishTo(0.95)).toMatchObject({ code: "INDEX_CORRUPT", problems: expect.arrayContaining([expect.objectContaining({ message: expect.stringContaining("its own vector") })]) });
  });

  it("records nothing of a server that lost some of what it was given, and leaves nothing there", async () => {
    place.meanwhile.loaded = (namespace) => void place.held.get(namespace)?.pop();
    await expect(run()).rejects.toMatchObject({ code: "INDEX_CORRUPT" });
    expect(place.held.size).toBe(0);
    expect((await listPublications(store, "handbook")).map(({ value: { published, loading } }) => [published, loading])).toEqual([[null, null]]);
  });

  it("stops when it is asked to, leaves nothing, and begins anew the next time", async () => {
    const stop = new AbortController();
    stop.abort(new Error("Interrupted"));
    await expect(run({}, { ...(await context()), signal: stop.signal })).rejects.toThrow("Interrupted");
    expect(place.held.size).toBe(0);
    expect((await run()).isLoaded).toBe(true);
  });

  it("goes on where a process was killed after it had loaded everything, and anew where it had not", async () => {
    const { namespace } = await run();
    const [record] = await listPublications(store, "handbook");
    if (record === undefined) throw new Error("It was to be recorded");
    const killed = (name: string): typeof record.value => ({ ...record.value, published: null, loading: { namespace: name, attempt: "0".repeat(16), at: "2025-12-31T23:00:00.000Z" } });
    await movePublication(store, { app: "handbook", index: record.value.index.digest, url }, record, killed(namespace));
    expect(await run()).toMatchObject({ namespace, isLoaded: false, chunks: 10 });

    const [now] = await listPublications(store, "handbook");
    place.held.clear();
    await movePublication(store, { app: "handbook", index: record.value.index.digest, url }, now, killed("half-of-it"));
    expect(await run()).toMatchObject({ namespace: "half-of-it", isLoaded: true, chunks: 10 });
  });

  it("lets another process finish that is at work on it", async () => {
    let refused: unknown;
    place.meanwhile.loading = async () => {
      const given = await context();
      const stop = new AbortController();
      // It would wait: this is where a person has seen enough.
      const story = { ...given.story, note: (message: string) => stop.abort(new Error(message)) };
      refused ??= await run({}, { ...given, story, signal: stop.signal }).then(() => "no failure", (error: unknown) => error);
    };
    expect((await run()).isLoaded).toBe(true);
    expect(refused).toMatchObject({ message: `Another process is publishing index docs to ${url}; waiting until it has finished, or has given no sign of life for 30 s` });
  });

  it("gives way to a process that took over", async () => {
    place.meanwhile.loaded = async () => {
      const [record] = await listPublications(store, "handbook");
      if (record !== undefined) await movePublication(store, { app: "handbook", index: record.value.index.digest, url }, record, { ...record.value, loading: { namespace: "other", attempt: "1".repeat(16), at: "2026-01-01T00:00:00.000Z" } });
    };
    await expect(run()).rejects.toMatchObject({ code: "RELEASE_CONFLICT" });
    expect((await listPublications(store, "handbook"))[0]?.value).toMatchObject({ published: null, loading: { namespace: "other" } });
  });

  it("takes the environment's attachment, with its credentials, and shows none", async () => {
    const text = await readFile(join(dir, "twelve.yaml"), "utf8");
    await writeFile(join(dir, "twelve.yaml"), text.replace(/(docs: \{.*) \}/, '$1, vectors: "${VECTORS_URL}" }').replace(/^config:/m, "config:\n  VECTORS_URL: { kind: attachment, optional: true }"));
    const given = withVectors(await testContext({ dir, store, clock, env: { VECTORS_URL: "memory-vectors://user:hunter2@server/db" } }), [place]);
    const output = await publish.run(publish.input.parse({}), given);
    expect(output.url).toBe(url);
    expect((await publish.run(publish.input.parse({ to: url }), given)).isLoaded).toBe(false);
    expect(given.asked).toEqual(["memory-vectors://user:hunter2@server/db", "memory-vectors://user:hunter2@server/db"]);
    expect(JSON.stringify([output, given.told, await Promise.all((await store.refs.list("")).map((ref) => store.refs.read(ref)))])).not.toContain("hunter2");
    await expect(publish.run(publish.input.parse({}), await testContext({ dir, store }))).rejects.toMatchObject({ code: "USAGE_INVALID", message: expect.stringContaining("VECTORS_URL attaches no vector service in development") });
  });

  it("says what to write where nothing is attached", async () => {
    await expect(run({ to: undefined })).rejects.toMatchObject({ code: "USAGE_INVALID", fix: expect.stringContaining('vectors: "${VECTORS_URL}"') });
    await expect(run({ to: "lance:" })).rejects.toMatchObject({ code: "USAGE_INVALID" });
  });
});

function change(held: MemoryVectors["held"], how: (row: NonNullable<ReturnType<MemoryVectors["held"]["get"]>>[number]) => typeof row): void {
  for (const rows of held.values()) if (rows[3] !== undefined) rows[3] = how(rows[3]);
}

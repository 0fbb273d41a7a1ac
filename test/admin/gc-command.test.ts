import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import gc from "../../src/admin/gc-command.ts";
import index from "../../src/index/command.ts";
import { listPublications } from "../../src/index/publication.ts";
import publish from "../../src/index/publish-command.ts";
import { TwelveError } from "../../src/core/errors.ts";
import type { Clock } from "../../src/ports/clock.ts";
import release from "../../src/release/command.ts";
import rollback from "../../src/release/rollback-command.ts";
import search from "../../src/retrieval/command.ts";
import { fixedClock, temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { type MemoryVectors, memoryVectors } from "../helpers/memory-vectors.ts";
import { withVectors } from "../helpers/published.ts";
import { documents, makeRelease, manifest, writeFiles } from "../run/release.ts";

const text = manifest.replace('embedder: "hash:64"', 'embedder: "hash:64", vectors: "${VECTORS_URL}"').replace("config:\n", "config:\n  VECTORS_URL: { kind: attachment, optional: true }\n");
const url = "memory-vectors://one";
const otherUrl = "memory-vectors://other";
let place: MemoryVectors;
let other: MemoryVectors;
let context: TestContext;
let daysLater = 0;
const clock = fixedClock();
/** Goes on by days when a test says so. */
const calendar: Clock = { ...clock, now: () => new Date(clock.now().getTime() + daysLater * 24 * 60 * 60 * 1000) };

const seen = async (reference = url): Promise<TestContext> => withVectors(await testContext({ dir: context.dir, store: await context.store(), env: { VECTORS_URL: reference }, clock: calendar }), [place, other]);
const collect = async (input: Readonly<Record<string, unknown>> = {}, given?: TestContext): Promise<Awaited<ReturnType<typeof gc.run>>> => gc.run(gc.input.parse(input), given ?? (await seen()));

/** Changes a document, makes the index, publishes it and releases it; gives its namespace. */
async function ship(edition: number, env = "production", reference = url): Promise<string> {
  await writeFiles(context.dir, { ...documents, "docs/ports.md": `# Ports\n\nEdition ${edition}: the server listens on port 3000.\n` });
  const given = await seen(reference);
  await index.run(index.input.parse({}), given);
  const { namespace } = await publish.run(publish.input.parse({ to: reference }), given);
  await release.run(release.input.parse({ env }), given);
  return namespace;
}

beforeEach(async () => {
  daysLater = 0;
  place = memoryVectors(url);
  other = memoryVectors(otherUrl);
  context = await testContext({ dir: await temporaryFolder(), clock: calendar });
  await makeRelease(context, text);
});

describe("twelve admin gc", () => {
  it("drops what neither a current activation nor one of the kept earlier releases refers to, and only with --yes", async () => {
    const namespaces: string[] = [];
    for (const edition of [1, 2, 3]) namespaces.push(await ship(edition));
    daysLater = 2;
    const planned = await collect({ keep: 1 });
    expect(planned).toMatchObject({ app: "handbook", isDone: false, drop: [{ name: "docs", url, namespace: namespaces[0], reason: "no activation refers to it" }], failures: [] });
    expect(Object.fromEntries(planned.keep.map(({ namespace, reason }) => [namespace, reason]))).toEqual({ [namespaces[1] ?? ""]: "needed by v3 in production", [namespaces[2] ?? ""]: "needed by v4 in production" });
    expect(gc.render(planned, gc.input.parse({}))).toContain("1 namespace of handbook can go. Nothing was done: `twelve admin gc --yes` does it");
    expect(place.held.size).toBe(3);
    const done = await collect({ keep: 1, yes: true });
    expect(done).toMatchObject({ isDone: true, drop: planned.drop });
    expect([...place.held.keys()].toSorted()).toEqual(namespaces.slice(1).toSorted());
    expect(await collect({ keep: 1 })).toMatchObject({ drop: [], keep: expect.objectContaining({ length: 2 }) });
    // What was kept for it can be rolled back to and searched; what was dropped cannot.
    await rollback.run(rollback.input.parse({ env: "production", to: "v3" }), await seen());
    expect((await search.run(search.input.parse({ question: "port", env: "production" }), await seen())).hits[0]?.text).toContain("Edition 2");
    await expect(rollback.run(rollback.input.parse({ env: "production", to: "v2" }), await seen())).rejects.toMatchObject({ code: "INDEX_NOT_PUBLISHED", fix: expect.stringContaining("twelve index publish docs@") });
  });

  it("keeps what another environment runs, also one that twelve.yaml no longer names", async () => {
    const running = await ship(1);
    await ship(2, "staging");
    await ship(3, "staging");
    await writeFile(join(context.dir, "twelve.yaml"), text.replace(", production: {}", ""));
    daysLater = 2;
    const { drop, keep } = await collect({ keep: 0 });
    expect(drop).toHaveLength(1);
    expect(keep).toContainEqual(expect.objectContaining({ namespace: running, reason: "needed by v2 in production" }));
  });

  it("keeps what is young, and the newest index of each name", async () => {
    await ship(1);
    await writeFiles(context.dir, { "docs/ports.md": "# Ports\n\nNewer.\n" });
    await index.run(index.input.parse({}), await seen());
    const { namespace } = await publish.run(publish.input.parse({ to: url }), await seen());
    await ship(3, "staging", otherUrl);
    expect((await collect({ keep: 0 })).keep.find((each) => each.namespace === namespace)?.reason).toBe("used within a day");
    daysLater = 2;
    expect((await collect({ keep: 0 })).drop.map((each) => each.namespace)).toEqual([namespace]);
    await writeFiles(context.dir, { "docs/ports.md": "# Ports\n\nNewer.\n" });
    await index.run(index.input.parse({}), await seen());
    expect((await collect({ keep: 0 })).keep.find((each) => each.namespace === namespace)?.reason).toBe("needed by the newest docs");
  });

  it("keeps the newest index also where nothing refers to it yet, while an activation uses it elsewhere", async () => {
    await ship(1);
    const { namespace } = await publish.run(publish.input.parse({ to: otherUrl }), await seen(otherUrl));
    daysLater = 2;
    const { drop, keep } = await collect({ to: otherUrl });
    expect(drop).toEqual([]);
    expect(keep).toContainEqual(expect.objectContaining({ url: otherUrl, namespace, reason: "needed by the newest docs" }));
  });

  it("drops from the server that an environment has left, when it is named", async () => {
    const old = await ship(1, "production", otherUrl);
    await publish.run(publish.input.parse({ to: url }), await seen());
    await release.run(release.input.parse({ env: "production" }), await seen());
    await ship(2);
    daysLater = 2;
    expect((await collect({ keep: 0 })).drop.map((each) => each.url)).toEqual([url]);
    expect(await collect({ keep: 0, to: otherUrl, yes: true })).toMatchObject({ drop: [{ url: otherUrl, namespace: old }] });
    expect([other.held.size, place.held.size]).toEqual([0, 2]);
  });

  it("drops the older copy after --again, and what a killed process left half loaded", async () => {
    const first = await ship(1);
    const { namespace } = await publish.run(publish.input.parse({ to: url, again: true }), await seen());
    const store = await context.store();
    const [record] = await listPublications(store, "handbook");
    if (record === undefined) throw new Error("It was to be published");
    await store.refs.replace(record.ref, JSON.stringify({ ...record.value, loading: { namespace: "half", attempt: "0", at: calendar.now().toISOString() } }), record.tag);
    place.held.set("half", []);
    expect((await collect()).keep.map((each) => each.reason).toSorted()).toEqual(["being loaded", "needed by v2 in production", "replaced within a day"]);
    daysLater = 2;
    expect((await collect({ yes: true })).drop.map((each) => each.namespace).toSorted()).toEqual([first, "half"].toSorted());
    expect([...place.held.keys()]).toEqual([namespace]);
    expect((await listPublications(store, "handbook"))[0]?.value).toMatchObject({ published: { namespace }, loading: null, left: [] });
  });

  it("loses nothing to a release that is made at the same time", async () => {
    const first = await ship(1);
    await ship(2);
    daysLater = 2;
    const store = await context.store();
    const [{ digest } = { digest: "" }] = (await listPublications(store, "handbook")).filter(({ value }) => value.published?.namespace === first).map(({ value }) => value.index);
    const takeFirst = async (): Promise<unknown> => release.run(release.input.parse({ env: "staging", index: [`docs=${digest}`] }), await seen());
    // The release comes between the look at the activations and the first change.
    const given = await seen();
    let isTaken = false;
    const meanwhile = { ...store, refs: { ...store.refs, async replace(...change: Parameters<typeof store.refs.replace>) {
      if (!isTaken) {
        isTaken = true;
        await takeFirst();
      }
      return store.refs.replace(...change);
    } } };
    const done = await collect({ keep: 0, yes: true }, { ...given, store: () => Promise.resolve(meanwhile) });
    expect(done).toMatchObject({ drop: [], keep: expect.arrayContaining([expect.objectContaining({ namespace: first, reason: "came into use meanwhile" })]) });
    expect((await search.run(search.input.parse({ question: "port", env: "staging" }), await seen())).hits[0]?.text).toContain("Edition 1");
    // The other way round the release is refused, because the record said so first.
    daysLater = 4;
    await release.run(release.input.parse({ env: "staging" }), await seen());
    daysLater = 6;
    let refused: unknown;
    place.meanwhile.dropping = async () => {
      refused ??= await takeFirst().catch((error: unknown) => error);
    };
    expect((await collect({ keep: 0, yes: true })).drop.map((each) => each.namespace)).toEqual([first]);
    expect(refused).toMatchObject({ code: "INDEX_NOT_PUBLISHED" });
  });

  it("says which service failed, goes on, and drops the rest the next time", async () => {
    await ship(1);
    await ship(2);
    daysLater = 2;
    place.meanwhile.dropping = () => {
      throw new TwelveError("SERVICE_UNAVAILABLE", "memory-vectors://one cannot be reached");
    };
    const failed = await collect({ keep: 0, yes: true });
    expect(failed).toMatchObject({ drop: [], failures: ["memory-vectors://one cannot be reached"] });
    expect(gc.verdict?.(failed)).toMatchObject({ exit: 6 });
    delete place.meanwhile.dropping;
    expect(await collect({ keep: 0, yes: true })).toMatchObject({ drop: [{ reason: "replaced, or dropped before" }], failures: [] });
    expect(place.held.size).toBe(1);
  });

  it("removes copies of such indexes from this machine, and half of one that a killed process left", async () => {
    await ship(1);
    await ship(2);
    await ship(3);
    const cache = join(context.dir, ".twelve/cache/index");
    const before = await readdir(cache);
    await mkdir(join(cache, `${before[0]}.0123456789ab`));
    for (const name of await readdir(cache)) await utimes(join(cache, name), new Date("2025-01-01"), new Date("2025-01-01"));
    const { folders } = await collect({ keep: 0, yes: true });
    expect(folders.map(({ reason }) => reason).toSorted()).toEqual(["half laid out", "no activation refers to its index", "no activation refers to its index"]);
    // What staging searches in the embedded engine, and what production has.
    expect(await readdir(cache)).toHaveLength(2);
    expect((await search.run(search.input.parse({ question: "port", env: "staging" }), await seen())).hits[0]?.text).toContain("unless PORT says otherwise");
  });
});

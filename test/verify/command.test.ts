import { rm } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { openStore as openFileStore } from "../../src/adapters/store/fs/adapter.ts";
import { openStore as openMemoryStore } from "../../src/adapters/store/memory/adapter.ts";
import { refs } from "../../src/artifact/refs.ts";
import { type Descriptor, type Digest, digestOf, shortDigest } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import type { Store } from "../../src/ports/store.ts";
import command from "../../src/verify/command.ts";
import type { VerifyReport } from "../../src/verify/schema.ts";
import { blobFile, flipBit } from "../adapters/store/fs/damage.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { fillStore } from "./full-store.ts";

interface Scene {
  readonly store: Store;
  readonly contents: Map<Digest, Uint8Array>;
  readonly blobs: Readonly<Record<string, Descriptor>>;
  readonly blob: (name: string) => Descriptor;
  readonly verify: () => Promise<VerifyReport>;
}

async function openScene(): Promise<Scene> {
  const contents = new Map<Digest, Uint8Array>();
  const store = openMemoryStore(contents);
  const { blobs } = await fillStore(store);
  return {
    store,
    contents,
    blobs,
    blob: (name) => {
      const found = blobs[name];
      if (found === undefined) throw new Error(`The scene has no ${name}`);
      return found;
    },
    verify: () => verify(store),
  };
}

async function verify(store: Store): Promise<VerifyReport> {
  return command.output.parse(await command.run({}, await testContext({ dir: "/apps/support", store })));
}

/** Refs that lead to the release, and to what is under it. */
const toRelease = (release: Descriptor): readonly string[] => [refs.environment("support", "staging"), refs.release("support", 1), refs.report("support", release.digest, "smoke")].sort();

describe("verify of a store where nothing is wrong", () => {
  it("counts what it read and followed, and ends well", async () => {
    const { verify, contents } = await openScene();
    const bytes = [...contents.values()].reduce((sum, { length }) => sum + length, 0);
    const report = await verify();
    expect(report).toEqual({ store: "memory:", blobs: 14, bytes, refs: 10, unreferenced: 0, unknownRefs: [], problems: [] });
    expect(command.verdict?.(report)).toBeUndefined();
    expect(command.render(report, {})).toMatch(/^memory:: 14 blobs \(\d\.\d kB\) and 10 refs\. All are intact, and everything that refs lead to is there\.$/);
  });

  it("says that an empty store is empty", async () => {
    const report = await verify(openMemoryStore());
    expect(report).toMatchObject({ blobs: 0, refs: 0, problems: [] });
    expect(command.render(report, {})).toBe("memory: is empty. If it should not be, look at TWELVE_STORE and --dir.");
  });

  it("counts blobs that nothing refers to and refs of other programs, which do no harm", async () => {
    const { store, verify } = await openScene();
    await store.blobs.write(Buffer.from("left by an interrupted command"), "text/plain");
    await store.refs.create("elsewhere/ref", "anything");
    const report = await verify();
    expect(report).toMatchObject({ unreferenced: 1, unknownRefs: ["elsewhere/ref"], problems: [] });
    expect(command.render(report, {})).toContain("Nothing refers to 1 blob, which does no harm.\nThis version of twelve has no use for elsewhere/ref.");
  });
});

const all = ["archive", "tree", "build", "ledger", "index", "engineFile", "probe", "indexData", "keys", "vectors", "release", "first", "second", "report"];

describe("verify of a store where something is wrong", () => {
  it.each(all)("finds a flipped bit in the blob: %s", async (name) => {
    const { contents, blob, verify } = await openScene();
    const { digest } = blob(name);
    const bytes = contents.get(digest);
    if (bytes !== undefined) bytes[1] = (bytes[1] ?? 0) ^ 1;
    const report = await verify();
    expect(report.problems).toMatchObject([{ kind: "damaged", subject: digest, message: expect.stringContaining(digest) }]);
    expect(report.problems[0]?.neededBy).not.toEqual([]);
    expect(command.verdict?.(report)).toEqual({ exit: 100, message: expect.stringMatching(/^1 problem in the store\. Fix: .*\[STORE_CORRUPT\]$/) });
  });

  it.each(all)("finds that a blob is missing: %s", async (name) => {
    const { contents, blob, verify } = await openScene();
    contents.delete(blob(name).digest);
    expect((await verify()).problems).toMatchObject([{ kind: "missing", subject: blob(name).digest }]);
  });

  it("names what refers to a blob, and every ref that leads to it", async () => {
    const { contents, blob, verify } = await openScene();
    const [release, index, indexData] = [blob("release"), blob("index"), blob("indexData")];
    contents.delete(blob("engineFile").digest);
    const report = await verify();
    const indexes = [refs.latestIndex("support", "docs"), refs.index("support", "docs", index.digest), refs.indexData(index.digest)];
    expect(report.problems).toEqual([{
      kind: "missing",
      subject: blob("engineFile").digest,
      message: `Blob ${blob("engineFile").digest} is not in memory:`,
      referredBy: [`index data ${shortDigest(indexData.digest)}`],
      neededBy: [...toRelease(release), ...indexes].sort(),
    }]);
    expect(command.render(report, {})).toContain(`1 problem:\n  missing: Blob ${blob("engineFile").digest} is not in memory:\n    named by index data ${shortDigest(indexData.digest)}; needed by apps/support/releases/00000001, apps/support/indexes/docs/latest, apps/support/environments/staging, `);
    expect(command.render(report, {})).toMatch(/ and 2 more$/);
  });

  it.each(["SERVICE_DENIED", "SERVICE_UNAUTHENTICATED", "SERVICE_UNAVAILABLE"] as const)("does not call blobs damaged that a service does not give: %s", async (code) => {
    const { store } = await openScene();
    const check = () => Promise.reject(new TwelveError(code, "refused"));
    await expect(verify({ ...store, blobs: { ...store.blobs, check } })).rejects.toMatchObject({ code });
  });

  it("finds damage in a blob that nothing refers to", async () => {
    const { store, contents, verify } = await openScene();
    const { digest } = await store.blobs.write(Buffer.from("left"), "text/plain");
    contents.set(digest, Buffer.from("lost"));
    const report = await verify();
    expect(report.problems).toMatchObject([{ kind: "damaged", subject: digest, referredBy: [], neededBy: [] }]);
    expect(command.render(report, {})).toMatch(/\n    nothing refers to it$/);
  });

  it("finds that the archives of a code tree, or the engine files of an index, are not found by any ref", async () => {
    const store = openMemoryStore();
    const { blobs } = await fillStore({ ...store, refs: { ...store.refs, create: async (name, value) => name.startsWith("data/") || store.refs.create(name, value) } });
    const report = await verify(store);
    const tree = refs.codeData(blobs["tree"]?.digest ?? digestOf(""));
    const index = refs.indexData(blobs["index"]?.digest ?? digestOf(""));
    expect(report.problems).toMatchObject([
      { kind: "missing", subject: tree, message: `Ref ${tree} is not in memory:`, referredBy: [expect.stringMatching(/^code tree /)] },
      { kind: "missing", subject: index, message: `Ref ${index} is not in memory:`, referredBy: [expect.stringMatching(/^index /)] },
    ]);
    expect(report.unreferenced).toBe(6);
  });

  it("finds refs and documents that no version could have written", async () => {
    const { store, blob, verify } = await openScene();
    const broken = await store.blobs.write(Buffer.from("{}"), blob("release").mediaType);
    await store.refs.create(refs.release("support", 2), JSON.stringify({ release: broken, createdAt: "2026-01-01T00:00:00.000Z" }));
    await store.refs.create(refs.release("support", 3), "not JSON");
    const report = await verify();
    const places = report.problems.map(({ kind, subject, message }) => ({ kind, subject, message }));
    expect(places).toEqual([
      { kind: "invalid", subject: "apps/support/releases/00000003", message: "Ref apps/support/releases/00000003 is not JSON" },
      { kind: "invalid", subject: broken.digest, message: expect.stringContaining(`${broken.digest} is not a ${blob("release").mediaType} that this version reads`) },
    ]);
  });

  it.each(["000", "zzz"])("finds a size that is not the blob's, also when the ref that says so (%s) comes last", async (embedder) => {
    const { store, blob, verify } = await openScene();
    const { digest } = blob("vectors");
    const name = `data/embeddings/${embedder}/v2-00`;
    await store.refs.create(name, JSON.stringify({ version: 2, dimensions: 1, probe: blob("probe"), batches: [{ count: 2, keys: blob("keys").digest, vectors: digest }] }));
    const users = [name, refs.embeddingList(digestOf("embedder"), blob("probe").digest)].sort();
    expect((await verify()).problems).toEqual([
      { kind: "invalid", subject: digest, message: `Blob ${digest} has 16 bytes, but ${name} says 8`, referredBy: users, neededBy: users },
    ]);
  });
});

describe("verify of a store that changes meanwhile", () => {
  it("reads blobs that were written after it listed them, and misses none that are gone and not needed", async () => {
    const { store, contents, blob } = await openScene();
    const gone = digestOf("gone");
    const changing: Store = {
      ...store,
      blobs: {
        ...store.blobs,
        async *list() {
          for await (const digest of store.blobs.list()) if (digest !== blob("release").digest) yield digest;
          yield gone;
        },
      },
    };
    expect(await verify(changing)).toMatchObject({ problems: [], unreferenced: 0 });
    contents.delete(blob("release").digest);
    expect((await verify(changing)).problems).toMatchObject([{ kind: "missing", subject: blob("release").digest }]);
  });

  it("stops in the middle of the blobs, and in the middle of the refs, when it is asked to", async () => {
    const { store } = await openScene();
    const interrupted = async (interrupt: (controller: AbortController) => Store): Promise<string> => {
      const controller = new AbortController();
      const context = await testContext({ dir: "/apps/support", store: interrupt(controller), signal: controller.signal });
      return command.run({}, context).then(() => "finished", String);
    };
    let checked = 0;
    const amongBlobs = await interrupted((controller) => ({ ...store, blobs: { ...store.blobs, check: async (digest) => {
      checked += 1;
      controller.abort(new Error("stopped among blobs"));
      return store.blobs.check(digest);
    } } }));
    expect(amongBlobs).toBe("Error: stopped among blobs");
    expect(checked).toBe(1);
    let followed = 0;
    const amongRefs = await interrupted((controller) => ({ ...store, refs: { ...store.refs, read: async (name) => {
      followed += 1;
      controller.abort(new Error("stopped among refs"));
      return store.refs.read(name);
    } } }));
    expect(amongRefs).toBe("Error: stopped among refs");
    expect(followed).toBe(1);
  });
});

it("names the damaged and the missing file of a folder store, and changes nothing", async () => {
  const folder = await temporaryFolder();
  const store = openFileStore("file:store", folder);
  const { blobs } = await fillStore(store);
  const [archive, report] = [blobs["archive"]?.digest ?? digestOf(""), blobs["report"]?.digest ?? digestOf("")];
  await flipBit(folder, archive);
  await rm(blobFile(folder, report));
  for (let time = 0; time < 2; time += 1) {
    expect((await verify(store)).problems).toMatchObject([
      { kind: "damaged", subject: archive, message: expect.stringContaining(`${blobFile(folder, archive)} hashes to sha256:`) },
      { kind: "missing", subject: report },
    ]);
  }
});

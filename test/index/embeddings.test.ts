import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { refs } from "../../src/artifact/refs.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { type Digest, digestOf } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import { type Embeddings, openEmbeddings } from "../../src/index/embeddings.ts";
import { probeTexts } from "../../src/index/probe.ts";
import { EmbeddingBatches } from "../../src/index/schema.ts";
import type { EmbedderIdentity } from "../../src/ports/embedding.ts";
import type { Store } from "../../src/ports/store.ts";

const identity: EmbedderIdentity = { provider: "fake", model: "m", dimensions: 3, normalised: false, documentTask: null, queryTask: null };
const probeOf = (...vector: readonly [number, number, number]): Uint8Array => new Uint8Array(Float32Array.from(probeTexts.flatMap(() => vector)).buffer);
const probe = probeOf(1, 2, 3);

let store: Store;
beforeEach(async () => {
  store = await openStore("memory:", { dir: "/", env: {} });
});

const open = (from: Store = store, as: Partial<EmbedderIdentity> = {}, now: Uint8Array | undefined = probe): Promise<Embeddings> => openEmbeddings(from, { ...identity, ...as }, now);
function vectorsOf(...texts: readonly string[]): Map<Digest, Float32Array> {
  return new Map(texts.map((text) => [digestOf(text), Float32Array.of(text.length, Math.PI, -text.charCodeAt(0))]));
}
const find = async (embeddings: Embeddings, ...texts: readonly string[]): Promise<Map<Digest, Float32Array>> => embeddings.find(texts.map((text) => digestOf(text)));
async function batches(): Promise<EmbeddingBatches["batches"]> {
  const [name = ""] = await store.refs.list(refs.embeddings(digestOf(canonicalJson(identity))));
  return EmbeddingBatches.parse(JSON.parse((await store.refs.read(name))?.value ?? "null")).batches;
}
/** The store as it is after some of its blobs were damaged. */
const without = (...gone: readonly (Digest | undefined)[]): Store => ({
  ...store,
  blobs: { ...store.blobs, read: (blob) => (gone.includes(blob.digest) ? Promise.reject(new TwelveError("BLOB_CORRUPT", "a bit flipped")) : store.blobs.read(blob)) },
});

describe("stored embeddings", () => {
  it("come back exactly, and only the wanted ones", async () => {
    await (await open()).append(vectorsOf("one", "two"));
    await (await open()).append(vectorsOf("three"));
    const embeddings = await open();
    expect(await find(embeddings, "three", "one", "unknown")).toEqual(vectorsOf("one", "three"));
    expect([embeddings.has(digestOf("two")), embeddings.has(digestOf("unknown")), embeddings.damaged]).toEqual([true, false, 0]);
  });

  it("are there at once for whoever has appended them", async () => {
    const embeddings = await open();
    await embeddings.append(vectorsOf("one"));
    expect([embeddings.has(digestOf("one")), await find(embeddings, "one")]).toEqual([true, vectorsOf("one")]);
  });

  it("are told without a single vector being read", async () => {
    await (await open()).append(vectorsOf("one"));
    const [batch] = await batches();
    expect((await open(without(batch?.vectors))).has(digestOf("one"))).toBe(true);
  });

  it("are views of any buffer when they are stored", async () => {
    const large = new Float32Array(10).fill(7);
    await (await open()).append(new Map([[digestOf("view"), large.subarray(4, 7)]]));
    expect(await find(await open(), "view")).toEqual(new Map([[digestOf("view"), Float32Array.of(7, 7, 7)]]));
  });

  it("are kept apart by everything in the embedder's identity", async () => {
    await (await open()).append(vectorsOf("one"));
    for (const other of [{ model: "n" }, { documentTask: "passage" }, { normalised: true }, { provider: "other" }]) {
      expect((await open(store, other)).has(digestOf("one"))).toBe(false);
    }
  });

  it("are kept apart from those of a model that changed under its name, and found again when it is back", async () => {
    await (await open()).append(vectorsOf("one"));
    const changed = await open(store, {}, probeOf(3, 2, 1));
    expect(changed.has(digestOf("one"))).toBe(false);
    await changed.append(vectorsOf("two"));
    const again = await open(store, {}, probeOf(1.000_01, 2, 3));
    expect([again.has(digestOf("one")), again.has(digestOf("two"))]).toEqual([true, false]);
  });

  it("of equal vectors are all kept: two texts may well have the same one", async () => {
    const vector = Float32Array.of(1, 2, 3);
    await (await open()).append(new Map([[digestOf("Refund"), vector]]));
    await (await open()).append(new Map([[digestOf("refunds"), vector]]));
    const embeddings = await open();
    expect(await find(embeddings, "Refund", "refunds")).toEqual(new Map([[digestOf("Refund"), vector], [digestOf("refunds"), vector]]));
  });

  it("of equal vectors stay known when batches are joined", async () => {
    const texts = Array.from({ length: 70 }, (_, i) => `text ${i}`);
    for (const text of texts) await (await open()).append(new Map([[digestOf(text), Float32Array.of(1, 2, 3)]]));
    expect((await find(await open(), ...texts)).size).toBe(70);
  });

  it("are all listed when several processes append at the same time", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
    await Promise.all(texts.map(async (text) => (await open()).append(vectorsOf(text))));
    expect(await find(await open(), ...texts)).toEqual(vectorsOf(...texts));
  });

  it("are all listed when one process appends while it still appends", async () => {
    const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`);
    const embeddings = await open();
    await Promise.all(texts.map((text) => embeddings.append(vectorsOf(text))));
    expect(await find(await open(), ...texts)).toEqual(vectorsOf(...texts));
  });

  it("that come while others are written are written together", async () => {
    const embeddings = await open();
    const early = embeddings.append(vectorsOf("one"));
    await Promise.resolve();
    await Promise.all([early, embeddings.append(vectorsOf("two")), embeddings.append(vectorsOf("three"))]);
    expect((await batches()).map(({ count }) => count)).toEqual([1, 2]);
  });

  it("are packed into few batches, however many runs add some", async () => {
    const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`);
    for (const text of texts) await (await open()).append(vectorsOf(text));
    expect((await batches()).length).toBeLessThan(33);
    expect(await find(await open(), ...texts)).toEqual(vectorsOf(...texts));
  });

  it("that were joined by another process meanwhile are still found", async () => {
    const early = await open();
    await early.append(vectorsOf("early"));
    for (let i = 0; i < 40; i++) await (await open()).append(vectorsOf(`later ${i}`));
    expect(await find(early, "early")).toEqual(vectorsOf("early"));
    await early.append(vectorsOf("last"));
    expect((await find(await open(), "early", "later 3", "last")).size).toBe(3);
  });
});

describe("damaged embeddings", () => {
  beforeEach(async () => {
    const embeddings = await open();
    await embeddings.append(vectorsOf("good"));
    await embeddings.append(vectorsOf("bad"));
  });

  it("leave the list when their vectors are looked for, and their texts are unknown from then on", async () => {
    const [, bad] = await batches();
    const embeddings = await open(without(bad?.vectors));
    expect(embeddings.has(digestOf("bad"))).toBe(true);
    expect(await find(embeddings, "good", "bad")).toEqual(vectorsOf("good"));
    expect([embeddings.has(digestOf("bad")), embeddings.damaged, (await batches()).length]).toEqual([false, 1, 1]);
    expect((await open(without(bad?.vectors))).damaged).toBe(0);
  });

  it("leave the list at once when their keys are damaged", async () => {
    const [, bad] = await batches();
    const embeddings = await open(without(bad?.keys));
    expect([embeddings.has(digestOf("bad")), embeddings.has(digestOf("good")), embeddings.damaged, (await batches()).length]).toEqual([false, true, 1, 1]);
  });

  it("can be appended again, and are whole then", async () => {
    const [, bad] = await batches();
    const embeddings = await open(without(bad?.vectors));
    await find(embeddings, "bad");
    await embeddings.append(vectorsOf("bad"));
    expect(await find(await open(), "good", "bad")).toEqual(vectorsOf("good", "bad"));
  });

  it("do not stop the others from being joined", async () => {
    const [, bad] = await batches();
    const broken = without(bad?.vectors);
    for (let i = 0; i < 100; i++) await (await open(broken)).append(vectorsOf(`text ${i}`));
    expect((await batches()).length).toBeLessThan(40);
    expect((await find(await open(broken), "good", "text 5", "text 99")).size).toBe(3);
  });
});

it("a failure of the store is passed on", async () => {
  await (await open()).append(vectorsOf("one"));
  const failure = new TwelveError("STORE_UNUSABLE", "no disk");
  const broken: Store = { ...store, blobs: { ...store.blobs, write: () => Promise.reject(failure) } };
  const embeddings = await open(broken);
  await expect(embeddings.append(vectorsOf("two"))).rejects.toBe(failure);
  // The next call is served all the same.
  await expect(embeddings.append(vectorsOf("three"))).rejects.toBe(failure);
  await expect(open({ ...store, blobs: { ...store.blobs, read: () => Promise.reject(failure) } })).rejects.toBe(failure);
});

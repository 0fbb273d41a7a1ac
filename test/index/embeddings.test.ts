import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { refs } from "../../src/artifact/refs.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { type Digest, digestOf } from "../../src/core/descriptor.ts";
import { TwelveError } from "../../src/core/errors.ts";
import { openEmbeddings } from "../../src/index/embeddings.ts";
import { EmbeddingBatches } from "../../src/index/schema.ts";
import type { Store } from "../../src/ports/store.ts";

const identity = { provider: "fake", model: "m", dimensions: 3, normalised: false, documentTask: null, queryTask: null };
const name = `${refs.embeddings(digestOf(canonicalJson(identity)))}batches`;

let store: Store;
beforeEach(async () => {
  store = await openStore("memory:", { dir: "/", env: {} });
});

function vectorsOf(...texts: readonly string[]): Map<Digest, Float32Array> {
  return new Map(texts.map((text) => [digestOf(text), Float32Array.of(text.length, Math.PI, -text.charCodeAt(0))]));
}
async function batches(): Promise<EmbeddingBatches["batches"]> {
  return EmbeddingBatches.parse(JSON.parse((await store.refs.read(name))?.value ?? "null")).batches;
}

describe("stored embeddings", () => {
  it("come back exactly, and only the wanted ones", async () => {
    await openEmbeddings(store, identity).append(vectorsOf("one", "two"));
    await openEmbeddings(store, identity).append(vectorsOf("three"));
    const { vectors } = await openEmbeddings(store, identity).load(vectorsOf("three", "one", "unknown"));
    expect(vectors).toEqual(vectorsOf("one", "three"));
  });

  it("are kept apart by everything in the embedder's identity", async () => {
    await openEmbeddings(store, identity).append(vectorsOf("one"));
    for (const other of [{ ...identity, model: "n" }, { ...identity, documentTask: "passage" }, { ...identity, normalised: true }]) {
      expect((await openEmbeddings(store, other).load(vectorsOf("one"))).vectors.size).toBe(0);
    }
  });

  it("are all listed when several processes append at the same time", async () => {
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`);
    await Promise.all(texts.map((text) => openEmbeddings(store, identity).append(vectorsOf(text))));
    expect((await openEmbeddings(store, identity).load(vectorsOf(...texts))).vectors.size).toBe(20);
  });

  it("are packed into few batches, however many runs add some", async () => {
    const texts = Array.from({ length: 100 }, (_, i) => `text ${i}`);
    for (const text of texts) await openEmbeddings(store, identity).append(vectorsOf(text));
    expect((await batches()).length).toBeLessThan(33);
    expect((await openEmbeddings(store, identity).load(vectorsOf(...texts))).vectors).toEqual(vectorsOf(...texts));
  });

  it("that are damaged or gone are reported once and leave the list", async () => {
    const embeddings = openEmbeddings(store, identity);
    await embeddings.append(vectorsOf("good"));
    await embeddings.append(vectorsOf("bad"));
    const [, bad] = await batches();
    const broken: Store = {
      ...store,
      blobs: {
        ...store.blobs,
        read: (blob) => (blob.digest === bad?.digest ? Promise.reject(new TwelveError("BLOB_CORRUPT", "a bit flipped")) : store.blobs.read(blob)),
      },
    };
    const { vectors, damaged } = await openEmbeddings(broken, identity).load(vectorsOf("good", "bad"));
    expect(damaged).toEqual([bad]);
    expect(vectors).toEqual(vectorsOf("good"));
    expect(await openEmbeddings(broken, identity).load(vectorsOf("bad"))).toEqual({ vectors: new Map(), damaged: [] });
  });

  it("pass on a failure of the store", async () => {
    await openEmbeddings(store, identity).append(vectorsOf("one"));
    const failure = new TwelveError("STORE_UNUSABLE", "no disk");
    const broken: Store = { ...store, blobs: { ...store.blobs, read: () => Promise.reject(failure) } };
    await expect(openEmbeddings(broken, identity).load(vectorsOf("one"))).rejects.toBe(failure);
  });
});

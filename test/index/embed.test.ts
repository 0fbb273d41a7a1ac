import { beforeEach, describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import { type Embedding, embedTexts } from "../../src/index/embed.ts";
import { type Embeddings, openEmbeddings } from "../../src/index/embeddings.ts";
import type { Embedder } from "../../src/ports/embedding.ts";
import type { Store } from "../../src/ports/store.ts";

const identity = { provider: "fake", model: "m", dimensions: 2, normalised: false, documentTask: null, queryTask: null };
const texts = new Map(Array.from({ length: 10 }, (_, i) => [digestOf(`t${i}`), `t${i}`] as const));

let store: Store;
beforeEach(async () => {
  store = await openStore("memory:", { dir: "/", env: {} });
});

/** Two texts a call; `answer` may fail or give other vectors. */
function fakeEmbedder(answer: (texts: readonly string[], call: number) => readonly Float32Array[] | Promise<readonly Float32Array[]> = vectorsOf): { embedder: Embedder; asked: string[] } {
  const asked: string[] = [];
  let calls = 0;
  const embed: Embedder["embed"] = async (batch) => {
    asked.push(...batch);
    return answer(batch, ++calls);
  };
  return { embedder: { identity, maxBatch: 2, embed }, asked };
}
function vectorsOf(batch: readonly string[]): readonly Float32Array[] {
  return batch.map((text) => Float32Array.of(text.charCodeAt(1), 1));
}
async function run(embedder: Embedder, options: Partial<Embedding> = {}): ReturnType<typeof embedTexts> {
  const embeddings = openEmbeddings(store, identity);
  return embedTexts({ texts, embedder, embeddings, signal: new AbortController().signal, onProgress: () => {}, onDamaged: () => {}, ...options });
}
async function stored(): Promise<number> {
  return (await openEmbeddings(store, identity).load(texts)).vectors.size;
}

describe("embedding", () => {
  it("gives every text its own vector and asks for each once", async () => {
    const { embedder, asked } = fakeEmbedder();
    const { vectors, embedded } = await run(embedder);
    expect(embedded).toBe(10);
    expect(vectors.get(digestOf("t7"))).toEqual(Float32Array.of("7".charCodeAt(0), 1));
    expect(asked.toSorted()).toEqual([...texts.values()].toSorted());
  });

  it("asks for nothing that the store knows", async () => {
    await run(fakeEmbedder().embedder);
    const { embedder, asked } = fakeEmbedder();
    const { vectors, embedded } = await run(embedder, { texts: new Map([...texts, [digestOf("new"), "new"]]) });
    expect([asked, embedded, vectors.size]).toEqual([["new"], 1, 11]);
  });

  it("keeps what was embedded before a failure, and goes on from there", async () => {
    const failure = new Error("service down");
    const { embedder } = fakeEmbedder((batch, call) => (call <= 3 ? vectorsOf(batch) : Promise.reject(failure)));
    await expect(run(embedder)).rejects.toBe(failure);
    expect(await stored()).toBe(6);
    const again = fakeEmbedder();
    expect((await run(again.embedder)).embedded).toBe(4);
    expect(again.asked).toHaveLength(4);
  });

  it("stops between batches when it is interrupted, and keeps what is done", async () => {
    const controller = new AbortController();
    const reason = new Error("interrupted");
    const { embedder, asked } = fakeEmbedder((batch, call) => {
      if (call === 2) controller.abort(reason);
      return vectorsOf(batch);
    });
    await expect(run(embedder, { signal: controller.signal })).rejects.toBe(reason);
    expect(await stored()).toBe(asked.length);
    expect(asked.length).toBeLessThan(10);
  });

  it("tells how far it is, from what the store knew to the last text", async () => {
    await run(fakeEmbedder().embedder, { texts: new Map([...texts].slice(0, 4)) });
    const told: (readonly [number, number])[] = [];
    await run(fakeEmbedder().embedder, { onProgress: (done, total) => told.push([done, total]) });
    expect(told).toEqual([[4, 10], [6, 10], [8, 10], [10, 10]]);
  });

  it.each([
    ["too few vectors", (batch: readonly string[]) => vectorsOf(batch).slice(1), "gave 1 vectors"],
    ["vectors of another length", (batch: readonly string[]) => batch.map(() => new Float32Array(3)), "of 3 numbers"],
    ["what is no number", (batch: readonly string[]) => batch.map(() => Float32Array.of(Number.NaN, 1)), "2 finite numbers"],
  ])("refuses an embedder that gives %s, and stores none of it", async (_, answer, message) => {
    await expect(run(fakeEmbedder(answer).embedder)).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining(message) });
    expect(await stored()).toBe(0);
  });

  it("says when stored batches are damaged, and embeds their texts again", async () => {
    await run(fakeEmbedder().embedder);
    const told: number[] = [];
    const embeddings = openEmbeddings(store, identity);
    const damaged = { mediaType: "x", digest: digestOf("x"), size: 1 };
    const lossy: Embeddings = {
      ...embeddings,
      load: async (wanted) => ({ vectors: new Map([...(await embeddings.load(wanted)).vectors].slice(4)), damaged: [damaged] }),
    };
    const { embedded } = await run(fakeEmbedder().embedder, { embeddings: lossy, onDamaged: (count) => told.push(count) });
    expect([embedded, told]).toEqual([4, [1]]);
  });
});

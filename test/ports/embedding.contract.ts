import { describe, expect, it } from "vitest";
import { type Embedder, EmbedderIdentity } from "../../src/ports/embedding.ts";

/** In as few calls as the embedder allows. */
async function embedAll(embedder: Embedder, texts: readonly string[]): Promise<readonly Float32Array[]> {
  const vectors: Float32Array[] = [];
  for (let start = 0; start < texts.length; start += embedder.maxBatch) vectors.push(...(await embedder.embed(texts.slice(start, start + embedder.maxBatch), "document")));
  return vectors;
}

/** The promise of the embedding port; every adapter joins with one call. */
export function describeEmbedder(name: string, open: () => Embedder | Promise<Embedder>): void {
  describe(`${name} as an embedder`, () => {
    it("gives one vector of the promised length for each text, in order", async () => {
      const embedder = await open();
      const [first, second, third] = await embedAll(embedder, ["store configuration", "send a parcel", "store configuration"]);
      expect([first, second, third].map((vector) => vector?.length)).toEqual([embedder.identity.dimensions, embedder.identity.dimensions, embedder.identity.dimensions]);
      expect(third).toEqual(first);
      expect(second).not.toEqual(first);
    });

    it("says who it is and what it takes", async () => {
      const embedder = await open();
      expect(EmbedderIdentity.parse(embedder.identity)).toEqual(embedder.identity);
      const limits = [embedder.maxBatch, embedder.maxBatchTokens ?? 1, embedder.maxTextTokens ?? 1, embedder.requestsAtOnce ?? 1];
      expect(limits.every((limit) => Number.isInteger(limit) && limit > 0)).toBe(true);
      expect(embedder.usdPerMillionTokens ?? 0).toBeGreaterThanOrEqual(0);
      // A check embeds.
      expect(embedder.isCheckPaid === true).toBe(embedder.usdPerMillionTokens !== 0);
      expect(embedder.fusionWeight).toBeGreaterThan(0);
    });

    it("embeds queries into the space of the documents", async () => {
      const embedder = await open();
      const [query = new Float32Array()] = await embedder.embed(["Where is the configuration stored?"], "query");
      const [near = new Float32Array(), far = new Float32Array()] = await embedAll(embedder, ["The configuration is stored in the environment", "Parcels leave our house every working day"]);
      const product = (vector: Float32Array): number => vector.reduce((sum, value, i) => sum + value * (query[i] ?? 0), 0);
      expect(query).toHaveLength(embedder.identity.dimensions);
      expect(product(near)).toBeGreaterThan(product(far));
    });

    it("says that it is there, and how long its vectors are", async () => {
      const embedder = await open();
      const { version, detail } = await embedder.check();
      expect([version === null || version.length > 0, detail]).toEqual([true, expect.stringMatching(new RegExp(`^${embedder.identity.dimensions} dimensions`))]);
    });

    it("gives a text the same vector alone and in a batch", async () => {
      const embedder = await open();
      const texts = ["one text", "another text", "テキスト"];
      const alone = await Promise.all(texts.map(async (text) => (await embedder.embed([text], "document"))[0]));
      expect(await embedAll(embedder, texts)).toEqual(alone);
    });

    it("gives vectors of length 1 when its identity says so", async () => {
      const embedder = await open();
      const [vector = new Float32Array()] = await embedder.embed(["Vectors of length one make cosine a sum of products"], "document");
      const length = Math.hypot(...vector);
      expect(embedder.identity.normalised ? Math.abs(length - 1) : 0).toBeLessThan(1e-5);
      expect(length).toBeGreaterThan(0);
    });

    it("takes as many texts at once as it says", async () => {
      const embedder = await open();
      const texts = Array.from({ length: embedder.maxBatch }, (_, i) => `text number ${i}`);
      expect(await embedder.embed(texts, "document")).toHaveLength(embedder.maxBatch);
      expect(await embedder.embed([], "document")).toEqual([]);
    });

    it("gives finite numbers for empty, long and strange texts", async () => {
      const embedder = await open();
      const vectors = await embedAll(embedder, ["", " \n", "word ".repeat(20_000), "👩‍👩‍👧 \u{10FFFF} \u0000", "!?"]);
      expect(vectors.every((vector) => vector.every(Number.isFinite))).toBe(true);
    });

    it("does no work for an aborted signal", async () => {
      const embedder = await open();
      const reason = new Error("stopped");
      await expect(embedder.embed(["text"], "query", AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}

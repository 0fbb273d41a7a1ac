import { describe, expect, it } from "vitest";
import type { Reranker } from "../../src/ports/rerank.ts";

const texts = ["Parcels leave our house every working day.", "Store the configuration in the environment.", "The moon has no air."];

/** The promise of the rerank port; every adapter joins with one call. */
export function describeReranker(name: string, open: () => Promise<Reranker>): void {
  describe(`${name} as a reranker`, () => {
    it("gives one finite score per text, in the order of the texts, the highest to the most relevant", async () => {
      const scores = await (await open()).rerank("Where is the configuration stored?", texts);
      expect(scores).toHaveLength(3);
      expect(scores.every(Number.isFinite)).toBe(true);
      expect(scores.indexOf(Math.max(...scores))).toBe(1);
      expect(await (await open()).rerank("Where is the configuration stored?", texts.toReversed())).toEqual(scores.toReversed());
    });

    it("takes no text, one, a hundred, and texts that are empty or strange", async () => {
      const reranker = await open();
      expect(await reranker.rerank("question", [])).toEqual([]);
      const [alone] = await reranker.rerank("question", ["an answer to the question"]);
      const many = await reranker.rerank("question", [...Array.from({ length: 99 }, (_, i) => `text number ${i}`), "an answer to the question"]);
      expect([many.length, many[99]]).toEqual([100, alone]);
      const strange = await reranker.rerank("question", ["", " \n", "word ".repeat(20_000), "\ud83d", "an answer to the question"]);
      expect(strange).toHaveLength(5);
      expect(strange.every(Number.isFinite)).toBe(true);
      expect(strange[4]).toBe(alone);
    });

    it("says that it is there", async () => {
      const { version } = await (await open()).check();
      expect(version === null || version.length > 0).toBe(true);
    });

    it("names itself without credentials", async () => {
      expect((await open()).name).toMatch(/^[a-z+]+:\S+/);
    });

    it("does no work for an aborted signal", async () => {
      const reason = new Error("stopped");
      await expect((await open()).rerank("question", texts, AbortSignal.abort(reason))).rejects.toBe(reason);
    });
  });
}

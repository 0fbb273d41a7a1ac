import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { planMerge } from "../../src/index/merge-plan.ts";
import type { EmbeddingBatch } from "../../src/index/schema.ts";

const batch = (count: number, name: string): EmbeddingBatch => ({ count, keys: digestOf(`keys ${name}`), vectors: digestOf(`vectors ${name}`) });
const batches = (length: number, count: number): readonly EmbeddingBatch[] => Array.from({ length }, (_, i) => batch(count, `${count} ${i}`));
/** Vectors of a kilobyte: counts are kilobytes. */
const dimensions = 256;
const megabytes = 1024;

describe("merging batches of embeddings", () => {
  it("waits until there are 32 small ones", () => {
    expect(planMerge([], dimensions)).toEqual([]);
    expect(planMerge(batches(31, 10), dimensions)).toEqual([]);
    expect(planMerge(batches(32, 10), dimensions)).toEqual(batches(32, 10));
  });

  it("leaves batches of 32 MB and more as they are", () => {
    const large = batches(100, 32 * megabytes);
    expect(planMerge(large, dimensions)).toEqual([]);
    expect(planMerge([...large, ...batches(32, 10)], dimensions)).toEqual(batches(32, 10));
  });

  it("makes none of more than 64 MB", () => {
    const taken = planMerge(batches(40, 20 * megabytes), dimensions);
    expect(taken).toEqual(batches(40, 20 * megabytes).slice(0, 3));
  });

  it("always has at least two to join, so that the list gets shorter", () => {
    expect(planMerge(batches(32, 32 * megabytes - 1), dimensions)).toHaveLength(2);
  });

  it("keeps the list short over any number of additions, and writes each vector a few times only", () => {
    let list: readonly EmbeddingBatch[] = [];
    let longest = 0;
    let written = 0;
    for (let i = 0; i < 2000; i++) {
      const taken = new Set(planMerge(list, dimensions));
      const count = [...taken].reduce((sum, each) => sum + each.count, 0);
      if (taken.size > 0) list = [...list.filter((each) => !taken.has(each)), batch(count, `merged ${i}`)];
      list = [...list, batch(256, `new ${i}`)];
      written += 256 + count;
      longest = Math.max(longest, list.length);
    }
    expect(longest).toBeLessThan(64);
    expect(written / (2000 * 256)).toBeLessThan(6);
  });
});

import { describe, expect, it } from "vitest";
import type { VectorHit } from "../../src/ports/vectors.ts";
import { fuse, rankHits } from "../../src/retrieval/fuse.ts";

const hit = (id: string, score = 1): VectorHit => ({ id, document: `${id}.md`, headings: "", text: id, metadata: {}, score });
const list = (mode: "vector" | "text", weight: number, ...hits: readonly VectorHit[]) => ({ mode, weight, hits });

describe("fuse", () => {
  it("adds weight / (60 + rank) of each list, and keeps what each list said", () => {
    const [first, second] = fuse([list("text", 1, hit("a", 7.5), hit("b", 3)), list("vector", 0.5, hit("b", 0.9))]);
    expect(first).toEqual({ ...hit("b"), score: 1 / 62 + 0.5 / 61, scores: { text: { rank: 2, score: 3 }, vector: { rank: 1, score: 0.9 }, fused: 1 / 62 + 0.5 / 61 } });
    expect(second).toEqual({ ...hit("a"), score: 1 / 61, scores: { text: { rank: 1, score: 7.5 }, fused: 1 / 61 } });
  });

  it("breaks ties by ID", () => {
    const fused = fuse([list("text", 1, hit("x"), hit("b")), list("vector", 1, hit("b"), hit("x")), ]);
    expect(fused.map(({ id }) => id)).toEqual(["b", "x"]);
  });

  it("keeps the order of a list that weighs much more than the other", () => {
    const text = ["c", "a", "d", "b"].map((id) => hit(id));
    const fused = fuse([list("text", 1, ...text), list("vector", 0.001, ...text.toReversed(), hit("e"))]);
    expect(fused.map(({ id }) => id)).toEqual(["c", "a", "d", "b", "e"]);
  });

  it("gives nothing for nothing", () => {
    expect(fuse([list("text", 1), list("vector", 1)])).toEqual([]);
  });
});

describe("rankHits", () => {
  it("keeps the scores of a single list", () => {
    expect(rankHits(list("text", 1, hit("a", 7)))).toEqual([{ ...hit("a", 7), scores: { text: { rank: 1, score: 7 } } }]);
  });
});

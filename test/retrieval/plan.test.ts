import { describe, expect, it } from "vitest";
import { RetrieveSettings as Settings } from "../../src/manifest/schema.ts";
import { planSearch } from "../../src/retrieval/plan.ts";
import type { RetrieveSettings } from "../../src/retrieval/schema.ts";

const settings = (given: object): RetrieveSettings => Settings.parse({ index: "docs", ...given });

describe("planSearch", () => {
  it("looks into one list for vector and text, without merging", () => {
    expect(planSearch(settings({ mode: "text", topK: 7 }), 0.3)).toEqual({
      lists: [{ mode: "text", weight: 1 }], isFused: false, depth: 7, candidates: 7, topK: 7, minScore: Number.NEGATIVE_INFINITY, filter: {},
    });
  });

  it("gives the vector list of a hybrid search the embedder's weight, and looks deeper than the answer", () => {
    expect(planSearch(settings({ topK: 20 }), 0.3)).toMatchObject({ lists: [{ mode: "text", weight: 1 }, { mode: "vector", weight: 0.3 }], isFused: true, depth: 80, candidates: 20 });
    expect(planSearch(settings({ topK: 3 }), 0.3)).toMatchObject({ depth: 50 });
  });

  it("takes the weights of the settings, and leaves out a list that weighs nothing", () => {
    expect(planSearch(settings({ vectorWeight: 2, textWeight: 0.5 }), 0.3).lists).toEqual([{ mode: "text", weight: 0.5 }, { mode: "vector", weight: 2 }]);
    expect(planSearch(settings({ textWeight: 0 }), 0.3)).toMatchObject({ lists: [{ mode: "vector", weight: 0.3 }], isFused: true });
  });

  it("refuses a hybrid search in which nothing weighs anything", () => {
    expect(() => planSearch(settings({ textWeight: 0, vectorWeight: 0 }), 1)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
  });

  it.each([
    [{ topK: 3 }, 25],
    [{ topK: 10 }, 50],
    [{ topK: 10, candidates: 200 }, 200],
    [{ topK: 10, candidates: 4 }, 10],
  ])("gives a reranker of %j %i candidates", (given, candidates) => {
    const plan = planSearch(settings({ ...given, reranker: "tei+http://127.0.0.1:1" }), 1);
    expect(plan.candidates).toBe(candidates);
    expect(plan.depth).toBeGreaterThanOrEqual(candidates);
    expect(planSearch(settings({ ...given, mode: "vector", reranker: "tei+http://127.0.0.1:1" }), 1).depth).toBe(candidates);
  });

  it("compares filters as text, a single value like a list of one", () => {
    expect(planSearch(settings({ filter: { language: "en", year: 2024, tags: ["a", true] } }), 1).filter).toEqual({ language: ["en"], year: ["2024"], tags: ["a", "true"] });
  });
});

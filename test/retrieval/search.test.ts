import { describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { RetrieveSettings } from "../../src/manifest/schema.ts";
import type { Embedder } from "../../src/ports/embedding.ts";
import type { Reranker } from "../../src/ports/rerank.ts";
import type { VectorHit, VectorIndex, VectorQuery } from "../../src/ports/vectors.ts";
import { planSearch } from "../../src/retrieval/plan.ts";
import type { RetrievedChunk } from "../../src/retrieval/schema.ts";
import { searchChunks } from "../../src/retrieval/search.ts";

const hit = (id: string, score: number): VectorHit => ({ id, document: `${id}.md`, headings: id === "a" ? "Top > A" : "", text: `text of ${id}`, metadata: {}, score });

interface Asked {
  readonly embedded: string[];
  readonly queries: VectorQuery[];
  readonly reranked: (readonly string[])[];
  /** What the reranker was asked. */
  readonly questions: string[];
}

/** Words find a, b and c in this order, vectors c and d. */
function parts(asked: Asked, { scores, maxTextTokens }: { readonly scores?: readonly number[]; readonly maxTextTokens?: number } = {}) {
  const lists = { text: [hit("a", 9), hit("b", 5), hit("c", 4)], vector: [hit("c", 0.8), hit("d", 0.2)] };
  const vectors: VectorIndex = {
    search: async (query) => {
      asked.queries.push(query);
      return lists[query.mode].slice(0, query.topK);
    },
    count: () => Promise.resolve(4),
    ids: async function* () {},
    rows: async function* () {},
    close: () => {},
  };
  const embedder: Embedder = {
    identity: { provider: "stub", model: "stub", dimensions: 2, normalised: true, documentTask: null, queryTask: null },
    maxBatch: 1,
    usdPerMillionTokens: 0,
    fusionWeight: 1,
    check: () => Promise.resolve({ version: null }),
    ...(maxTextTokens === undefined ? {} : { maxTextTokens }),
    embed: async (texts, task) => {
      asked.embedded.push(...texts.map((text) => `${task}: ${text}`));
      return texts.map(() => Float32Array.of(1, 0));
    },
  };
  const reranker: Reranker = {
    name: "stub",
    check: () => Promise.resolve({ version: null }),
    rerank: async (question, texts) => {
      asked.questions.push(question);
      asked.reranked.push(texts);
      return scores ?? [];
    },
  };
  return { vectors, embedder, reranker: scores === undefined ? undefined : reranker };
}

async function search(question: string, given: object, options?: Parameters<typeof parts>[1]): Promise<Asked & { readonly found: readonly RetrievedChunk[]; readonly ids: readonly string[] }> {
  const asked: Asked = { embedded: [], queries: [], reranked: [], questions: [] };
  const found = await searchChunks(question, planSearch(RetrieveSettings.parse({ index: "docs", ...given }), 1), parts(asked, options));
  return { ...asked, found, ids: found.map(({ id }) => id) };
}

describe("searchChunks", () => {
  it("asks only the list that the mode names, and embeds nothing for words", async () => {
    const { ids, embedded, queries } = await search("what?", { mode: "text", topK: 2, filter: { team: "x" } });
    expect(ids).toEqual(["a", "b"]);
    expect(embedded).toEqual([]);
    expect(queries).toEqual([{ mode: "text", text: "what?", topK: 2, filter: { team: ["x"] } }]);
  });

  it("numbers the chunks and keeps their scores", async () => {
    const { found, embedded } = await search(" what? ", { mode: "vector", topK: 5 });
    expect(found).toEqual([
      { number: 1, ...hit("c", 0.8), scores: { vector: { rank: 1, score: 0.8 } } },
      { number: 2, ...hit("d", 0.2), scores: { vector: { rank: 2, score: 0.2 } } },
    ]);
    expect(embedded).toEqual(["query: what?"]);
  });

  it("merges both lists for hybrid", async () => {
    const { found, ids } = await search("what?", { topK: 3 });
    expect(ids).toEqual(["c", "a", "b"]);
    expect(found[0]?.scores).toEqual({ text: { rank: 3, score: 4 }, vector: { rank: 1, score: 0.8 }, fused: 1 / 61 + 1 / 63 });
  });

  it.each(["", "   \n\t "])("finds nothing for the blank question %j, and asks nobody", async (question) => {
    expect(await search(question, {}, { scores: [1] })).toEqual({ found: [], ids: [], embedded: [], queries: [], reranked: [], questions: [] });
  });

  it("clips a question that is far too long, at a whole character", async () => {
    const { queries } = await search("🙂".repeat(20_000), { mode: "text" });
    expect(queries[0]?.text).toBe("🙂".repeat(4000));
  });

  it("gives the whole question to every stage: an embedder that takes less cuts by itself", async () => {
    const question = "word ".repeat(1500).trim();
    const { embedded, queries, questions } = await search(question, {}, { maxTextTokens: 100, scores: [1, 2, 3, 4] });
    expect(embedded).toEqual([`query: ${question}`]);
    expect(queries.map(({ text }) => text)).toEqual([question, question]);
    expect(questions).toEqual([question]);
  });

  it("leaves out what scores below minScore in the last stage", async () => {
    expect((await search("what?", { mode: "text", minScore: 5 })).ids).toEqual(["a", "b"]);
    expect((await search("what?", { minScore: 0.017 })).ids).toEqual(["c"]);
    expect((await search("what?", { minScore: 0.5 }, { scores: [0.1, 0.9, 0.5, 0.2] })).ids).toEqual(["a", "b"]);
  });

  it("lets a reranker order the best anew, which reads headings and text", async () => {
    const { ids, reranked, found } = await search("what?", { topK: 2, reranker: "stub:x" }, { scores: [0.1, 0.9, 0.5, 0.9] });
    expect(reranked).toEqual([["text of c", "Top > A\n\ntext of a", "text of b", "text of d"]]);
    expect(ids).toEqual(["a", "d"]);
    expect(found[0]).toMatchObject({ number: 1, score: 0.9, scores: { text: { rank: 1, score: 9 }, fused: 1 / 61, rerank: { rank: 1, score: 0.9 } } });
  });

  it("asks an embedder and a reranker a second time where that helps soon, and not a third", async () => {
    const given = parts({ embedded: [], queries: [], reranked: [], questions: [] }, { scores: [1, 2, 3, 4] });
    const plan = planSearch(RetrieveSettings.parse({ index: "docs" }), 1);
    /** Each service fails so often before it answers. */
    const failing = async (times: { readonly embed?: number; readonly rerank?: number }): Promise<readonly unknown[]> => {
      const left = { embed: 0, rerank: 0, ...times };
      const fail = (which: keyof typeof left): void => {
        if (left[which]-- > 0) throw new TwelveError("SERVICE_LIMITED", `${which}: slow down`, { retry: { afterMs: 0 } });
      };
      const embedder: Embedder = { ...given.embedder, embed: async (...asked) => (fail("embed"), given.embedder.embed(...asked)) };
      const reranker: Reranker = { name: "stub", check: () => Promise.resolve({ version: null }), rerank: async (_, texts) => (fail("rerank"), texts.map(() => 1)) };
      return searchChunks("what?", plan, { vectors: given.vectors, embedder, reranker });
    };
    expect(await failing({ embed: 1, rerank: 1 })).toHaveLength(4);
    await expect(failing({ embed: 2 })).rejects.toMatchObject({ code: "SERVICE_LIMITED", message: "embed: slow down" });
    await expect(failing({ rerank: 2 })).rejects.toMatchObject({ code: "SERVICE_LIMITED", message: "rerank: slow down" });
  });

  it.each([[[0.1, 0.2]], [[0.1, 0.2, Number.NaN, 0.4]]])("refuses the answer %j of a reranker to four texts", async (scores) => {
    await expect(search("what?", {}, { scores })).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringMatching(/^stub was asked for 4 finite scores/) });
  });
});

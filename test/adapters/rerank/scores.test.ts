import { expect, it } from "vitest";
import { scoreTexts } from "../../../src/adapters/rerank/scores.ts";

const asked = { name: "cohere:rerank-v3.5", maxTexts: 2, signal: undefined };

it("scores the texts that have words, and gives the others nothing", async () => {
  const sent: (readonly string[])[] = [];
  const scores = await scoreTexts(["", "one", " \n", "two"], asked, async (texts) => {
    sent.push(texts);
    return [{ index: 1, score: 0.9 }, { index: 0, score: 0.2 }];
  });
  expect([scores, sent]).toEqual([[0, 0.2, 0, 0.9], [["one", "two"]]]);
});

it("asks nothing where no text has words", async () => {
  await expect(scoreTexts(["", " "], asked, () => Promise.reject(new Error("asked")))).resolves.toEqual([0, 0]);
});

it("refuses more texts than the reranker takes, without asking", async () => {
  await expect(scoreTexts(["one", "two", "three"], asked, () => Promise.reject(new Error("asked")))).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: "cohere:rerank-v3.5 takes 2 texts at once, and was given 3", fix: "Rerank fewer candidates" });
});

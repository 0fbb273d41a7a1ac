import { expect, it, onTestFinished } from "vitest";
import { readDocument } from "../../src/artifact/document.ts";
import { buildKind } from "../../src/build/schema.ts";
import type { Reranker } from "../../src/ports/rerank.ts";
import { readActive } from "../../src/release/read.ts";
import { indexesToSearch, openRetriever } from "../../src/retrieval/read.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { makeRelease } from "../run/release.ts";

it("opens a reranker once, however many searches are prepared with it", async () => {
  const context = await testContext({ dir: await temporaryFolder() });
  await makeRelease(context);
  const store = await context.store();
  const { release } = await readActive(store, "handbook", "staging");
  const [plan] = indexesToSearch(release, await readDocument(store, buildKind, release.build), ["docs"]);
  if (plan === undefined) throw new Error("no index");
  const opened: string[] = [];
  const openReranker = async (reference: string): Promise<Reranker> => {
    opened.push(reference);
    return { name: "stub", check: () => Promise.resolve({ version: null }), rerank: async (_question, texts) => texts.map(() => 1) };
  };
  const retriever = await openRetriever({ ...context, openReranker }, plan);
  onTestFinished(() => retriever.close());
  for (const topK of [1, 2, 3]) await retriever.prepare({ mode: "text", topK, reranker: "transformers:models/reranker" });
  expect(opened).toEqual(["transformers:models/reranker"]);
  expect(retriever.services()).toHaveLength(2);
});

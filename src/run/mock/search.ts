import { digestOf } from "../../core/descriptor.ts";
import { toHit } from "../../mock/model.ts";
import type { ScriptedPassage } from "../../mock/schema.ts";
import type { Embedder } from "../../ports/embedding.ts";
import type { Found, SearchQuery } from "../retrieve.ts";

const usualTopK = 5;

/** The passages nearest to the question, by an embedder that runs here. */
export async function searchPassages(passages: readonly ScriptedPassage[], query: SearchQuery, embedder: Embedder): Promise<Found> {
  const { question, index = "mock", agent = "mock", topK = usualTopK, filter, signal } = query;
  const left = passages.map(toHit).filter(({ metadata }) => Object.entries(filter ?? {}).every(([key, wanted]) => [wanted].flat().some((value) => [metadata[key]].flat().map(String).includes(String(value)))));
  const [asked, ...vectors] = await embedder.embed([question, ...left.map(({ headings, text }) => `${headings}\n${text}`)], "query", signal);
  const ranked = left
    .map((hit, position) => ({ ...hit, score: cosine(asked, vectors[position]) }))
    .toSorted((one, other) => other.score - one.score)
    .slice(0, topK);
  return {
    index: { name: index, digest: digestOf(JSON.stringify(passages)), documents: new Set(passages.map(({ document }) => document)).size, chunks: passages.length },
    agent,
    settings: { mode: "vector", topK, ...(filter === undefined ? {} : { filter }) },
    hits: ranked.map((hit, position) => ({ number: position + 1, ...hit, scores: { vector: { rank: position + 1, score: hit.score } } })),
  };
}

/** Of vectors of length 1. */
function cosine(one: Float32Array | undefined, other: Float32Array | undefined): number {
  return one?.reduce((sum, value, at) => sum + value * (other?.[at] ?? 0), 0) ?? 0;
}

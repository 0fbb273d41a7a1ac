import { nearest } from "../core/nearest.ts";

/** Of every model, embedder and reranker that a reference can name. */
export const modelSchemes: readonly string[] = ["mock", "openai", "anthropic", "https", "http", "bedrock", "sagemaker", "hash", "tei+https", "tei+http", "transformers", "cohere", "jina"];

/** What is wrong with the scheme of a model's reference; undefined where nothing is. */
export function schemeComplaint(reference: string): string | undefined {
  const scheme = /^[^:]*/.exec(reference)?.[0].toLowerCase() ?? "";
  if (modelSchemes.includes(scheme)) return undefined;
  const meant = nearest(scheme, modelSchemes);
  return `No model, embedder or reranker has the scheme ${scheme}:.${meant === undefined ? ` Known: ${modelSchemes.map((known) => `${known}:`).join(", ")}` : ` Did you mean ${meant}:?`}`;
}

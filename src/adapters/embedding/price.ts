/**
 * US dollars for a million input tokens at the providers' own list prices for direct calls, as they were in November 2026. An
 * estimate is made of these; what is not here has no known price, which is not the same as being free.
 */
export const embeddingPrices: Readonly<Record<string, number>> = {
  "openai:text-embedding-3-small": 0.02,
  "openai:text-embedding-3-large": 0.13,
  "openai:text-embedding-ada-002": 0.1,
  "bedrock:amazon.titan-embed-text-v1": 0.1,
  "bedrock:amazon.titan-embed-text-v2:0": 0.02,
  "bedrock:cohere.embed-english-v3": 0.1,
  "bedrock:cohere.embed-multilingual-v3": 0.1,
  "bedrock:cohere.embed-v4:0": 0.12,
};

/** null where the price is not known. */
export function priceOf(provider: string, model: string): number | null {
  const key = `${provider}:${model}`;
  return Object.hasOwn(embeddingPrices, key) ? (embeddingPrices[key] ?? null) : null;
}

/** A server of one's own has no price per token; one on this machine is that for certain. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost") || host === "[::1]" || /^127(\.\d{1,3}){3}$/.test(host);
}

import type { Usage } from "../ports/model.ts";

/** US dollars for a million tokens. */
interface Price {
  readonly input: number;
  readonly cachedInput: number;
  readonly output: number;
}

/** Written beside every cost, so that a figure can be traced to the prices it was made with. */
export const priceTable = "2026-11-23";

/** By provider, then model ID; `*` stands for all models of a provider. A model that is not here has no known price. */
const prices: Readonly<Record<string, Readonly<Record<string, Price>>>> = {
  mock: { "*": { input: 0, cachedInput: 0, output: 0 } },
};

/** The cost of one call in US dollars; null when the price or the usage is unknown, never 0 for that. */
export function costOf(provider: string, model: string, usage: Usage | null): number | null {
  const table = Object.hasOwn(prices, provider) ? prices[provider] : undefined;
  const price = table !== undefined && Object.hasOwn(table, model) ? table[model] : table?.["*"];
  if (price === undefined || usage === null) return null;
  const { inputTokens, cachedInputTokens, outputTokens } = usage;
  return ((inputTokens - cachedInputTokens) * price.input + cachedInputTokens * price.cachedInput + outputTokens * price.output) / 1e6;
}

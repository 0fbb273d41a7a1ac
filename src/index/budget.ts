import { TwelveError } from "../core/errors.ts";

/** What a run may spend on embedding. */
export interface Budget {
  /** Before a request is sent. Fails with COST_EXCEEDED when it would go beyond the limit. */
  take(tokens: number): void;
  /** For a request that failed. */
  giveBack(tokens: number): void;
  readonly tokens: number;
  /** US dollars by the chunker's own count of tokens; null where the price is not known. */
  readonly usd: number | null;
}

export function costOf(tokens: number, usdPerMillionTokens: number | null): number | null {
  return usdPerMillionTokens === null ? null : (tokens * usdPerMillionTokens) / 1e6;
}

/** Fails with COST_EXCEEDED when there is a limit and no price to hold it against: an unknown cost may be any. */
export function openBudget({ usdPerMillionTokens, maxUsd, embedder }: { readonly usdPerMillionTokens: number | null; readonly maxUsd: number | undefined; readonly embedder: string }): Budget {
  if (maxUsd !== undefined && usdPerMillionTokens === null) {
    throw new TwelveError("COST_EXCEEDED", `--max-cost cannot be kept: the price of ${embedder} is not known`, { fix: "Give it in the manifest as `embedding: { usdPerMillionTokens: … }` of the index" });
  }
  let tokens = 0;
  return {
    take(more) {
      const usd = costOf(tokens + more, usdPerMillionTokens);
      if (maxUsd !== undefined && usd !== null && usd > maxUsd) {
        throw new TwelveError("COST_EXCEEDED", `Embedding stopped before it would cost more than ${formatUsd(maxUsd)}: ${formatUsd(costOf(tokens, usdPerMillionTokens))} are spent`, { fix: "What was embedded is kept. Run the command again with a higher --max-cost, and it goes on there" });
      }
      tokens += more;
    },
    giveBack(unspent) {
      tokens -= unspent;
    },
    get tokens() {
      return tokens;
    },
    get usd() {
      return costOf(tokens, usdPerMillionTokens);
    },
  };
}

export function formatUsd(usd: number | null): string {
  if (usd === null) return "an unknown amount";
  return `$${usd === 0 || usd >= 1 ? usd.toFixed(2) : usd.toPrecision(2)}`;
}

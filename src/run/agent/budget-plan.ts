import type { RunLimits } from "../../manifest/schema.ts";
import type { Usage } from "../../ports/model.ts";
import type { RunLimit } from "./schema.ts";

/** What the model calls of a run took together. */
export interface Spent {
  readonly steps: number;
  readonly usage: Usage;
  /** US dollars; null when a price is unknown. */
  readonly costUsd: number | null;
}

export const nothingSpent: Spent = { steps: 0, usage: { inputTokens: 0, outputTokens: 0, cachedInputTokens: 0 }, costUsd: 0 };
const usualSteps = 20;

export function spend({ steps, usage, costUsd }: Spent, call: { readonly usage: Usage; readonly costUsd: number | null }): Spent {
  return {
    steps: steps + 1,
    usage: {
      inputTokens: usage.inputTokens + call.usage.inputTokens,
      outputTokens: usage.outputTokens + call.usage.outputTokens,
      cachedInputTokens: usage.cachedInputTokens + call.usage.cachedInputTokens,
    },
    costUsd: costUsd === null || call.costUsd === null ? null : costUsd + call.costUsd,
  };
}

/** Why the model is not asked again. A call that is under way is not cut, so the last one may go beyond. */
export function limitReached({ steps = usualSteps, tokens, costUsd }: RunLimits, spent: Spent): RunLimit | undefined {
  if (spent.steps >= steps) return "steps";
  if (tokens !== undefined && spent.usage.inputTokens + spent.usage.outputTokens >= tokens) return "tokens";
  // Without a price nobody can say that it is within its limit.
  if (costUsd !== undefined && (spent.costUsd === null || spent.costUsd >= costUsd)) return "cost";
  return undefined;
}

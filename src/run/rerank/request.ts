import { z } from "zod";
import { probability } from "../../core/probability.ts";

/** What text-embeddings-inference takes at once from one client. */
export const maxTexts = 32;

/** The body of `POST /rerank`; further fields are left alone, as text-embeddings-inference does. */
export const RerankRequest = z.object({
  query: z.string(),
  // Counted before they are looked at: of a megabyte of other things, each would be a complaint.
  texts: z.array(z.string()).max(maxTexts),
  raw_scores: z.boolean().default(false),
  return_text: z.boolean().default(false),
  truncate: z.boolean().nullish(),
  truncation_direction: z.enum(["right", "Right"]).default("right"),
});
export type RerankRequest = z.infer<typeof RerankRequest>;

export interface Rank {
  readonly index: number;
  readonly text?: string;
  readonly score: number;
}

/** The best first. The model's own numbers are brought between 0 and 1, unless they are asked for as they are. */
export function ranksOf({ texts, raw_scores: isRaw, return_text: hasText }: RerankRequest, scores: readonly number[]): readonly Rank[] {
  const ranks = scores.map((score, index) => ({ index, ...(hasText ? { text: texts[index] ?? "" } : {}), score: isRaw ? score : probability(score) }));
  return ranks.toSorted((left, right) => right.score - left.score);
}

export interface TeiError {
  readonly status: number;
  readonly body: { readonly error: string; readonly error_type: keyof typeof statuses };
}

/** Its kinds of errors, with the status that it answers them with. */
const statuses = { Unhealthy: 503, Backend: 424, Overloaded: 429, Tokenizer: 422, Validation: 413 } as const;

export function teiError(type: keyof typeof statuses, error: string, status: number = statuses[type]): TeiError {
  return { status, body: { error, error_type: type } };
}

export function isTeiError(value: RerankRequest | TeiError): value is TeiError {
  return "status" in value;
}

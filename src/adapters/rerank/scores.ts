import { z } from "zod";
import { TwelveError } from "../../core/errors.ts";

const Scores = z.array(z.looseObject({ index: z.int().nonnegative(), score: z.number() }));

/** The scores in the order of the texts; services give them best first. Fails with SERVICE_FAILED unless each text has exactly one. */
export function readScores(answer: unknown, { name, count }: { readonly name: string; readonly count: number }): readonly number[] {
  const read = Scores.safeParse(answer);
  if (!read.success) throw new TwelveError("SERVICE_FAILED", `${name} answered without a list of scores`, { fix: "Check that the address is that of a reranker" });
  const scores = new Map(read.data.map(({ index, score }) => [index, score]));
  const ordered = Array.from({ length: count }, (_, index) => scores.get(index));
  if (read.data.length === count && ordered.every((score) => score !== undefined)) return ordered;
  throw new TwelveError("SERVICE_FAILED", `${name} was asked to score ${count} texts and gave ${read.data.length} scores for ${ordered.filter((score) => score !== undefined).length} of them`);
}

interface Asked {
  /** The reranker, for messages. */
  readonly name: string;
  /** How many texts it takes at once. */
  readonly maxTexts: number;
  readonly signal: AbortSignal | undefined;
}

/** The scores of all texts by one request for those that have words; `ask` gives it what `readScores` reads. Fails with SERVICE_REJECTED for more texts than it takes. */
export async function scoreTexts(texts: readonly string[], { name, maxTexts, signal }: Asked, ask: (sent: readonly string[]) => Promise<unknown>): Promise<readonly number[]> {
  signal?.throwIfAborted();
  // An empty document is refused, and is relevant to nothing.
  const sent = [...texts.entries()].filter(([, text]) => text.trim() !== "");
  if (sent.length === 0) return texts.map(() => 0);
  if (sent.length > maxTexts) throw new TwelveError("SERVICE_REJECTED", `${name} takes ${maxTexts} texts at once, and was given ${sent.length}`, { fix: "Rerank fewer candidates" });
  const scores = readScores(await ask(sent.map(([, text]) => text)), { name, count: sent.length });
  const byPlace = new Map(sent.map(([place], i) => [place, scores[i] ?? 0]));
  return texts.map((_, place) => byPlace.get(place) ?? 0);
}

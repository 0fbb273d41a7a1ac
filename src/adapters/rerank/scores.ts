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

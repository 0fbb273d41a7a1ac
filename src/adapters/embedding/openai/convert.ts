import { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";

/** What is read of an answer; servers add to it as they like. */
const Answer = z.looseObject({ data: z.array(z.looseObject({ index: z.int().nonnegative().optional(), embedding: z.unknown() })) });

/** The vectors as they were sent, in the order of the texts: servers may answer in another. Fails with SERVICE_FAILED. */
export function vectorsIn(answer: unknown, name: string): readonly unknown[] {
  const read = Answer.safeParse(answer);
  if (!read.success) throw new TwelveError("SERVICE_FAILED", `${name} answered without \`data\`, a list of embeddings`, { fix: "Check that the address is that of an OpenAI-compatible API, which most servers have below /v1" });
  const { data } = read.data;
  const vectors: unknown[] = Array.from({ length: data.length });
  const seen = new Set<number>();
  for (const [position, { index = position, embedding }] of data.entries()) {
    if (index >= data.length || seen.has(index)) throw new TwelveError("SERVICE_FAILED", `${name} numbered its ${data.length} embeddings wrongly: ${index} ${seen.has(index) ? "comes twice" : "is too high"}`);
    seen.add(index);
    vectors[index] = embedding;
  }
  return vectors;
}

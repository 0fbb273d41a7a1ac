import type { Tokenizer } from "../../transformers/library.ts";

/** A question and a text as a model reads them: one row of token numbers, and which of the two each belongs to. */
export interface Pair {
  readonly tokens: readonly number[];
  readonly types: readonly number[];
  /** How long it was before it was cut. */
  readonly wholeLength: number;
}

export type PairEncoder = (query: string) => (text: string) => Pair;

/**
 * Encodes pairs of at most so many tokens; of a longer one the end of the longer half is cut, as the usual libraries do it. The
 * question is encoded once for all its texts. undefined for a tokenizer that makes no pairs.
 */
export function createPairEncoder(tokenizer: Tokenizer, maxTokens: number): PairEncoder | undefined {
  const contentOf = (text: string): readonly number[] => tokenizer.encode(text, { add_special_tokens: false });
  const { input_ids: sample, token_type_ids: types = sample.map(() => 0) } = tokenizer("a", { text_pair: "b", return_tensor: false, return_token_type_ids: true });
  const [left, right] = [contentOf("a"), contentOf("b")];
  const leftAt = place(sample, left, 0);
  const rightAt = leftAt === undefined ? undefined : place(sample, right, leftAt + left.length);
  if (leftAt === undefined || rightAt === undefined) return undefined;
  const parts = [[0, leftAt], [leftAt + left.length, rightAt], [rightAt + right.length, sample.length]].map(([start, end]) => ({ tokens: sample.slice(start, end), types: types.slice(start, end) }));
  const [before, between, after] = parts;
  const room = maxTokens - parts.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const leftType = types[leftAt] ?? 0;
  const rightType = types[rightAt] ?? 0;
  return (query) => {
    const question = contentOf(query);
    return (text) => {
      const answer = contentOf(text);
      const [queryRoom, textRoom] = share(room, question.length, answer.length);
      const cut = [question.slice(0, queryRoom), answer.slice(0, textRoom)] as const;
      return {
        tokens: [...(before?.tokens ?? []), ...cut[0], ...(between?.tokens ?? []), ...cut[1], ...(after?.tokens ?? [])],
        types: [...(before?.types ?? []), ...cut[0].map(() => leftType), ...(between?.types ?? []), ...cut[1].map(() => rightType), ...(after?.types ?? [])],
        wholeLength: maxTokens - room + question.length + answer.length,
      };
    };
  };
}

/** The shorter half stays whole where it takes less than half of the room. */
function share(room: number, left: number, right: number): readonly [number, number] {
  if (left + right <= room) return [left, right];
  const half = Math.floor(room / 2);
  if (left <= half) return [left, room - left];
  return right <= half ? [room - right, right] : [room - half, half];
}

function place(all: readonly number[], part: readonly number[], from: number): number | undefined {
  for (let start = from; start + part.length <= all.length; start++) if (part.every((token, i) => all[start + i] === token)) return start;
  return undefined;
}

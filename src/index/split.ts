import type { TextBlock } from "../document/schema.ts";

/** Tokens of a text, by the chunker's tokenizer. */
export type Count = (text: string) => number;

export interface Room {
  readonly maxTokens: number;
  readonly count: Count;
}

/** A piece of a block that fits into a chunk. */
export interface Piece {
  readonly text: string;
  /** With the gap before it. */
  readonly tokens: number;
  /** What stands between it and the piece before it. */
  readonly gap: string;
  readonly isProse: boolean;
  readonly page?: number;
}

const gapTokens = 1;

/** The block as one piece where it fits; else cut between sentences, items, rows or lines, and inside these only at need. */
export function splitBlock(block: TextBlock, room: Room): readonly Piece[] {
  const isProse = block.kind === "prose";
  const whole = pieceOf(block.text, { gap: "\n\n", isProse, count: room.count });
  const onPage = (pieces: readonly Piece[]): readonly Piece[] => (block.page === undefined ? pieces : pieces.map((piece) => ({ ...piece, page: block.page as number })));
  if (whole.tokens <= room.maxTokens) return onPage([whole]);
  return onPage(fromBlockStart(isProse ? splitProse(block.text, room) : splitParts(block, room)));
}

/** Sentences, or parts of them where one is too long. */
export function splitProse(text: string, room: Room): readonly Piece[] {
  return sentencesOf(text).flatMap((sentence) => {
    const whole = pieceOf(sentence, { gap: " ", isProse: true, count: room.count });
    return whole.tokens <= room.maxTokens ? [whole] : splitWords(sentence, room);
  });
}

/** A line break ends a sentence too; Chinese and Japanese stops need no space after them. */
function sentencesOf(text: string): readonly string[] {
  return text.split(/(?<=[.!?…۔।]["'”’)\]]?)\s+|(?<=[。！？])|\n+/).filter((sentence) => sentence.trim() !== "");
}

function splitWords(text: string, { maxTokens, count }: Room): readonly Piece[] {
  const most = maxTokens - gapTokens;
  const words = text.split(/\s+/).filter((word) => word !== "").flatMap((word) => splitCharacters(word, { maxTokens: most, count }));
  return packed(words, { most, join: " ", count: (word) => count(` ${word}`) }).map((part) => pieceOf(part, { gap: " ", isProse: true, count }));
}

/** Halves until a part fits, between code points and never before a mark that belongs to the character before it. */
function splitCharacters(word: string, room: Room): readonly string[] {
  if (word.length === 1 || room.count(` ${word}`) <= room.maxTokens) return [word];
  let middle = Math.ceil(word.length / 2);
  while (middle < word.length && /^[\p{M}\u200d\udc00-\udfff]/u.test(word.slice(middle))) middle++;
  // One character and its marks: as small as text becomes.
  if (middle === word.length) return [word];
  return [word.slice(0, middle), word.slice(middle)].flatMap((half) => splitCharacters(half, room));
}

/** Items, rows or lines, as many to a piece as fit, each piece with the head and tail of the block. */
function splitParts(block: TextBlock, { maxTokens, count }: Room): readonly Piece[] {
  const { head, tail, tokens } = frameOf(block, { maxTokens, count });
  const most = maxTokens - tokens - gapTokens;
  const parts = block.parts.flatMap((part) => (count(part) <= most ? [part] : splitProse(part, { maxTokens: most, count }).map(({ text }) => text)));
  const groups = packed(parts, { most, join: "\n", count: (part) => count(`${part}\n`) }).filter((text) => text.trim() !== "");
  return groups.map((text) => pieceOf(`${head}${text}${tail}`, { gap: "\n", isProse: false, count }));
}

/** What every piece begins and ends with, so that rows still have their header; nothing where it would take too much. */
function frameOf({ head = "", tail = "" }: TextBlock, { maxTokens, count }: Room): { readonly head: string; readonly tail: string; readonly tokens: number } {
  const tokens = count(head) + count(tail);
  return tokens <= maxTokens / 4 ? { head, tail, tokens } : { head: "", tail: "", tokens: 0 };
}

/** Joins neighbours as long as their tokens together stay within `most`. */
function packed(parts: readonly string[], { most, join, count }: { readonly most: number; readonly join: string; readonly count: Count }): readonly string[] {
  const groups: string[][] = [];
  let tokens = Number.POSITIVE_INFINITY;
  for (const part of parts) {
    const more = count(part);
    if (tokens + more > most) {
      groups.push([]);
      tokens = 0;
    }
    groups.at(-1)?.push(part);
    tokens += more;
  }
  return groups.map((group) => group.join(join));
}

function fromBlockStart(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.map((each, i) => (i === 0 ? { ...each, gap: "\n\n" } : each));
}

function pieceOf(text: string, { gap, isProse, count }: Pick<Piece, "gap" | "isProse"> & { readonly count: Count }): Piece {
  return { text, tokens: count(text) + gapTokens, gap, isProse };
}

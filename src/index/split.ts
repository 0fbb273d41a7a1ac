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
/** Code units of a letter with its marks or of a joined emoji; what goes on for longer was made to go on. */
const longestCharacter = 64;

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
  return packed(words, { most, join: " ", count: (word) => tokensOfWord(word, count) }).map((part) => pieceOf(part, { gap: " ", isProse: true, count }));
}

/** Wherever it will stand: most words have a token less with the space before them, some one more. */
function tokensOfWord(word: string, count: Count): number {
  return Math.max(count(word), count(` ${word}`));
}

/** Halves until a part fits. */
function splitCharacters(word: string, room: Room): readonly string[] {
  if (tokensOfWord(word, room.count) <= room.maxTokens) return [word];
  const middle = placeToCut(word);
  return middle === undefined ? [word] : [word.slice(0, middle), word.slice(middle)].flatMap((half) => splitCharacters(half, room));
}

/** Between two characters, as near to the middle as can be; where marks or joined signs never end, between two code points. */
function placeToCut(word: string): number | undefined {
  return nearestToMiddle(word, isBetweenCharacters) ?? nearestToMiddle(word, isBetweenCodePoints);
}

function nearestToMiddle(word: string, isPlace: (word: string, at: number) => boolean): number | undefined {
  const middle = Math.ceil(word.length / 2);
  for (let at = middle; at < Math.min(word.length, middle + longestCharacter); at++) if (isPlace(word, at)) return at;
  for (let at = middle - 1; at > Math.max(0, middle - longestCharacter); at--) if (isPlace(word, at)) return at;
  return undefined;
}

/** Accents, vowel signs, skin tones and what a zero-width joiner joins belong to the character before them. */
function isBetweenCharacters(word: string, at: number): boolean {
  return isBetweenCodePoints(word, at) && word[at - 1] !== "\u200d" && !/^[\p{M}\p{Emoji_Modifier}\u200d]/u.test(word.slice(at, at + 2));
}

function isBetweenCodePoints(word: string, at: number): boolean {
  return !/^[\ud800-\udbff][\udc00-\udfff]$/.test(word.slice(at - 1, at + 1));
}

/** Items, rows or lines, as many to a piece as fit, each piece with the head and tail of the block. */
function splitParts(block: TextBlock, { maxTokens, count }: Room): readonly Piece[] {
  const { head, tail, tokens, parts } = frameOf(block, { maxTokens, count });
  const most = maxTokens - tokens - gapTokens;
  const fitting = parts.flatMap((part) => (count(part) <= most ? [part] : splitProse(part, { maxTokens: most, count }).map(({ text }) => text)));
  const groups = packed(fitting, { most, join: "\n", count: (part) => count(`${part}\n`) }).filter((text) => text.trim() !== "");
  return groups.map((text) => pieceOf(`${head}${text}${tail}`, { gap: "\n", isProse: false, count }));
}

interface Frame {
  /** What every piece begins and ends with, so that rows still have their header. */
  readonly head: string;
  readonly tail: string;
  readonly tokens: number;
  readonly parts: readonly string[];
}

/** A head that would take too much of every piece is said once, as parts like the others. */
function frameOf({ head = "", tail = "", parts }: TextBlock, { maxTokens, count }: Room): Frame {
  const tokens = count(head) + count(tail);
  if (tokens <= maxTokens / 4) return { head, tail, tokens, parts };
  const linesOf = (text: string): readonly string[] => text.split("\n").filter((line) => line !== "");
  return { head: "", tail: "", tokens: 0, parts: [...linesOf(head), ...parts, ...linesOf(tail)] };
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

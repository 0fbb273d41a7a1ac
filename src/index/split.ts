import type { TextBlock } from "../document/schema.ts";
import { countTokens } from "./token.ts";

/** A piece of a block that fits into a chunk. */
export interface Piece {
  readonly text: string;
  readonly tokens: number;
  /** What stands between it and the piece before it. */
  readonly gap: string;
  readonly isProse: boolean;
}

/** The block as one piece where it fits; else cut between sentences, items, rows or lines, and inside these only at need. */
export function splitBlock(block: TextBlock, maxTokens: number): readonly Piece[] {
  const isProse = block.kind === "prose";
  const whole = piece(block.text, "\n\n", isProse);
  if (whole.tokens <= maxTokens) return [whole];
  if (isProse) return fromBlockStart(splitProse(block.text, maxTokens));
  const frame = frameOf(block, maxTokens);
  const room = maxTokens - frame.tokens;
  const parts = block.parts.flatMap((part) => (countTokens(part) <= room ? [part] : splitProse(part, room).map(({ text }) => text)));
  return fromBlockStart(group(parts, frame, room));
}

/** Sentences, or parts of them where one is too long. */
export function splitProse(text: string, maxTokens: number): readonly Piece[] {
  return sentencesOf(text).flatMap((sentence) => {
    const whole = piece(sentence, " ", true);
    return whole.tokens <= maxTokens ? [whole] : splitWords(sentence, maxTokens);
  });
}

/** A line break ends a sentence too; Chinese and Japanese stops need no space after them. */
function sentencesOf(text: string): readonly string[] {
  return text.split(/(?<=[.!?…۔।]["'”’)\]]?)\s+|(?<=[。！？])|\n+/).filter((sentence) => sentence.trim() !== "");
}

function splitWords(text: string, maxTokens: number): readonly Piece[] {
  const words = text.split(/\s+/).flatMap((word) => (countTokens(word) <= maxTokens ? [word] : splitCharacters(word, maxTokens)));
  const pieces: Piece[] = [];
  let current: string[] = [];
  let tokens = 0;
  for (const word of words) {
    const more = countTokens(word);
    if (tokens + more > maxTokens) {
      pieces.push(piece(current.join(" "), " ", true));
      current = [];
      tokens = 0;
    }
    current.push(word);
    tokens += more;
  }
  return current.length === 0 ? pieces : [...pieces, piece(current.join(" "), " ", true)];
}

/** By code points, so that no character is torn. No token is shorter than one, so that many always fit. */
function splitCharacters(word: string, maxTokens: number): readonly string[] {
  const characters = Array.from(word);
  const count = Math.ceil(characters.length / maxTokens);
  return Array.from({ length: count }, (_, i) => characters.slice(i * maxTokens, (i + 1) * maxTokens).join(""));
}

/** What every piece begins and ends with, so that rows still have their header; nothing where it would take too much. */
function frameOf({ head = "", tail = "" }: TextBlock, maxTokens: number): { readonly head: string; readonly tail: string; readonly tokens: number } {
  const tokens = countTokens(head) + countTokens(tail);
  return tokens <= maxTokens / 4 ? { head, tail, tokens } : { head: "", tail: "", tokens: 0 };
}

/** As many parts to a piece as fit. */
function group(parts: readonly string[], { head, tail }: { readonly head: string; readonly tail: string }, room: number): readonly Piece[] {
  const pieces: Piece[] = [];
  let current: string[] = [];
  let tokens = 0;
  const flush = (): void => {
    const text = current.join("\n");
    if (text.trim() !== "") pieces.push(piece(`${head}${text}${tail}`, "\n", false));
    current = [];
    tokens = 0;
  };
  for (const part of parts) {
    const more = countTokens(part);
    if (tokens + more > room) flush();
    current.push(part);
    tokens += more;
  }
  flush();
  return pieces;
}

function fromBlockStart(pieces: readonly Piece[]): readonly Piece[] {
  return pieces.map((each, i) => (i === 0 ? { ...each, gap: "\n\n" } : each));
}

function piece(text: string, gap: string, isProse: boolean): Piece {
  return { text, tokens: countTokens(text), gap, isProse };
}

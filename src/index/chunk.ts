import { digestOf, hexOf } from "../core/descriptor.ts";
import { type Block, proseBlock, type TextBlock } from "../document/schema.ts";
import type { Chunk, ChunkerIdentity } from "./schema.ts";
import { type Piece, type Room, splitBlock, splitProse } from "./split.ts";
import type { Tokenizer } from "./tokenizer.ts";

export type ChunkSizes = Pick<ChunkerIdentity, "maxTokens" | "overlapTokens">;

/** A chunk with what the ledger leaves out. */
export interface ChunkText extends Chunk {
  readonly text: string;
}

interface Cutting extends Room {
  readonly overlapTokens: number;
}

const maxHeadingLength = 200;

/** What is embedded and searched: a chunk is hard to understand without the headings it stands under. */
export function embeddedText(headings: readonly string[], text: string): string {
  return headings.length === 0 ? text : `${joinHeadings(headings)}\n\n${text}`;
}

export function joinHeadings(headings: readonly string[]): string {
  return headings.join(" > ");
}

/**
 * Cuts a document into chunks that never cross a heading, each at most `maxTokens` long with its headings. An ID rests on
 * the document's path, the headings and the text, so that editing one section leaves the IDs and embeddings of all others as they are.
 */
export function chunkDocument(document: string, blocks: readonly Block[], { maxTokens, overlapTokens, tokenizer }: ChunkSizes & { readonly tokenizer: Tokenizer }): readonly ChunkText[] {
  const occurrences = new Map<string, number>();
  const count = (text: string): number => tokenizer.count(text);
  return sectionsOf(blocks.map(wellFormed)).flatMap(({ headings: path, body }) => {
    // Long headings may not take the room away from the text.
    const headings = nearestHeadings(path, { maxTokens: Math.floor(maxTokens / 2), count });
    const headingTokens = tokensOfHeadings(headings, count);
    const room = maxTokens - headingTokens;
    return packSection(body, { maxTokens: room, overlapTokens: Math.min(overlapTokens, Math.floor(room / 2)), count }).map(({ text, tokens, page }) => {
      const textDigest = digestOf(embeddedText(headings, text));
      const occurrence = (occurrences.get(textDigest) ?? 0) + 1;
      occurrences.set(textDigest, occurrence);
      const id = hexOf(digestOf(JSON.stringify([document, headings, textDigest, occurrence]))).slice(0, 20);
      return { id, textDigest, headings, tokens: headingTokens + tokens, ...(page === undefined ? {} : { page }), text };
    });
  });
}

/** What is stored must be Unicode: JSON and YAML can write half a surrogate pair as an escape. */
function wellFormed(block: Block): Block {
  if (block.text.isWellFormed()) return block;
  return block.kind === "heading" ? { ...block, text: block.text.toWellFormed() } : { ...block, text: block.text.toWellFormed(), parts: block.parts.map((part) => part.toWellFormed()) };
}

/** As many as fit, from the innermost outwards; the start of that one where it does not fit alone. */
function nearestHeadings(path: readonly string[], room: Room): string[] {
  const start = path.findIndex((_, i) => tokensOfHeadings(path.slice(i), room.count) <= room.maxTokens);
  if (start >= 0 || path.length === 0) return path.slice(Math.max(0, start));
  return splitBlock(proseBlock(path.at(-1) ?? ""), room).slice(0, 1).map(({ text }) => text);
}

function tokensOfHeadings(headings: readonly string[], count: Room["count"]): number {
  return headings.length === 0 ? 0 : count(`${joinHeadings(headings)}\n\n`);
}

interface Section {
  readonly headings: readonly string[];
  readonly body: readonly TextBlock[];
}

function sectionsOf(blocks: readonly Block[]): readonly Section[] {
  const sections: Section[] = [];
  let path: readonly Extract<Block, { readonly kind: "heading" }>[] = [];
  let body: TextBlock[] = [];
  const close = (next?: number): void => {
    const last = path.at(-1);
    const headings = path.map(({ text }) => text);
    if (body.length > 0) sections.push({ headings, body });
    // A heading with neither text nor subsections is all there is to say; it is kept as a chunk of its own.
    else if (last !== undefined && (next === undefined || next <= last.depth)) {
      sections.push({ headings, body: [{ ...proseBlock(last.text), ...pageOf(last) }] });
    }
    body = [];
  };
  for (const block of blocks) {
    if (block.kind !== "heading") {
      if (block.text.trim() !== "") body.push(block);
      continue;
    }
    const text = Array.from(block.text).slice(0, maxHeadingLength).join("");
    if (text === "") continue;
    close(block.depth);
    path = [...path.filter(({ depth }) => depth < block.depth), { ...block, text }];
    // A paragraph that is marked up as a heading must be found by all its words.
    if (text !== block.text) body.push({ ...proseBlock(block.text), ...pageOf(block) });
  }
  close();
  return sections;
}

function pageOf({ page }: Block): { readonly page?: number } {
  return page === undefined ? {} : { page };
}

interface Packed {
  readonly text: string;
  readonly tokens: number;
  readonly page: number | undefined;
}

function packSection(body: readonly TextBlock[], cutting: Cutting): readonly Packed[] {
  const { maxTokens, overlapTokens } = cutting;
  const chunks: Packed[] = [];
  let current: Piece[] = [];
  let tokens = 0;
  for (const piece of body.flatMap((block) => splitBlock(block, cutting))) {
    if (tokens + piece.tokens > maxTokens && current.length > 0) {
      chunks.push(joinPieces(current));
      current = overlapOf(current, Math.min(overlapTokens, maxTokens - piece.tokens), cutting);
      tokens = current.reduce((sum, each) => sum + each.tokens, 0);
    }
    current.push(piece);
    tokens += piece.tokens;
  }
  return current.length === 0 ? chunks : [...chunks, joinPieces(current)];
}

/** The last sentences of a chunk that are repeated at the start of the next one. */
function overlapOf(pieces: readonly Piece[], most: number, cutting: Cutting): Piece[] {
  const overlap: Piece[] = [];
  let left = most;
  for (const piece of pieces.toReversed()) {
    if (!piece.isProse) break;
    const sentences = piece.tokens <= left ? [piece] : splitProse(piece.text, { ...cutting, maxTokens: Number.MAX_SAFE_INTEGER });
    for (const sentence of sentences.toReversed()) {
      if (sentence.tokens > left) return overlap;
      overlap.unshift(piece.page === undefined ? sentence : { ...sentence, page: piece.page });
      left -= sentence.tokens;
    }
  }
  return overlap;
}

function joinPieces(pieces: readonly Piece[]): Packed {
  const text = pieces.map(({ text, gap }, i) => (i === 0 ? text : `${gap}${text}`)).join("").replace(/^\n+/, "").trimEnd();
  return { text, tokens: pieces.reduce((sum, { tokens }) => sum + tokens, 0), page: pieces[0]?.page };
}

import { digestOf, hexOf } from "../core/descriptor.ts";
import type { Block, TextBlock } from "../document/schema.ts";
import type { Chunk, ChunkerIdentity } from "./schema.ts";
import { countTokens } from "./token.ts";
import { type Piece, splitBlock, splitProse } from "./split.ts";

export type ChunkSizes = Pick<ChunkerIdentity, "maxTokens" | "overlapTokens">;

/** Raised whenever any document is cut differently: an index with another version is made anew. */
export const chunkerVersion = 1;

/** A chunk with what the ledger leaves out. */
export interface ChunkText extends Chunk {
  readonly text: string;
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
 * Cuts a document into chunks that never cross a heading. An ID rests on the document's path, the headings and the
 * text, so that editing one section leaves the IDs and embeddings of all others as they are.
 */
export function chunkDocument(path: string, blocks: readonly Block[], sizes: ChunkSizes): readonly ChunkText[] {
  const occurrences = new Map<string, number>();
  return sectionsOf(blocks).flatMap(({ headings, body }) =>
    packSection(body, sizes).map((text) => {
      const textDigest = digestOf(embeddedText(headings, text));
      const occurrence = (occurrences.get(textDigest) ?? 0) + 1;
      occurrences.set(textDigest, occurrence);
      const id = hexOf(digestOf(JSON.stringify([path, headings, textDigest, occurrence]))).slice(0, 20);
      return { id, textDigest, headings, tokens: countTokens(text), text };
    }),
  );
}

interface Section {
  readonly headings: string[];
  readonly body: readonly TextBlock[];
}

function sectionsOf(blocks: readonly Block[]): readonly Section[] {
  const sections: Section[] = [];
  let path: readonly { readonly depth: number; readonly text: string }[] = [];
  let body: TextBlock[] = [];
  const close = (next?: number): void => {
    const last = path.at(-1);
    const headings = path.map(({ text }) => text);
    if (body.length > 0) sections.push({ headings, body });
    // A heading with neither text nor subsections is all there is to say; it is kept as a chunk of its own.
    else if (last !== undefined && (next === undefined || next <= last.depth)) {
      sections.push({ headings, body: [{ kind: "prose", text: last.text, parts: [] }] });
    }
    body = [];
  };
  for (const block of blocks) {
    if (block.kind !== "heading") {
      body.push(block);
      continue;
    }
    const text = Array.from(block.text).slice(0, maxHeadingLength).join("");
    if (text === "") continue;
    close(block.depth);
    path = [...path.filter(({ depth }) => depth < block.depth), { depth: block.depth, text }];
  }
  close();
  return sections;
}

function packSection(body: readonly TextBlock[], { maxTokens, overlapTokens }: ChunkSizes): readonly string[] {
  const chunks: string[] = [];
  let current: readonly Piece[] = [];
  let tokens = 0;
  for (const piece of body.flatMap((block) => splitBlock(block, maxTokens))) {
    if (tokens + piece.tokens > maxTokens && current.length > 0) {
      chunks.push(joinPieces(current));
      current = overlapOf(current, Math.min(overlapTokens, maxTokens - piece.tokens));
      tokens = current.reduce((sum, each) => sum + each.tokens, 0);
    }
    current = [...current, piece];
    tokens += piece.tokens;
  }
  return current.length === 0 ? chunks : [...chunks, joinPieces(current)];
}

/** The last sentences of a chunk that are repeated at the start of the next one. */
function overlapOf(pieces: readonly Piece[], room: number): readonly Piece[] {
  const overlap: Piece[] = [];
  let left = room;
  for (const piece of pieces.toReversed()) {
    if (!piece.isProse) break;
    const sentences = piece.tokens <= left ? [piece] : splitProse(piece.text, Number.MAX_SAFE_INTEGER);
    for (const sentence of sentences.toReversed()) {
      if (sentence.tokens > left) return overlap;
      overlap.unshift(sentence);
      left -= sentence.tokens;
    }
  }
  return overlap;
}

function joinPieces(pieces: readonly Piece[]): string {
  return pieces.map(({ text, gap }, i) => (i === 0 ? text : `${gap}${text}`)).join("").replace(/^\n+/, "").trimEnd();
}

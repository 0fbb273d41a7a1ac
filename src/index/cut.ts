import { readFileSync } from "node:fs";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Digest, digestOf } from "../core/descriptor.ts";
import { type DetectLanguage, openLanguageDetector } from "../document/language.ts";
import { loadDocument, loaderIdentity, type LoaderName } from "../document/read.ts";
import type { Metadata } from "../ports/document.ts";
import { chunkDocument, type ChunkSizes, type ChunkText } from "./chunk.ts";
import type { IndexedDocument, SkippedDocument } from "./schema.ts";
import { openTokenizer } from "./tokenizer.ts";

/** One file to make a document of. */
export interface CutRequest {
  readonly path: string;
  readonly loader: LoaderName;
  /** The local file that holds it; else its content is in `bytes`. */
  readonly file?: string;
  readonly bytes?: Uint8Array;
  readonly metadata?: Metadata;
}

/** A document after the chunker. */
export interface ChunkedDocument extends Omit<IndexedDocument, "chunks"> {
  readonly chunks: readonly ChunkText[];
}

export type CutResult =
  | { readonly kind: "skipped"; readonly skipped: SkippedDocument }
  | { readonly kind: "document"; readonly document: ChunkedDocument };

export type Cut = (request: CutRequest) => Promise<CutResult>;

/** The tokenizer is loaded with the first document that needs it. */
export function openCut(sizes: ChunkSizes): Cut {
  let tools: Promise<Tools> | undefined;
  return async (request) => {
    const { path, loader } = request;
    const skip = (reason: string, digest: Digest | null): CutResult => ({ kind: "skipped", skipped: { path, reason: reason.toWellFormed(), digest, loader: loaderIdentity(loader) } });
    const bytes = contentOf(request);
    if ("reason" in bytes) return skip(bytes.reason, null);
    const digest = digestOfContent(bytes.content, request.metadata);
    const loaded = await loadDocument(bytes.content, { path, loader });
    if ("reason" in loaded) return skip(loaded.reason, digest);
    const { tokenizer, detectLanguage } = await (tools ??= openTools());
    const chunks = chunkDocument(path, loaded.blocks, { ...sizes, tokenizer });
    if (chunks.length === 0) return skip("holds no text", digest);
    const metadata = wellFormed({ ...loaded.metadata, ...request.metadata });
    return { kind: "document", document: { path, digest, loader: loaderIdentity(loader), language: await detectLanguage({ ...loaded, metadata }), metadata, chunks } };
  };
}

/** What is stored must be Unicode, and YAML and JSON can write half a surrogate pair as an escape. */
function wellFormed(metadata: Metadata): Metadata {
  const scalar = <Value>(value: Value): Value => (typeof value === "string" ? (value.toWellFormed() as Value) : value);
  return Object.fromEntries(Object.entries(metadata).map(([key, value]) => [scalar(key), Array.isArray(value) ? value.map(scalar) : scalar(value)]));
}

/** The digests of local files; null for one that cannot be read. Synchronous: it is meant for a worker thread. */
export function digestFiles(files: readonly string[]): readonly (Digest | null)[] {
  return files.map((file) => {
    try {
      return digestOf(readFileSync(file));
    } catch {
      return null;
    }
  });
}

interface Tools {
  readonly tokenizer: Awaited<ReturnType<typeof openTokenizer>>;
  readonly detectLanguage: DetectLanguage;
}

async function openTools(): Promise<Tools> {
  return { tokenizer: await openTokenizer(), detectLanguage: openLanguageDetector() };
}

/** Metadata that a source gives beside the text is part of the document. */
export function digestOfContent(content: Uint8Array, metadata: Metadata | undefined): Digest {
  return metadata === undefined ? digestOf(content) : digestOf(canonicalJson([digestOf(content), metadata]));
}

function contentOf({ file, bytes }: CutRequest): { readonly content: Uint8Array } | { readonly reason: string } {
  if (file === undefined) return { content: bytes ?? new Uint8Array() };
  try {
    return { content: readFileSync(file) };
  } catch (error) {
    return { reason: `cannot be read: ${error instanceof Error && "code" in error ? String(error.code) : String(error)}` };
  }
}

import { isMetadata } from "../ports/document.ts";
import type { Chunk, IndexedDocument, Ledger, SkippedDocument } from "./schema.ts";

type Unchecked<Type> = { readonly [Key in keyof Type]?: unknown };

/** What `Ledger` of schema.ts accepts, told without a copy of its hundred thousand objects; a test holds the two together. */
export function isPlainLedger(value: unknown): boolean {
  if (!isObject<Ledger>(value, 3)) return false;
  const { version, documents, skipped } = value;
  return version === 2 && Array.isArray(documents) && documents.every(isDocument) && Array.isArray(skipped) && skipped.every(isSkipped);
}

function isDocument(value: unknown): boolean {
  if (!isObject<IndexedDocument>(value, 6)) return false;
  const { chunks, digest, language, loader, metadata, path } = value;
  return typeof path === "string" && isDigest(digest) && (language === null || typeof language === "string") && typeof loader === "string" && isMetadata(metadata) && Array.isArray(chunks) && chunks.every(isChunk);
}

function isChunk(value: unknown): boolean {
  if (!isObject<Chunk>(value, 4) && !isObject<Chunk>(value, 5)) return false;
  const { headings, id, page, textDigest, tokens } = value as Unchecked<Chunk>;
  const isPaged = "page" in value ? Number.isInteger(page) : Object.keys(value).length === 4;
  return isPaged && typeof id === "string" && isDigest(textDigest) && Number.isInteger(tokens) && Array.isArray(headings) && headings.every((heading) => typeof heading === "string");
}

function isSkipped(value: unknown): boolean {
  if (!isObject<SkippedDocument>(value, 4)) return false;
  const { path, reason, digest, loader } = value;
  return typeof path === "string" && typeof reason === "string" && (digest === null || isDigest(digest)) && (loader === null || typeof loader === "string");
}

function isObject<Type>(value: unknown, keys: number): value is Unchecked<Type> & object {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === keys;
}

const digestPattern = /^sha256:[0-9a-f]{64}$/;

function isDigest(value: unknown): boolean {
  return typeof value === "string" && digestPattern.test(value);
}

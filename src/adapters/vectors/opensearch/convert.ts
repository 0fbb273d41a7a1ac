import { createHash } from "node:crypto";
import type { VectorRow } from "../../../ports/vectors.ts";
import { contentOf, readContent } from "../content.ts";
import { labelsOf } from "../lance/filter.ts";
import { weightMark } from "./layout.ts";

/** An indexed text may have 32,766 bytes; the others are known by their digest. */
const longestKey = 8000;

/** What the server gives back of a chunk. */
export interface StoredChunk {
  readonly id: string;
  readonly content: string;
  readonly bytes?: string | undefined;
}

/** A vector of zeros has no direction and takes part in no search: the server would refuse it, or find it. */
export function chunkDocument(row: VectorRow, number: number): object {
  const { id, vector } = row;
  const isZero = vector.every((value) => value === 0);
  return { id, number, labels: labelKeys(row), content: contentOf(row), ...(isZero ? {} : { vector: [...vector], bytes: bytesOf(vector) }) };
}

export function labelKeys(row: VectorRow): readonly string[] {
  return labelsOf(row).map(keyOf);
}

/** The same letters are another term in another field. */
export function termKey(field: string, term: string): string {
  return keyOf(`${field}:${term}`);
}

export function weighed(key: string, weight: number): string {
  return `${key}${weightMark}${weight}`;
}

/** A label or a term as it is stored. */
export function keyOf(text: string): string {
  return text.length <= longestKey ? text : `sha256:${createHash("sha256").update(text).digest("hex")}`;
}

export function toRow({ id, content, bytes }: StoredChunk, dimensions: number): VectorRow {
  return { id, ...readContent(content), vector: bytes === undefined ? new Float32Array(dimensions) : vectorIn(bytes) };
}

/** In the engine's precision, so that what is equal there is equal here. Servers disagree about how a cosine becomes a score, so theirs is only for the order. */
export function cosine(question: Float32Array, bytes: string): number {
  const vector = vectorIn(bytes);
  let [product, left, right] = [0, 0, 0];
  for (let i = 0; i < vector.length; i += 1) {
    const [a, b] = [question[i] ?? 0, vector[i] ?? 0];
    product += a * b;
    left += a * a;
    right += b * b;
  }
  return Math.fround(product / Math.sqrt(left * right));
}

/** Little-endian on every machine. */
function bytesOf(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4);
  for (const [i, value] of vector.entries()) bytes.writeFloatLE(value, i * 4);
  return bytes.toString("base64");
}

function vectorIn(text: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  return Float32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(i * 4));
}

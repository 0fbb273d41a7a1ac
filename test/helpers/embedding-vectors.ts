import { openEmbedder } from "../../src/adapters/embedding/hash/adapter.ts";
import type { Embedder } from "../../src/ports/embedding.ts";

/** Gives each text its vector, as a mock service would. */
export type VectorSource = (texts: readonly string[], dimensions: number) => Promise<readonly Float32Array[]>;

/** Vectors that carry meaning: those of the hash embedder. */
export function meaningfulVectors(): VectorSource {
  const embedders = new Map<number, Embedder>();
  return async (texts, dimensions) => {
    const embedder = embedders.get(dimensions) ?? openEmbedder(`hash:${dimensions}`);
    embedders.set(dimensions, embedder);
    // A text without words has no direction there; a model gives it one all the same.
    return embedder.embed(texts.map((text) => (text.trim() === "" ? "nothing" : text)), "document");
  };
}

const poolSize = 4096;

/** Vectors that cost nothing: one of a few thousand, chosen by the text. They say nothing about it. */
export function cheapVectors(): VectorSource {
  const pools = new Map<number, readonly Float32Array[]>();
  return async (texts, dimensions) => {
    const pool = pools.get(dimensions) ?? Array.from({ length: poolSize }, (_, seed) => randomVector(seed + 1, dimensions));
    pools.set(dimensions, pool);
    return texts.map((text) => pool[hashOf(text) % poolSize] ?? new Float32Array(dimensions));
  };
}

/** A linear congruential generator: the same on every machine. Rounded, as models' answers are short. */
function randomVector(seed: number, dimensions: number): Float32Array {
  let state = Math.imul(seed, 0x9e3779b1) >>> 0;
  const numbers = Array.from({ length: dimensions }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x8000_0000 - 1;
  });
  const length = Math.hypot(...numbers);
  return Float32Array.from(numbers, (value) => value / length);
}

function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Nine significant digits keep a 32-bit float whole. */
export function jsonOf(vector: Float32Array): string {
  return `[${Array.from(vector, (value) => Number(value.toPrecision(9))).join(",")}]`;
}

export function base64Of(vector: Float32Array): string {
  const view = new DataView(new ArrayBuffer(vector.length * 4));
  for (const [i, value] of vector.entries()) view.setFloat32(i * 4, value, true);
  return Buffer.from(view.buffer).toString("base64");
}

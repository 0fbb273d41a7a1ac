import { TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import { isHangul } from "../../../core/script.ts";
import type { Embedder } from "../../../ports/embedding.ts";
import { stemOf, stopWords, type Word, wordsOf } from "./words.ts";

/** Raised whenever some text gets another vector; part of the identity, so that older indexes are not mixed in. */
const recipe = 1;
const gramLength = 4;
/** All the n-grams of a word together count as much as the word itself. */
const gramWeight = 1;
const knownWords = 50_000;

/** What a word adds to a vector: a weight at each place, up or down. */
interface Features {
  readonly places: Uint32Array;
  readonly weights: Float64Array;
}

/**
 * Signed feature hashing (Weinberger et al., 2009) of stems and their character n-grams: no model, no network, and
 * the same vector on every machine, because only additions, multiplications and square roots are used.
 */
export function openEmbedder(reference: string): Embedder {
  const dimensions = parseDimensions(reference);
  const known = new Map<string, Features>();

  function featuresOfWord(word: Word): Features {
    const found = known.get(word.text);
    if (found !== undefined) return found;
    const names = namesOf(word);
    const features = { places: Uint32Array.from(names, ([name]) => hashOf(name)), weights: Float64Array.from(names, ([, weight]) => weight) };
    if (known.size < knownWords && word.text.length <= 64) known.set(word.text, features);
    return features;
  }

  function fillVector(vector: Float32Array, text: string): Float32Array {
    const counts = new Map<string, { readonly word: Word; count: number }>();
    for (const word of wordsOf(text)) {
      const seen = counts.get(word.text);
      if (seen === undefined) counts.set(word.text, { word, count: 1 });
      else seen.count++;
    }
    const sums = new Float64Array(dimensions);
    for (const { word, count } of counts.values()) {
      const { places, weights } = featuresOfWord(word);
      // Sublinear: the tenth mention of a word says less than the first.
      const factor = Math.sqrt(count);
      for (let i = 0; i < places.length; i++) {
        const hash = places[i] ?? 0;
        const weight = (weights[i] ?? 0) * factor;
        const place = (hash >>> 1) % dimensions;
        sums[place] = (sums[place] ?? 0) + (hash & 1 ? weight : -weight);
      }
    }
    return normalise(sums, vector);
  }

  return {
    identity: { provider: "hash", model: `words-${recipe}`, dimensions, normalised: true, documentTask: null, queryTask: null },
    maxBatch: 256,
    usdPerMillionTokens: 0,
    // Its ranking is lexical as that of BM25, and worse: it finds what shares parts of words, and orders nothing anew among the best.
    fusionWeight: 0.01,
    check: () => Promise.resolve({ version: null, detail: `${dimensions} dimensions, computed in this process` }),
    embed: (texts, _task, signal) => {
      if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
      // One piece of memory for all of them: thousands of small ones take longer to find and to give back than to fill.
      const all = new Float32Array(texts.length * dimensions);
      return Promise.resolve(texts.map((text, i) => fillVector(all.subarray(i * dimensions, (i + 1) * dimensions), text)));
    },
  };
}

function parseDimensions(reference: string): number {
  const text = reference.slice("hash:".length);
  const dimensions = /^[0-9]{1,5}$/.test(text) ? Number(text) : 0;
  if (dimensions >= 8 && dimensions <= 16_384) return dimensions;
  throw new TwelveError("SERVICE_UNSUPPORTED", `${withoutCredentials(reference)} is not an embedder: hash: takes a number of dimensions from 8 to 16384`, { fix: "Write hash:512, for example" });
}

/** The features of a word by name, each with its weight. */
type Names = readonly (readonly [name: string, weight: number])[];

function namesOf({ text, isRun }: Word): Names {
  if (isRun) return runNames(Array.from(text));
  if (stopWords.has(text)) return [];
  const grams = gramsOf(Array.from(`^${text}$`), isHangul(text.charCodeAt(0)) ? 2 : gramLength);
  return [[stemOf(text), 1] as const, ...grams.map((gram) => [`#${gram}`, gramWeight / grams.length] as const)];
}

/** Without spaces the words are unknown; single characters and pairs of them are the usual stand-in. */
function runNames(characters: readonly string[]): Names {
  return [...characters.map((character) => [character, 0.5] as const), ...gramsOf(characters, 2).map((pair) => [pair, 1] as const)];
}

function gramsOf(characters: readonly string[], length: number): readonly string[] {
  return characters.slice(0, Math.max(0, characters.length - length + 1)).map((_, i) => characters.slice(i, i + length).join(""));
}

/** FNV-1a over UTF-16 code units with the finaliser of MurmurHash3, which spreads the low bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function normalise(sums: Float64Array, vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of sums) squares += value * value;
  // A text without words has no direction: its vector stays zero.
  const length = squares === 0 ? 1 : Math.sqrt(squares);
  for (let i = 0; i < sums.length; i++) vector[i] = (sums[i] ?? 0) / length;
  return vector;
}

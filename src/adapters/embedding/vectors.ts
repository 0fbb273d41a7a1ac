import { TwelveError } from "../../core/errors.ts";

interface Asked {
  /** The embedder, without credentials. */
  readonly name: string;
  /** How many vectors were asked for. */
  readonly count: number;
  /** undefined when the first answer decides. */
  readonly dimensions: number | undefined;
}

/**
 * The vectors of an answer, each given as a list of numbers or as base64 of little-endian 32-bit floats, brought to
 * length 1: what cosine says stays the same, and every provider's vectors keep one promise. Fails with SERVICE_FAILED.
 */
export function readVectors(values: unknown, { name, count, dimensions }: Asked): readonly Float32Array[] {
  if (!Array.isArray(values)) throw new TwelveError("SERVICE_FAILED", `${name} answered without a list of vectors`, { fix: notAnEmbedder });
  if (values.length !== count) throw new TwelveError("SERVICE_FAILED", `${name} was asked for ${count} ${count === 1 ? "vector" : "vectors"} and gave ${values.length}`, { fix: notAnEmbedder });
  let wanted = dimensions;
  return values.map((value: unknown) => {
    const vector = readVector(value, name);
    wanted ??= vector.length;
    if (vector.length !== wanted) {
      throw new TwelveError("SERVICE_FAILED", `${name} gave a vector of ${vector.length} numbers instead of ${wanted}`, { fix: "Name the model that was meant, or correct `dimensions` in the reference" });
    }
    return normalised(vector, name);
  });
}

const notAnEmbedder = "Check that the model is one for embeddings, and that the address is that of its API";

function readVector(value: unknown, name: string): Float32Array {
  if (typeof value === "string") return fromBase64(value, name);
  const vector = Array.isArray(value) && value.length > 0 ? fromNumbers(value) : undefined;
  if (vector !== undefined) return vector;
  throw new TwelveError("SERVICE_FAILED", `${name} gave something that is not a vector of numbers`, { fix: notAnEmbedder });
}

/** In one go: an answer may hold millions of them. */
function fromNumbers(values: readonly unknown[]): Float32Array | undefined {
  const vector = new Float32Array(values.length);
  for (let i = 0; i < vector.length; i++) {
    const value = values[i];
    if (typeof value !== "number") return undefined;
    vector[i] = value;
  }
  return vector;
}

function fromBase64(text: string, name: string): Float32Array {
  const bytes = Buffer.from(text, "base64");
  if (bytes.length === 0 || bytes.length % 4 !== 0) throw new TwelveError("SERVICE_FAILED", `${name} gave a vector that is not base64 of 32-bit numbers`, { fix: notAnEmbedder });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const vector = new Float32Array(bytes.length / 4);
  for (let i = 0; i < vector.length; i++) vector[i] = view.getFloat32(i * 4, true);
  return vector;
}

function normalised(vector: Float32Array, name: string): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  if (!Number.isFinite(squares)) throw new TwelveError("SERVICE_FAILED", `${name} gave a vector with numbers that are not finite`);
  // A vector without direction stays as it is.
  const length = squares === 0 ? 1 : Math.sqrt(squares);
  for (let i = 0; i < vector.length; i++) vector[i] = (vector[i] ?? 0) / length;
  return vector;
}

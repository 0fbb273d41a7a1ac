import type { Tensor } from "./library.ts";
import type { Pooling } from "./schema.ts";

/** The vector of one row, of length 1, from the vectors of its first `tokens` places; those after them are padding. */
export function poolRow({ dims, data }: Tensor, row: number, tokens: number, pooling: Pooling): Float32Array {
  const [, width = 0, dimensions = 0] = dims;
  const [first, end] = pooling === "mean" ? [0, tokens] : pooling === "cls" ? [0, 1] : [tokens - 1, tokens];
  const sums = new Float64Array(dimensions);
  for (let token = first; token < end; token++) {
    const start = (row * width + token) * dimensions;
    for (let i = 0; i < dimensions; i++) sums[i] = (sums[i] ?? 0) + (data[start + i] ?? 0);
  }
  // Dividing by the number of tokens first would change nothing: only the direction is left.
  let squares = 0;
  for (const sum of sums) squares += sum * sum;
  const length = squares === 0 ? 1 : Math.sqrt(squares);
  return Float32Array.from(sums, (sum) => sum / length);
}

import type { Tensor } from "../../transformers/library.ts";
import type { Pooling } from "./schema.ts";

/** One vector, of length 1, from the vectors of a text's tokens. */
export function pool({ dims, data }: Tensor, pooling: Pooling): Float32Array {
  const [, tokens = 0, dimensions = 0] = dims;
  const [first, end] = pooling === "mean" ? [0, tokens] : pooling === "cls" ? [0, 1] : [tokens - 1, tokens];
  const sums = new Float64Array(dimensions);
  for (let token = first; token < end; token++) {
    for (let i = 0; i < dimensions; i++) sums[i] = (sums[i] ?? 0) + (data[token * dimensions + i] ?? 0);
  }
  // Dividing by the number of tokens first would change nothing: only the direction is left.
  let squares = 0;
  for (const sum of sums) squares += sum * sum;
  const length = squares === 0 ? 1 : Math.sqrt(squares);
  return Float32Array.from(sums, (sum) => sum / length);
}

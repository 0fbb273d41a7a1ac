/** One line of the benchmark: a figure beside what it is compared with, measured in the same run. */
export interface Row {
  readonly name: string;
  readonly measured: string;
  readonly baseline: string;
  /** null where there is nothing to compare with. */
  readonly ratio: number | null;
  readonly budget: string;
  readonly isWithin: boolean;
}

/** Below 1, smaller samples; figures are then for trying the benchmark, not for reading. */
export const scale: number = readScale(process.env["TWELVE_BENCH_SCALE"]);

export function scaled(count: number, least = 1): number {
  return Math.max(least, Math.round(count * scale));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right);
  const middle = Math.floor(sorted.length / 2);
  const [low, high] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  if (low === undefined || high === undefined) throw new Error("There is no median of nothing");
  return (low + high) / 2;
}

function readScale(text: string | undefined): number {
  if (text === undefined || text === "") return 1;
  const value = Number(text);
  if (value > 0 && value <= 1) return value;
  throw new Error(`TWELVE_BENCH_SCALE is ${JSON.stringify(text)}; expected a number above 0 and at most 1`);
}

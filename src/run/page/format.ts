/** Numbers as people read them; what is not known is said, and never shown as 0. */

const unknown = "unknown";

export function milliseconds(value: number | null): string {
  if (value === null) return unknown;
  const whole = Math.round(value);
  if (whole >= 1000) return `${(value / 1000).toFixed(whole >= 10_000 ? 1 : 2)} s`;
  return `${value < 9.95 ? value.toFixed(1) : whole} ms`;
}

export function count(value: number): string {
  return value.toLocaleString("en");
}

/** Small sums keep two digits that say something. */
export function dollars(value: number | null): string {
  if (value === null) return unknown;
  if (value === 0) return "$0";
  return value >= 0.01 ? `$${value.toFixed(4)}` : `$${value.toLocaleString("en", { maximumSignificantDigits: 2 })}`;
}

export function score(value: number): string {
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

export function day(iso: string): string {
  return new Date(iso).toLocaleString("en-GB", { day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit" });
}

/** `+12 ms`: how much more the first is than the second. */
export function difference(first: number | null, second: number | null, format: (value: number) => string): string {
  if (first === null || second === null) return "";
  const change = first - second;
  return change === 0 ? "same" : `${change > 0 ? "+" : "−"}${format(Math.abs(change))}`;
}

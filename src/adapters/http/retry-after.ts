type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

const longestMs = 24 * 60 * 60 * 1000;

/** How long an answer asks to wait: `retry-after-ms`, else `Retry-After` as seconds or as an HTTP date; null where it does not say. */
export function retryAfterMs(headers: Headers, now: number = Date.now()): number | null {
  const milliseconds = numberOf(headers["retry-after-ms"]);
  if (milliseconds !== undefined) return bounded(milliseconds);
  const text = textOf(headers["retry-after"]);
  if (text === "") return null;
  const seconds = numberOf(text);
  if (seconds !== undefined) return bounded(seconds * 1000);
  // Node reads any number as a year.
  const date = /^[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(date) ? null : bounded(date - now);
}

function bounded(waitMs: number): number {
  return Math.min(Math.max(0, Math.ceil(waitMs)), longestMs);
}

function numberOf(value: Headers[string]): number | undefined {
  const text = textOf(value);
  return /^\d+(\.\d+)?$/.test(text) ? Number(text) : undefined;
}

function textOf(value: Headers[string]): string {
  return (typeof value === "string" ? value : (value?.[0] ?? "")).trim();
}

import { readOptions, readTimeoutMs, splitQuery } from "../../http/options.ts";

/** A search takes milliseconds; what takes this long waits for something that does not come. */
const usualTimeoutMs = 30_000;

interface Reference {
  /** What stands before the question mark: how patient we are makes no other place of it. */
  readonly place: string;
  /** For one call; of a publication, for one request without any progress. */
  readonly timeoutMs: number;
}

/** `s3://bucket/prefix?timeoutMs=30000`, `lance:/folder?timeoutMs=30000`. Fails with SERVICE_UNSUPPORTED. */
export function readReference(reference: string): Reference {
  const [place, query] = splitQuery(reference);
  return { place, timeoutMs: readTimeoutMs(readOptions(query, reference, ["timeoutMs"]), reference) ?? usualTimeoutMs };
}

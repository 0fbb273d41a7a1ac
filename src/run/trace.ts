/** Where a call stands in a distributed trace (W3C Trace Context). */
export interface Trace {
  /** 32 hex digits. */
  readonly traceId: string;
  /** 16 hex digits; ours, not the caller's. */
  readonly spanId: string;
  /** Two hex digits, taken over from the caller; a new trace counts as sampled. */
  readonly flags: string;
}

const pattern = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(?:$|-)/;

/**
 * Goes on with the caller's trace, or begins a new one when the header is missing, malformed, all zero or of the
 * forbidden version ff. Later versions than 00 may carry more fields; these are left alone, as the standard asks.
 */
export function traceOf(header: string | undefined, randomHex: (sizeBytes: number) => string): Trace {
  const spanId = randomHex(8);
  const [, version, traceId, parentId, flags] = pattern.exec(header ?? "") ?? [];
  const isTrusted =
    traceId !== undefined && flags !== undefined && version !== "ff" && !/^0+$/.test(traceId) && !/^0+$/.test(parentId ?? "") &&
    (version !== "00" || header?.length === 55);
  return isTrusted ? { traceId, spanId, flags } : { traceId: randomHex(16), spanId, flags: "01" };
}

/** The `traceparent` header that names our own span. */
export function traceParent({ traceId, spanId, flags }: Trace): string {
  return `00-${traceId}-${spanId}-${flags}`;
}

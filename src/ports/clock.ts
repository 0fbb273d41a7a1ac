/** Time and randomness, so that tests can fix both. */
export interface Clock {
  now(): Date;
  /** Milliseconds from an arbitrary start, never going back. */
  monotonicMs(): number;
  /** `size` random bytes as lower-case hex. */
  randomHex(sizeBytes: number): string;
}

import { type Descriptor, shortDigest } from "../core/descriptor.ts";
import type { Activation, Release } from "../release/schema.ts";

/** A release with its number, as `readRelease` and `readActive` give it. */
export interface ReleaseToRun {
  readonly number: number | null;
  readonly release: Release;
  readonly releaseDescriptor: Descriptor;
  /** Where its secrets were when it was activated; undefined for a release that is run without being active. */
  readonly activation?: Pick<Activation, "secrets">;
}

/** `v3`, or the beginning of the digest of a release without a number. */
export function releaseName({ number, releaseDescriptor }: ReleaseToRun): string {
  return number === null ? shortDigest(releaseDescriptor.digest) : `v${number}`;
}

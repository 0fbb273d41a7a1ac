import { writeDocument } from "../artifact/document.ts";
import { refs } from "../artifact/refs.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Descriptor, Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { listNumbers, type NumberedRelease, readCurrent, type RecordedActivation } from "./read.ts";
import { type Activation, activationKind, type Release, releaseKind, type ReleasePointer } from "./schema.ts";

interface Services {
  readonly store: Store;
  readonly clock: Clock;
}

/**
 * Stores the release and takes the next free number. Killed before the number: an unnamed blob, harmless. Of any
 * number of processes that try the same number, the store lets one create it; the others go on to the next.
 */
export async function recordRelease({ store, clock }: Services, release: Release, message?: string): Promise<NumberedRelease> {
  const releaseDescriptor = await writeDocument(store, releaseKind, release);
  for (;;) {
    const number = ((await listNumbers(store, release.app)).at(-1) ?? 0) + 1;
    const pointer: ReleasePointer = { release: releaseDescriptor, createdAt: clock.now().toISOString(), ...(message === undefined ? {} : { message }) };
    const isOurs = await store.refs.create(refs.release(release.app, number), canonicalJson(pointer));
    if (isOurs) return { number, releaseDescriptor, createdAt: pointer.createdAt, ...(message === undefined ? {} : { message }) };
  }
}

export type NewActivation = Omit<Activation, "version" | "createdAt" | "previous">;

/**
 * Appends an activation to its environment's history. `mayFollow` looks at what is current, also when another process
 * has just changed it: undefined is returned when it says no.
 */
export async function appendActivation(
  { store, clock }: Services,
  wanted: NewActivation,
  mayFollow: (current: RecordedActivation | undefined) => boolean = () => true,
): Promise<RecordedActivation | undefined> {
  const ref = refs.environment(wanted.app, wanted.environment);
  for (;;) {
    const current = await readCurrent(store, wanted.app, wanted.environment);
    if (!mayFollow(current)) return undefined;
    const activation: Activation = { version: 1, ...wanted, createdAt: clock.now().toISOString(), previous: current?.activationDescriptor ?? null };
    const activationDescriptor = await writeDocument(store, activationKind, activation);
    const value = canonicalJson({ activation: activationDescriptor });
    const isMoved = current === undefined ? await store.refs.create(ref, value) : await store.refs.replace(ref, value, current.tag);
    if (isMoved) return { activation, activationDescriptor };
  }
}

/** Like `appendActivation`, only directly after the activation that the decision was based on. Fails with RELEASE_CONFLICT. */
export async function appendAfter(services: Services, wanted: NewActivation, seen: Descriptor): Promise<RecordedActivation> {
  let found: Digest | undefined;
  const recorded = await appendActivation(services, wanted, (current) => {
    found = current?.activationDescriptor.digest;
    return found === seen.digest;
  });
  if (recorded !== undefined) return recorded;
  throw new TwelveError("RELEASE_CONFLICT", `Another process activated a release in ${wanted.environment} at the same time; nothing was changed`, {
    fix: `Look with \`twelve show ${wanted.environment}\`, then decide again`,
  });
}

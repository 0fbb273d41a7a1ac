import type { SessionKey } from "../../../ports/session.ts";

/**
 * A session of Bedrock's. It closes after a while without use, or when it has as many steps as it may: one of ours is a row of
 * them, each going on where the one before it ends.
 */
export interface Part extends SessionKey {
  readonly id: string;
  /** Shared by the parts of one session, and by no later session of the same name. */
  readonly life: string;
  /** The place of its first step among all steps of the session. */
  readonly start: number;
  readonly createdMs: number;
  readonly isOpen: boolean;
}

type Metadata = Readonly<Record<string, string>>;

export function writeMetadata({ user, session, life, start }: Pick<Part, "user" | "session" | "life" | "start">, space: string): Record<string, string> {
  return { twelve: "session", space, user, session, life, start: String(start) };
}

/** Undefined for a session that somebody else made, or that belongs to another space. */
export function readMetadata(metadata: Metadata, space: string): Pick<Part, "user" | "session" | "life" | "start"> | undefined {
  const { user, session, life, start } = metadata;
  if (metadata["twelve"] !== "session" || metadata["space"] !== space || user === undefined || session === undefined || life === undefined || !/^\d+$/.test(start ?? "")) return undefined;
  return { user, session, life, start: Number(start) };
}

/** Of several that were made for one place at the same time, the first one counts, by the clock of the service. */
export function byAge(left: Part, right: Part): number {
  return left.createdMs - right.createdMs || (left.id < right.id ? -1 : 1);
}

/** The parts of each life, the first one that counts before those that go on with it; lives without a beginning are left out. */
export function livesOf(parts: readonly Part[]): readonly (readonly Part[])[] {
  const sorted = parts.toSorted(byAge);
  const beginnings = sorted.filter(({ start }) => start === 0);
  return beginnings.map((first) => [first, ...sorted.filter(({ life, start }) => life === first.life && start > 0)]);
}

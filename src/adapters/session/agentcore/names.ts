import { createHash } from "node:crypto";
import type { SessionKey } from "../../../ports/session.ts";

/** How the memory calls a session of ours. */
export interface Place {
  readonly actorId: string;
  readonly sessionId: string;
}

const plain = /^[a-zA-Z0-9][a-zA-Z0-9-]{0,79}$/;

/** The memory takes few characters: a name that has others, or is long, is known by its hash. Only hashes have an underscore. */
export function idOf(name: string): string {
  return plain.test(name) ? name : `h_${createHash("sha256").update(name).digest("hex")}`;
}

export function isHash(id: string): boolean {
  return id.startsWith("h_");
}

export function placeOf({ user, session }: SessionKey): Place {
  return { actorId: idOf(user), sessionId: idOf(session) };
}

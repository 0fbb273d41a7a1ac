import type { Json } from "../core/canonical-json.ts";
import type { Checkable } from "./check.ts";

/** Whose session it is. Nothing of one user is ever found under the name of another. */
export interface SessionKey {
  readonly user: string;
  readonly session: string;
}

/** One message of a conversation, or one step of an agent. */
export interface SessionEntry {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  /** When it was said, UTC, in ISO 8601. */
  readonly at: string;
  /** What else belongs to it, such as tool calls and citations. */
  readonly data?: Json;
}

export interface Session {
  /**
   * What the next `append` must expect. Starts anywhere above 0 and grows with each entry: a session that is made anew under the
   * name of one that is gone starts elsewhere, so that whoever remembers the old one cannot append to the new one by mistake.
   */
  readonly version: number;
  /** In the order in which they were appended. */
  readonly entries: readonly SessionEntry[];
  readonly expiresAt: Date | null;
}

export interface SessionSummary {
  readonly session: string;
  readonly version: number;
  readonly updatedAt: Date;
}

export interface AppendOptions {
  /** The version that the caller has seen; 0 for a session that must not exist yet. */
  readonly expected: number;
  /** The session is gone this long after the append; kept for good, or as long as the service keeps anything, where it is left out. */
  readonly ttlSeconds?: number;
}

/**
 * Conversations that outlive any process. Any method may fail with the SERVICE_ codes; a user or session name that is empty,
 * longer than 200 characters, or holds control characters or half a surrogate pair fails with SESSION_INVALID. Names are told apart by
 * their characters: capitals, accents and spaces count.
 */
export interface SessionStore extends Checkable {
  /** Where it is, without credentials, for messages. */
  readonly url: string;
  /** Undefined for one that never was, was deleted, or has expired: these cannot be told apart. */
  read(key: SessionKey): Promise<Session | undefined>;
  /**
   * All entries (at least one) or none, durable when it returns, in order behind what is there; gives the new version. Of callers that
   * expect the same version exactly one succeeds, the others fail with SESSION_CONFLICT. Fails with SESSION_TOO_LARGE for more than the
   * service can hold. After SERVICE_TIMEOUT, _CUT or _UNAVAILABLE it may have happened: the session is to be read again.
   */
  append(key: SessionKey, entries: readonly SessionEntry[], options: AppendOptions): Promise<number>;
  /** Those of one user that have not expired, by the UTF-8 bytes of the session's name; `next` is given as `after` to go on. */
  list(user: string, page?: { readonly after?: string; readonly limit?: number }): Promise<{ readonly sessions: readonly SessionSummary[]; readonly next?: string }>;
  /** False where there was none. */
  delete(key: SessionKey): Promise<boolean>;
  /** Everything of one user; gives the number of sessions that were deleted. */
  deleteUser(user: string): Promise<number>;
  close(): Promise<void>;
}

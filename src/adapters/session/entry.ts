import { randomInt } from "node:crypto";
import { TwelveError } from "../../core/errors.ts";
import type { AppendOptions, SessionEntry, SessionKey } from "../../ports/session.ts";

/** What an append writes, checked before any service is asked. */
export interface Appending {
  /** One JSON text for each entry: ASCII escapes keep NUL and half surrogate pairs, which many services refuse or change. */
  readonly texts: readonly string[];
  readonly bytes: number;
  readonly expected: number;
  readonly ttlSeconds: number | undefined;
}

export interface SizeLimit {
  /** Of one whole session, as JSON. */
  readonly maxBytes: number;
  /** Of one entry, where the service has a limit for it. */
  readonly maxEntryBytes?: number;
}

/** More than any model can read; a session is read as a whole, so that a limit protects whoever reads it. */
export const usualMaxBytes: number = 16 * 1024 * 1024;

const namePattern = /^\P{Cc}{1,200}$/su;

/** Fails with SESSION_INVALID. */
export function checkName(name: string, what: "user" | "session"): void {
  if (name.length <= 200 && name.isWellFormed() && namePattern.test(name)) return;
  const shown = name.length > 40 ? `${name.slice(0, 40)}…` : name;
  throw new TwelveError("SESSION_INVALID", `${JSON.stringify(shown).replaceAll(/\p{Cc}/gu, "\uFFFD")} cannot be the name of a ${what}`);
}

export function checkKey({ user, session }: SessionKey): void {
  checkName(user, "user");
  checkName(session, "session");
}

/** Fails with SESSION_INVALID, and with SESSION_TOO_LARGE for what no session could hold. */
export function prepareAppend(key: SessionKey, entries: readonly SessionEntry[], { expected, ttlSeconds }: AppendOptions, limit: SizeLimit): Appending {
  checkKey(key);
  if (entries.length === 0) throw new RangeError("An append needs at least one entry");
  if (ttlSeconds !== undefined && !(Number.isInteger(ttlSeconds) && ttlSeconds > 0)) throw new RangeError(`A session cannot be kept for ${ttlSeconds} seconds`);
  const texts = entries.map(({ role, content, at, data }) => JSON.stringify({ role, content, at, ...(data === undefined ? {} : { data }) }));
  const sizes = texts.map((text) => Buffer.byteLength(text));
  const largest = Math.max(...sizes);
  if (largest > (limit.maxEntryBytes ?? limit.maxBytes)) throw tooLarge(key, `an entry of ${largest} bytes is more than the ${limit.maxEntryBytes ?? limit.maxBytes} that one may have`);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  if (bytes > limit.maxBytes) throw tooLarge(key, `${bytes} bytes are more than the ${limit.maxBytes} that a session may have`);
  return { texts, bytes, expected, ttlSeconds };
}

export function readEntry(text: string): SessionEntry {
  return JSON.parse(text) as SessionEntry;
}

/** Where the versions of a new session start: by chance, so that no version of a session that is gone comes again. */
export function firstVersion(): number {
  return randomInt(1, 2 ** 47);
}

/** How messages call a session, or all that a user has. */
export function named({ user, session }: { readonly user: string; readonly session?: string | undefined }): string {
  return session === undefined ? `the sessions of ${JSON.stringify(user)}` : `the session ${JSON.stringify(session)} of ${JSON.stringify(user)}`;
}

export function conflict(key: SessionKey): TwelveError {
  return new TwelveError("SESSION_CONFLICT", `T${named(key).slice(1)} was appended to, deleted or has expired since it was read`);
}

export function tooLarge(key: SessionKey, why: string, cause?: TwelveError): TwelveError {
  return new TwelveError("SESSION_TOO_LARGE", `T${named(key).slice(1)} cannot take this: ${why}`, { cause });
}

export function sessionFull(key: SessionKey, maxBytes: number): TwelveError {
  return tooLarge(key, `it would be larger than ${maxBytes} bytes`);
}

import { checkKey, checkName, conflict, firstVersion, prepareAppend, readEntry, sessionFull, usualMaxBytes } from "../entry.ts";
import { byBytes, pageOf, pageSize } from "../page.ts";
import type { SessionStore } from "../../../ports/session.ts";

interface Kept {
  version: number;
  bytes: number;
  readonly texts: string[];
  updatedMs: number;
  expiresMs: number | null;
}

export interface MemoryOptions {
  readonly maxBytes?: number;
  readonly now?: () => number;
}

/** The port's promise in the fewest lines, for as long as the process lives: for mocks and for tests. */
export function openMemorySessions({ maxBytes = usualMaxBytes, now = Date.now }: MemoryOptions = {}): SessionStore {
  const users = new Map<string, Map<string, Kept>>();
  const sessionsOf = (user: string): Map<string, Kept> => {
    const sessions = users.get(user) ?? new Map<string, Kept>();
    users.set(user, sessions);
    for (const [name, { expiresMs }] of sessions) if (expiresMs !== null && expiresMs <= now()) sessions.delete(name);
    return sessions;
  };
  return {
    url: "memory:",
    async read(key) {
      checkKey(key);
      const kept = sessionsOf(key.user).get(key.session);
      if (kept === undefined) return undefined;
      return { version: kept.version, entries: kept.texts.map(readEntry), expiresAt: kept.expiresMs === null ? null : new Date(kept.expiresMs) };
    },
    async append(key, entries, options) {
      const { texts, bytes, expected, ttlSeconds } = prepareAppend(key, entries, options, { maxBytes });
      const sessions = sessionsOf(key.user);
      const found = sessions.get(key.session);
      if ((found?.version ?? 0) !== expected) throw conflict(key);
      const kept = found ?? { version: firstVersion(), bytes: 0, texts: [], updatedMs: 0, expiresMs: null };
      if (kept.bytes + bytes > maxBytes) throw sessionFull(key, maxBytes);
      kept.texts.push(...texts);
      kept.bytes += bytes;
      kept.version += texts.length;
      kept.updatedMs = now();
      kept.expiresMs = ttlSeconds === undefined ? null : now() + ttlSeconds * 1000;
      sessions.set(key.session, kept);
      return kept.version;
    },
    async list(user, { after = "", limit } = {}) {
      checkName(user, "user");
      const sorted = [...sessionsOf(user)].sort(([left], [right]) => byBytes(left, right)).filter(([name]) => byBytes(name, after) > 0);
      return pageOf(sorted.map(([session, { version, updatedMs }]) => ({ session, version, updatedAt: new Date(updatedMs) })), pageSize(limit));
    },
    async delete(key) {
      checkKey(key);
      return sessionsOf(key.user).delete(key.session);
    },
    async deleteUser(user) {
      checkName(user, "user");
      const { size } = sessionsOf(user);
      users.delete(user);
      return size;
    },
    async check(signal) {
      signal?.throwIfAborted();
      return { version: null };
    },
    close: async () => {},
  };
}

import type { Redis } from "ioredis";
import { unlessAborted } from "../../../core/abort.ts";
import type { SessionKey, SessionStore, SessionSummary } from "../../../ports/session.ts";
import { checkKey, checkName, conflict, firstVersion, prepareAppend, readEntry, sessionFull, usualMaxBytes } from "../entry.ts";
import { pageOf, pageSize } from "../page.ts";
import { openRedis } from "./client.ts";
import * as scripts from "./scripts.ts";

/** Where a user's keys begin; the braces are a cluster's hash tag, so the name in them has none of its own. */
export function prefixOf(user: string): string {
  return `twelve:session:{${Buffer.from(user).toString("base64url")}}:`;
}

/** Opens `redis://...` or `rediss://...`; nothing is connected before the first call. */
export function openSessions(reference: string, { maxBytes = usualMaxBytes }: { readonly maxBytes?: number } = {}): SessionStore {
  const client = openRedis(reference);
  const keysOf = ({ user, session }: SessionKey): readonly [head: string, entries: string, index: string] => {
    const prefix = prefixOf(user);
    return [`${prefix}h:${session}`, `${prefix}e:${session}`, `${prefix}i`];
  };
  const run = (script: string, keys: readonly string[], values: readonly (string | number)[]) => (redis: Redis): Promise<unknown> => redis.eval(script, keys.length, ...keys, ...values);

  return {
    url: client.url,
    async read(key) {
      checkKey(key);
      const [head, entries] = keysOf(key);
      const found = (await client.ask(run(scripts.read, [head, entries], []))) as readonly [version: string, leftMs: number, texts: readonly string[]] | null;
      if (found === null) return undefined;
      const [version, leftMs, texts] = found;
      return { version: Number(version), entries: texts.map(readEntry), expiresAt: leftMs < 0 ? null : new Date(Date.now() + leftMs) };
    },
    async append(key, entries, options) {
      const { texts, bytes, expected, ttlSeconds } = prepareAppend(key, entries, options, { maxBytes });
      const outcome = await client.ask(run(scripts.append, keysOf(key), [expected, firstVersion(), bytes, maxBytes, ttlSeconds === undefined ? "" : ttlSeconds * 1000, key.session, ...texts]));
      if (outcome === "conflict") throw conflict(key);
      if (outcome === "full") throw sessionFull(key, maxBytes);
      return Number(outcome);
    },
    async list(user, { after = "", limit } = {}) {
      checkName(user, "user");
      const size = pageSize(limit);
      const prefix = prefixOf(user);
      // One more than asked for tells whether there are more.
      const flat = (await client.ask(run(scripts.list, [`${prefix}i`], [after, size + 1, `${prefix}h:`]))) as readonly string[];
      const found = Array.from({ length: flat.length / 3 }, (_, i): SessionSummary => ({ session: flat[i * 3] ?? "", version: Number(flat[i * 3 + 1]), updatedAt: new Date(Number(flat[i * 3 + 2])) }));
      return pageOf(found, size);
    },
    async delete(key) {
      checkKey(key);
      return (await client.ask(run(scripts.remove, keysOf(key), [key.session]))) === 1;
    },
    async deleteUser(user) {
      checkName(user, "user");
      const prefix = prefixOf(user);
      return Number(await client.ask(run(scripts.removeUser, [`${prefix}i`], [`${prefix}h:`, `${prefix}e:`])));
    },
    check: (signal) =>
      unlessAborted(() => client.ask(async (redis) => {
        const about = await redis.info();
        const valueOf = (name: string): string | undefined => new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(about)?.[1];
        const policy = valueOf("maxmemory_policy") ?? "noeviction";
        const losses = [
          ...(valueOf("aof_enabled") === "1" ? [] : ["without an append-only file: what was said last is lost in a crash"]),
          ...((valueOf("maxmemory") ?? "0") === "0" || policy === "noeviction" ? [] : [`maxmemory-policy ${policy}: entries are lost when memory is short`]),
        ];
        return { version: valueOf("redis_version") ?? null, ...(losses.length === 0 ? {} : { detail: losses.join("; ") }) };
      }), signal),
    close: () => client.close(),
  };
}

import { randomUUID } from "node:crypto";
import { mapAhead } from "../../../core/ahead.ts";
import { TwelveError } from "../../../core/errors.ts";
import { wait } from "../../../core/patience.ts";
import type { Environment } from "../../../ports/context.ts";
import type { SessionKey, SessionStore, SessionSummary } from "../../../ports/session.ts";
import { isCausedBy } from "../../aws/failure.ts";
import { readRegion } from "../../aws/region.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { checkKey, checkName, conflict, firstVersion, named, prepareAppend, readEntry, sessionFull, usualMaxBytes } from "../entry.ts";
import { isRefusal, type Pause, pauseMs } from "../outcome.ts";
import { byBytes, pageOf, pageSize } from "../page.ts";
import { sizeFailure } from "../size.ts";
import { openClient } from "./client.ts";
import { deleteAll, removeParts } from "./delete.ts";
import { openDirectory } from "./directory.ts";
import { readKmsKey } from "./key.ts";
import { findLife, type Found, type Life } from "./life.ts";
import { discard, nextPart } from "./next-part.ts";
import { putStep } from "./put.ts";
import { stepId } from "./step.ts";

export interface BedrockSessionOptions {
  readonly maxBytes?: number;
  readonly now?: () => number;
  readonly pause?: Pause;
}

const usualTimeoutMs = 30_000;
const requestsAtOnce = 8;
/** Others may end, delete or go on with the same session between two calls. */
const mostTries = 10;
const mostReads = 5;

/**
 * `bedrock-sessions:[<space>][?region=&timeoutMs=&kmsKey=]`. Each append is one step, whose ID follows from its place, so that writers of one
 * version meet at one ID. Nothing is asked before the first call.
 */
export function openSessions(reference: string, env: Environment, { maxBytes = usualMaxBytes, now = Date.now, pause = wait }: BedrockSessionOptions = {}): SessionStore {
  const [place, query] = splitQuery(reference);
  const space = place.replace(/^bedrock-sessions:(?:\/\/)?/, "");
  if (!/^[A-Za-z0-9._-]{0,100}$/.test(space)) throw unusable(reference, "names a space that is none", "Write bedrock-sessions:support-production, for example");
  const options = readOptions(query, reference, ["region", "timeoutMs", "kmsKey"]);
  const url = `bedrock-sessions:${space}`;
  const client = openClient({ env, name: url, kmsKey: readKmsKey(options, reference), region: readRegion(options, reference), timeoutMs: readTimeoutMs(options, reference) ?? usualTimeoutMs });
  const directory = openDirectory(client, space);
  /** Those that take no more steps although they are open, as this process was told. */
  const full = new Set<string>();

  const deleting = { client, directory, url, pause, now };

  const find = async (key: SessionKey): Promise<Found> => readable(key, await findLife(client, await directory.parts(key.user, key.session), now()));

  function readable(key: SessionKey, found: Found): Found {
    if (found.life !== undefined && found.life.count > 0 && found.life.head === undefined) throw unreadable(key);
    return found;
  }

  function unreadable(key: SessionKey): TwelveError {
    return new TwelveError("SERVICE_UNAVAILABLE", `${url} lists steps of ${named(key)} that it does not give`, { retry: { afterMs: null }, fix: "Try again in a moment" });
  }

  async function readTexts(life: Life): Promise<readonly string[] | undefined> {
    const places = life.stretches.flatMap(({ part, count }) => Array.from({ length: count }, (_, index) => ({ part, index: part.start + index })));
    const texts: string[] = [];
    for await (const step of mapAhead(places, requestsAtOnce, ({ part, index }) => client.getStep(part.id, stepId(part.id, index)))) {
      if (step === undefined) return undefined;
      texts.push(...step.texts);
    }
    return texts;
  }

  return {
    url,
    async read(key) {
      checkKey(key);
      for (let attempt = 1; ; attempt += 1) {
        const { life } = await find(key);
        if (life?.head === undefined) return undefined;
        const texts = await readTexts(life);
        // Some have been deleted since they were counted: look again.
        if (texts !== undefined) return { version: life.head.version, entries: texts.map(readEntry), expiresAt: life.head.expiresMs === null ? null : new Date(life.head.expiresMs) };
        if (attempt === mostReads) throw unreadable(key);
        await pause(pauseMs(attempt - 1));
      }
    },

    async append(key, entries, appending) {
      const { texts, bytes, expected, ttlSeconds } = prepareAppend(key, entries, appending, { maxBytes });
      const passed = new Set<string>();
      for (let attempt = 0; attempt < mostTries; attempt += 1) {
        const { life, expired } = await find(key);
        if ((life?.head?.version ?? 0) !== expected) throw conflict(key);
        const size = (life?.head?.bytes ?? 0) + bytes;
        if (size > maxBytes) throw sessionFull(key, maxBytes);
        await removeParts(client, expired);
        const part = await nextPart({ client, directory, space, url, pause }, { key, life, isFull: (id) => full.has(id) || passed.has(id) });
        if (part === undefined) continue;
        const updatedMs = now();
        const head = {
          writer: randomUUID(), version: (life?.head?.version ?? firstVersion()) + texts.length, bytes: size, updatedMs, expiresMs: ttlSeconds === undefined ? null : updatedMs + ttlSeconds * 1000,
        };
        const index = life?.count ?? 0;
        const isFresh = index === part.start;
        const outcome = await putStep(client, { part, index, content: { head, texts }, pause }).catch(async (error: unknown) => {
          // It may have as many steps as it may have. One without steps has not: then it is the account's quota.
          if (isCausedBy(error, "ServiceQuotaExceededException") && !isFresh) return "closed";
          // What lasts would leave an empty one each time; what may pass leaves it to the next try.
          if (isFresh && isRefusal(error)) await discard(client, part.id);
          throw sizeFailure(error, key);
        });
        if (outcome === "taken") throw conflict(key);
        if (outcome === "done") {
          for (const id of passed) full.add(id);
          return head.version;
        }
        passed.add(part.id);
        if (isFresh) await discard(client, part.id);
      }
      throw new TwelveError("SERVICE_UNAVAILABLE", `${url} closed every session that the append was to go to`, { retry: { afterMs: null } });
    },

    async list(user, { after = "", limit } = {}) {
      checkName(user, "user");
      const size = pageSize(limit);
      const bySession = Map.groupBy(await directory.parts(user), ({ session }) => session);
      const names = [...bySession.keys()].sort(byBytes).filter((name) => byBytes(name, after) > 0);
      const found: SessionSummary[] = [];
      for await (const summary of mapAhead(names, requestsAtOnce, async (session): Promise<SessionSummary | undefined> => {
        const { life } = readable({ user, session }, await findLife(client, bySession.get(session) ?? [], now()));
        return life?.head === undefined ? undefined : { session, version: life.head.version, updatedAt: new Date(life.head.updatedMs) };
      })) {
        if (summary !== undefined) found.push(summary);
        if (found.length > size) break;
      }
      return pageOf(found, size);
    },

    async delete(key) {
      checkKey(key);
      return (await deleteAll(deleting, key)) > 0;
    },

    async deleteUser(user) {
      checkName(user, "user");
      return deleteAll(deleting, { user });
    },

    async check(signal) {
      await client.check(signal);
      return { version: null };
    },

    close: () => Promise.resolve(client.close()),
  };
}

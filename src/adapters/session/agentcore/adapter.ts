import { createHash, randomUUID } from "node:crypto";
import { mapAhead } from "../../../core/ahead.ts";
import { TwelveError } from "../../../core/errors.ts";
import { wait } from "../../../core/patience.ts";
import type { Environment } from "../../../ports/context.ts";
import type { SessionKey, SessionStore, SessionSummary } from "../../../ports/session.ts";
import { readRegion } from "../../aws/region.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { checkKey, checkName, conflict, firstVersion, named, prepareAppend, sessionFull, usualMaxBytes } from "../entry.ts";
import { foundAfter, type Pause, settled } from "../outcome.ts";
import { byBytes, pageOf, pageSize } from "../page.ts";
import { sizeFailure } from "../size.ts";
import { deleteUntilGone } from "../until-gone.ts";
import { openMemory } from "./client.ts";
import { type EventHead, type KnownEvent, readPayload, writePayload } from "./event.ts";
import { type History, readHistory } from "./history.ts";
import { idOf, isHash, type Place, placeOf } from "./names.ts";

export interface AgentcoreOptions {
  readonly maxBytes?: number;
  readonly now?: () => number;
  readonly pause?: Pause;
}

interface Writing {
  readonly at: Place;
  readonly head: EventHead;
  readonly payload: ReturnType<typeof writePayload>;
  /** The event that it goes on from. */
  readonly before: string | undefined;
}

const usualTimeoutMs = 30_000;
const requestsAtOnce = 8;
/** A token is used up by an event that was deleted since; so many may have been in the time for which the memory knows tokens. */
const mostTokens = 100;

/**
 * `agentcore-memory:<memoryId>[?region=&timeoutMs=]`. Each append is one event, whose token follows from the version that it goes on
 * from, so that of several writers of one version the memory takes the first. Nothing is asked before the first call.
 */
export function openSessions(reference: string, env: Environment, { maxBytes = usualMaxBytes, now = Date.now, pause = wait }: AgentcoreOptions = {}): SessionStore {
  const [place, query] = splitQuery(reference);
  const memoryId = place.replace(/^agentcore-memory:(?:\/\/)?/, "");
  if (!/^[a-zA-Z][a-zA-Z0-9_-]{0,99}-[a-zA-Z0-9]{10}$/.test(memoryId)) throw unusable(reference, "names no memory", "Write agentcore-memory: and the memory's ID, such as agentcore-memory:support-a1b2c3d4e5");
  const options = readOptions(query, reference, ["region", "timeoutMs"]);
  const url = `agentcore-memory:${memoryId}`;
  const memory = openMemory({ env, name: url, memoryId, region: readRegion(options, reference), timeoutMs: readTimeoutMs(options, reference) ?? usualTimeoutMs });

  const historyAt = async (at: Place, withPayloads: boolean): Promise<History | undefined> => readHistory((await memory.list(at, withPayloads)).known, now());

  function whole(key: SessionKey, history: History | undefined): History | undefined {
    if (history?.isBroken !== true) return history;
    throw new TwelveError("SERVICE_UNAVAILABLE", `${url} does not list all events of ${named(key)}`, { retry: { afterMs: null }, fix: "Try again in a moment; where it stays so, somebody deleted some of them: delete the session" });
  }

  /**
   * Whether an event of ours counts, now that all others can be seen; undefined where it, or the one that it goes on from, is there
   * and not listed yet. One that does not count is taken back.
   */
  async function settle({ at, head: { life, writer, from }, before }: Writing, eventId: string): Promise<boolean | undefined> {
    const { known } = await memory.list(at, false);
    const isListed = (id: string): boolean => known.some((event) => event.eventId === id);
    if (!isListed(eventId)) return (await memory.get(at, eventId)) === undefined ? false : undefined;
    const history = readHistory(known, now());
    const index = history?.events.findIndex((event) => event.writer === writer) ?? -1;
    const follows = from === 0 || (index > 0 && history?.events[index - 1]?.version === from);
    if (history?.life === life && index >= 0 && follows) return true;
    if (before !== undefined && !isListed(before) && (await memory.get(at, before)) !== undefined) return undefined;
    await memory.remove(at, eventId);
    return false;
  }

  async function findOwn(at: Place, { writer }: EventHead): Promise<KnownEvent | undefined> {
    return (await memory.list(at, false)).known.find((event) => event.writer === writer);
  }

  async function write(writing: Writing): Promise<boolean> {
    const { at, head, payload } = writing;
    for (let round = 0; round < mostTokens; round += 1) {
      const origin = head.from === 0 ? `${at.actorId}/${at.sessionId}` : head.life;
      const token = hash(`${origin} ${head.from} ${round}`);
      const written = await memory.create(at, { head, payload, token }).catch((error: unknown) => foundAfter(error, () => findOwn(at, head)));
      if (written?.writer === head.writer) return settled(() => settle(writing, written.eventId), pause);
      // Another event has this token. If it was deleted since, the next token is as good for all who come now.
      if (written !== undefined && (await memory.get(at, written.eventId)) !== undefined) return false;
    }
    throw new TwelveError("SERVICE_LIMITED", `${url} still knows the tokens of ${mostTokens} events that were deleted here; nothing was written`, { retry: { afterMs: null }, fix: "Try again later, or use another name for the session" });
  }

  /**
   * Deletes all events, or those of some lives: one that another process has begun since is left alone. Each life is marked first, so that
   * a deletion that breaks off leaves no session, and an append that comes too late is taken back.
   */
  async function clear(at: Place, what: string, only?: ReadonlySet<string>): Promise<boolean> {
    let hasFound = false;
    const ended = new Set<string>();
    const removed = new Set<string>();
    await deleteUntilGone(`${url}: ${what}`, pause, async () => {
      const all = await memory.list(at, false);
      const ours = all.known.filter(({ life }) => only?.has(life) ?? true);
      const others = only === undefined ? all.others : [];
      const known = ours.filter(({ eventId }) => !removed.has(eventId));
      hasFound ||= readHistory(known, now()) !== undefined;
      for (const { life, isEnd } of known) if (isEnd) ended.add(life);
      for (const life of new Set(known.map((event) => event.life))) {
        if (ended.has(life)) continue;
        const head: EventHead = { life, writer: randomUUID(), from: 0, version: 0, bytes: 0, updatedMs: now(), expiresMs: null, isEnd: true };
        await memory.create(at, { head, payload: [{ blob: "{}" }], token: hash(`${life} end`) });
        ended.add(life);
      }
      const entries = [...known.filter(({ isEnd }) => !isEnd).map(({ eventId }) => eventId), ...others.filter((eventId) => !removed.has(eventId))];
      const going = entries.length > 0 ? entries : known.map(({ eventId }) => eventId);
      for await (const _ of mapAhead(going, requestsAtOnce, (eventId) => memory.remove(at, eventId)));
      for (const eventId of going) removed.add(eventId);
      return { listed: ours.length + others.length, isStale: going.length === 0 };
    });
    return hasFound;
  }

  async function summaryOf(actorId: string, sessionId: string): Promise<SessionSummary | undefined> {
    const at = { actorId, sessionId };
    const history = await historyAt(at, false);
    if (history === undefined) return undefined;
    const { last } = history;
    const named = isHash(sessionId) ? await memory.get(at, last.eventId) : undefined;
    if (isHash(sessionId) && named === undefined) return undefined;
    return { session: named === undefined ? sessionId : readPayload(named.payload).session, version: last.version, updatedAt: new Date(last.updatedMs) };
  }

  return {
    url,
    async read(key) {
      checkKey(key);
      const history = whole(key, await historyAt(placeOf(key), true));
      if (history === undefined) return undefined;
      const { version, expiresMs } = history.last;
      return { version, entries: history.events.flatMap(({ payload }) => readPayload(payload).entries), expiresAt: expiresMs === null ? null : new Date(expiresMs) };
    },

    async append(key, entries, appending) {
      const { texts, bytes, expected, ttlSeconds } = prepareAppend(key, entries, appending, { maxBytes });
      const at = placeOf(key);
      const { known } = await memory.list(at, false);
      const history = whole(key, readHistory(known, now()));
      if ((history?.last.version ?? 0) !== expected) throw conflict(key);
      const size = (history?.last.bytes ?? 0) + bytes;
      if (size > maxBytes) throw sessionFull(key, maxBytes);
      // What has expired, and what a deletion left that broke off.
      if (history === undefined && known.length > 0) await clear(at, named(key), new Set(known.map(({ life }) => life)));
      const updatedMs = now();
      const head: EventHead = {
        life: history?.life ?? randomUUID(), writer: randomUUID(), from: expected, version: (expected === 0 ? firstVersion() : expected) + texts.length,
        bytes: size, updatedMs, expiresMs: ttlSeconds === undefined ? null : updatedMs + ttlSeconds * 1000, isEnd: false,
      };
      const isWritten = await write({ at, head, payload: writePayload(key.session, texts), before: history?.last.eventId }).catch((error: unknown) => {
        throw sizeFailure(error, key);
      });
      if (!isWritten) throw conflict(key);
      return head.version;
    },

    async list(user, { after = "", limit } = {}) {
      checkName(user, "user");
      const [size, actorId] = [pageSize(limit), idOf(user)];
      const found: SessionSummary[] = [];
      for await (const summary of mapAhead(await memory.sessions(actorId), requestsAtOnce, (sessionId) => summaryOf(actorId, sessionId))) {
        if (summary !== undefined && byBytes(summary.session, after) > 0) found.push(summary);
      }
      found.sort((left, right) => byBytes(left.session, right.session));
      return pageOf(found, size);
    },

    async delete(key: SessionKey) {
      checkKey(key);
      return clear(placeOf(key), named(key));
    },

    async deleteUser(user) {
      checkName(user, "user");
      const actorId = idOf(user);
      let count = 0;
      for await (const hasFound of mapAhead(await memory.sessions(actorId), requestsAtOnce, (sessionId) => clear({ actorId, sessionId }, named({ user })))) if (hasFound) count += 1;
      return count;
    },

    async check(signal) {
      await memory.check(signal);
      return { version: null };
    },

    close: () => Promise.resolve(memory.close()),
  };
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

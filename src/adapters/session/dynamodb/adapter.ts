import { randomUUID } from "node:crypto";
import type { Environment } from "../../../ports/context.ts";
import type { SessionKey, SessionStore, SessionSummary } from "../../../ports/session.ts";
import { readRegion } from "../../aws/region.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { checkKey, checkName, conflict, firstVersion, prepareAppend, readEntry, sessionFull, tooLarge, usualMaxBytes } from "../entry.ts";
import { pageOf, pageSize } from "../page.ts";
import { entryItems, type Head, headItem, headKey, type Item, mostAppendBytes, nameOf, readEntries, readHead } from "./items.ts";
import { openTable } from "./table.ts";

export interface DynamodbOptions {
  readonly maxBytes?: number;
  readonly now?: () => number;
}

const usualTimeoutMs = 15_000;
/** Others may write the same head at the same moment; who comes too late is told by the condition at the next try. */
const mostTries = 20;

/**
 * `dynamodb://<table>[?region=&timeoutMs=]`. A session is a head in the partition of its user, and its entries in a partition of their own;
 * both are written in one transaction. Nothing is asked before the first call.
 */
export function openSessions(reference: string, env: Environment, { maxBytes = usualMaxBytes, now = Date.now }: DynamodbOptions = {}): SessionStore {
  const [place, query] = splitQuery(reference);
  const table = place.replace(/^dynamodb:(?:\/\/)?/, "");
  if (!/^[A-Za-z0-9_.-]{3,255}$/.test(table)) throw unusable(reference, "names no table", "Write dynamodb://sessions, for example");
  const options = readOptions(query, reference, ["region", "timeoutMs"]);
  const url = `dynamodb://${table}`;
  const db = openTable({ env, name: url, table, region: readRegion(options, reference), timeoutMs: readTimeoutMs(options, reference) ?? usualTimeoutMs });
  const isAlive = ({ isGone, expiresMs }: Head): boolean => !isGone && (expiresMs === null || expiresMs > now());

  async function findHead({ user, session }: SessionKey): Promise<Head | undefined> {
    const item = await db.get(headKey(user, session));
    return item === undefined ? undefined : readHead(item);
  }

  async function entriesOf(id: string): Promise<Item[]> {
    const items: Item[] = [];
    for await (const page of db.query({ KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": { S: `e#${id}` } } })) items.push(...page);
    return items;
  }

  /** DynamoDB deletes items by a time of their own: what was appended earlier must not go before the session does. */
  async function keepEntries(head: Head, until: number | null): Promise<void> {
    for (const { pk, sk } of await entriesOf(head.id)) {
      if (pk === undefined || sk === undefined) continue;
      // Never earlier: another append, which may be the one that succeeds, may have set a later time since.
      if (until === null) await db.update({ pk, sk }, "REMOVE #ttl", undefined, "attribute_exists(pk)");
      else await db.update({ pk, sk }, "SET #ttl = :t", { ":t": { N: String(until) } }, "#ttl < :t");
    }
  }

  async function removeEntries(id: string): Promise<void> {
    await db.remove((await entriesOf(id)).map(({ pk, sk }) => ({ pk, sk }) as Item));
  }

  /** Marked first, so that a deletion that breaks off is no session any more, and is finished by the next one. */
  async function remove(key: SessionKey, head: Head): Promise<boolean> {
    const wasAlive = isAlive(head);
    const own = { ":i": { S: head.id } };
    if (!head.isGone && (await db.update(headKey(key.user, key.session), "SET gone = :g", { ...own, ":g": { BOOL: true } }, "id = :i")) === "refused") return false;
    await removeEntries(head.id);
    for (let attempt = 0; attempt < mostTries; attempt += 1) {
      if ((await db.transact([{ Delete: { Key: headKey(key.user, key.session), TableName: "", ConditionExpression: "id = :i", ExpressionAttributeValues: own } }])) !== "disturbed") break;
    }
    return wasAlive;
  }

  return {
    url,
    async read(key) {
      checkKey(key);
      for (let attempt = 0; attempt < mostTries; attempt += 1) {
        const head = await findHead(key);
        if (head === undefined || !isAlive(head)) return undefined;
        const texts = readEntries(await entriesOf(head.id), head.version);
        // Fewer have been deleted since the head was read: look again.
        if (texts.length === head.count) return { version: head.version, entries: texts.map(readEntry), expiresAt: head.expiresMs === null ? null : new Date(head.expiresMs) };
      }
      return undefined;
    },

    async append(key, entries, appending) {
      const { texts, bytes, expected, ttlSeconds } = prepareAppend(key, entries, appending, { maxBytes });
      if (bytes > mostAppendBytes) throw tooLarge(key, `${bytes} bytes are more than the ${mostAppendBytes} that DynamoDB takes at once`);
      for (let attempt = 0; attempt < mostTries; attempt += 1) {
        if (attempt > 0) await new Promise((resolve) => setTimeout(resolve, Math.random() * 20 * attempt));
        const found = await findHead(key);
        const old = found !== undefined && isAlive(found) ? found : undefined;
        if ((old?.version ?? 0) !== expected) throw conflict(key);
        if ((old?.bytes ?? 0) + bytes > maxBytes) throw sessionFull(key, maxBytes);
        const updatedMs = now();
        const expiresMs = ttlSeconds === undefined ? null : updatedMs + ttlSeconds * 1000;
        // Twice as long as needed, so that entries are touched again only once in a while.
        const keptUntil = ttlSeconds === undefined ? null : Math.ceil(updatedMs / 1000) + 2 * ttlSeconds;
        const version = old?.version ?? firstVersion();
        const isKept = old !== undefined && (old.keptUntil === null || (expiresMs !== null && old.keptUntil * 1000 >= expiresMs));
        if (old !== undefined && !isKept) await keepEntries(old, keptUntil);
        const head: Head = {
          id: old?.id ?? randomUUID(), version: version + texts.length, count: (old?.count ?? 0) + texts.length, bytes: (old?.bytes ?? 0) + bytes, updatedMs, expiresMs,
          keptUntil: isKept ? old.keptUntil : keptUntil, isGone: false,
        };
        const condition = found === undefined
          ? { ConditionExpression: "attribute_not_exists(pk)" }
          : { ConditionExpression: "id = :i AND version = :v AND attribute_not_exists(gone)", ExpressionAttributeValues: { ":i": { S: found.id }, ":v": { N: String(found.version) } } };
        const isReplaced = found !== undefined && old === undefined;
        const outcome = await db.transact([
          { Put: { Item: headItem(key.user, key.session, head), TableName: "", ...(isReplaced && found.isGone ? { ConditionExpression: "id = :i", ExpressionAttributeValues: { ":i": { S: found.id } } } : condition) } },
          ...entryItems(head.id, version, texts, head.keptUntil).map((item) => ({ Put: { Item: item, TableName: "" } })),
        ]);
        if (outcome === "done") {
          if (isReplaced) await removeEntries(found.id).catch(() => {});
          return head.version;
        }
      }
      throw conflict(key);
    },

    async list(user, { after = "", limit } = {}) {
      checkName(user, "user");
      const size = pageSize(limit);
      const found: SessionSummary[] = [];
      // Heads begin with `s#`, and nothing of the partition sorts behind what may follow.
      const range = { KeyConditionExpression: after === "" ? "pk = :p AND begins_with(sk, :s)" : "pk = :p AND sk > :s", ExpressionAttributeValues: { ":p": { S: `u#${user}` }, ":s": { S: `s#${after}` } } };
      for await (const page of db.query({ ...range, Limit: size + 1 })) {
        for (const item of page) {
          const head = readHead(item);
          if (isAlive(head)) found.push({ session: nameOf(item), version: head.version, updatedAt: new Date(head.updatedMs) });
        }
        if (found.length > size) break;
      }
      return pageOf(found, size);
    },

    async delete(key) {
      checkKey(key);
      const head = await findHead(key);
      return head === undefined ? false : remove(key, head);
    },

    async deleteUser(user) {
      checkName(user, "user");
      let count = 0;
      for await (const page of db.query({ KeyConditionExpression: "pk = :p", ExpressionAttributeValues: { ":p": { S: `u#${user}` } } })) {
        for (const item of page) if (await remove({ user, session: nameOf(item) }, readHead(item))) count += 1;
      }
      return count;
    },

    async check(signal) {
      const { status, expires } = await db.check(signal);
      const notes = [...(status === "ACTIVE" ? [] : [`the table is ${status.toLowerCase()}`]), ...(expires === "unknown" ? ["whether DynamoDB deletes expired sessions cannot be seen: allow dynamodb:DescribeTimeToLive"] : []), ...(expires !== false ? [] : ["expired sessions are not deleted by DynamoDB: enable time to live on the attribute `ttl`"])];
      return { version: null, ...(notes.length === 0 ? {} : { detail: notes.join("; ") }) };
    },

    close: () => Promise.resolve(db.close()),
  };
}

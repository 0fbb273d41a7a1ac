import { randomUUID } from "node:crypto";
import type { QueryResult, QueryResultRow } from "pg";
import { unlessAborted } from "../../../core/abort.ts";
import type { Session, SessionKey, SessionStore } from "../../../ports/session.ts";
import { limited, openDatabase, speaking } from "../../state/database.ts";
import { checkKey, checkName, conflict, firstVersion, prepareAppend, readEntry, sessionFull, usualMaxBytes } from "../entry.ts";
import { pageOf, pageSize } from "../page.ts";
import { prepareTables, schema } from "./tables.ts";

export interface SessionOptions {
  readonly maxBytes?: number;
  /** How long one statement may take, and the wait for another process that makes the tables. */
  readonly timeoutMs?: number;
}

const usualTimeoutMs = 30_000;

interface Row {
  readonly version: string;
  readonly expires_at: Date | null;
  readonly content: string;
}

const isAlive = "(s.expires_at IS NULL OR s.expires_at > now())";
const expiry = (parameter: string): string => `now() + ${parameter}::double precision * interval '1 second'`;
const insertEntries = (texts: string, before: string): string =>
  `INSERT INTO ${schema}.entry (session, position, content) SELECT head.id, ${before}::bigint + text.position, text.content FROM head, unnest(${texts}::text[]) WITH ORDINALITY AS text (content, position)`;

/** The head and its entries are one statement, so that they are one transaction without further round trips. */
const begin = `WITH head AS (
  INSERT INTO ${schema}.session (id, user_name, name, version, bytes, updated_at, expires_at)
  VALUES ($1, $2, $3, $4::bigint + $5, $6, now(), ${expiry("$7")}) ON CONFLICT (user_name, name) DO NOTHING RETURNING id
) ${insertEntries("$8", "$4")}`;
/** Of several that wait for the row, those that come after the first see its version and change nothing. */
const goOn = `WITH head AS (
  UPDATE ${schema}.session s SET version = s.version + $4, bytes = s.bytes + $5, updated_at = now(), expires_at = ${expiry("$6")}
  WHERE user_name = $1 AND name = $2 AND version = $3 AND ${isAlive} AND s.bytes + $5 <= $8 RETURNING id
) ${insertEntries("$7", "$3")}`;
const sweep = `DELETE FROM ${schema}.session WHERE id IN (SELECT id FROM ${schema}.session WHERE expires_at <= now() LIMIT 100 FOR UPDATE SKIP LOCKED)`;

/** Opens `postgres://...` or `pglite:<folder>`; nothing is connected before the first call. */
export async function openSessions(reference: string, dir: string, { maxBytes = usualMaxBytes, timeoutMs = usualTimeoutMs }: SessionOptions = {}): Promise<SessionStore> {
  const database = await openDatabase(reference, dir);
  const { pool, url } = database;
  let prepared: Promise<void> | undefined;

  function query<Row extends QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<QueryResult<Row>> {
    return pool.query<Row>(limited(text, values, timeoutMs));
  }

  async function ask<Result>(work: () => Promise<Result>): Promise<Result> {
    prepared ??= prepareTables(database, timeoutMs).catch((error: unknown) => {
      prepared = undefined;
      throw error;
    });
    await prepared;
    return speaking(database, work);
  }

  /** Expired sessions go when new ones come: there is no process of ours that would look for them. */
  async function removeExpired({ user, session }: SessionKey): Promise<void> {
    await query(`DELETE FROM ${schema}.session WHERE user_name = $1 AND name = $2 AND expires_at <= now()`, [user, session]);
    await query(sweep);
  }

  async function isFull({ user, session }: SessionKey, expected: number): Promise<boolean> {
    const { rowCount } = await query(`SELECT FROM ${schema}.session s WHERE user_name = $1 AND name = $2 AND version = $3 AND ${isAlive}`, [user, session, expected]);
    return rowCount === 1;
  }

  return {
    url,
    read: async (key) => {
      checkKey(key);
      return ask(async () => {
        const text = `SELECT s.version, s.expires_at, e.content FROM ${schema}.session s JOIN ${schema}.entry e ON e.session = s.id WHERE s.user_name = $1 AND s.name = $2 AND ${isAlive} ORDER BY e.position`;
        const { rows } = await query<Row>(text, [key.user, key.session]);
        return sessionOf(rows);
      });
    },
    append: async (key, entries, options) => {
      const { texts, bytes, expected, ttlSeconds = null } = prepareAppend(key, entries, options, { maxBytes });
      return ask(async () => {
        const first = expected === 0 ? firstVersion() : expected;
        if (expected === 0) await removeExpired(key);
        const { rowCount } = expected === 0
          ? await query(begin, [randomUUID(), key.user, key.session, first, texts.length, bytes, ttlSeconds, texts])
          : await query(goOn, [key.user, key.session, expected, texts.length, bytes, ttlSeconds, texts, maxBytes]);
        if (rowCount === texts.length) return first + texts.length;
        throw expected !== 0 && (await isFull(key, expected)) ? sessionFull(key, maxBytes) : conflict(key);
      });
    },
    list: async (user, { after = "", limit } = {}) => {
      checkName(user, "user");
      const size = pageSize(limit);
      return ask(async () => {
        const text = `SELECT name AS session, version, updated_at FROM ${schema}.session s WHERE user_name = $1 AND name > $2 AND ${isAlive} ORDER BY name LIMIT $3`;
        const { rows } = await query<{ session: string; version: string; updated_at: Date }>(text, [user, after, size + 1]);
        return pageOf(rows.map(({ session, version, updated_at: updatedAt }) => ({ session, version: Number(version), updatedAt })), size);
      });
    },
    delete: async (key) => {
      checkKey(key);
      return ask(async () => {
        const { rows } = await query<{ alive: boolean }>(`DELETE FROM ${schema}.session s WHERE user_name = $1 AND name = $2 RETURNING ${isAlive} AS alive`, [key.user, key.session]);
        return rows[0]?.alive === true;
      });
    },
    deleteUser: async (user) => {
      checkName(user, "user");
      return ask(async () => {
        const { rows } = await query<{ alive: boolean }>(`DELETE FROM ${schema}.session s WHERE user_name = $1 RETURNING ${isAlive} AS alive`, [user]);
        return rows.filter(({ alive }) => alive).length;
      });
    },
    check: (signal) =>
      unlessAborted(() => speaking(database, async () => {
        const { rows } = await query<{ server_version: string }>("SHOW server_version");
        return { version: rows[0]?.server_version ?? null };
      }), signal),
    close: () => pool.end(),
  };
}

/** A session always has entries, so that none means no session. */
function sessionOf(rows: readonly Row[]): Session | undefined {
  const [first] = rows;
  if (first === undefined) return undefined;
  return { version: Number(first.version), entries: rows.map(({ content }) => readEntry(content)), expiresAt: first.expires_at };
}

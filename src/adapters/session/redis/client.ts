import { isIP } from "node:net";
import type { Redis, RedisOptions } from "ioredis";
import { TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import { readOptions, readTimeoutMs, splitQuery, unusable } from "../../http/options.ts";
import { redisFailure } from "./failure.ts";

const connectMs = 10_000;
const usualTimeoutMs = 30_000;
const longestPauseMs = 2000;

export interface RedisClient {
  /** Without credentials. */
  readonly url: string;
  /** Does the work, and says in our words what failed. */
  ask<Result>(work: (redis: Redis) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** `redis://[user:password@]host[:port][/database][?timeoutMs=]`, `rediss://` for TLS. Connects at the first call, and again by itself. */
export function openRedis(reference: string): RedisClient {
  const url = withoutCredentials(reference);
  const options = readUrl(reference);
  let last: Error | undefined;
  let client: Promise<Redis> | undefined;
  let chosen: Promise<unknown> | undefined;
  const open = async (): Promise<Redis> => {
    // In the bundle a CommonJS package has only its default export; Node gives it the same one.
    const { default: ioredis } = await import("ioredis");
    const redis = new ioredis.Redis(options);
    redis.on("error", (error: Error) => (last = error));
    redis.on("ready", () => (last = undefined));
    return redis;
  };
  return {
    url,
    async ask(work) {
      const redis = await (client ??= open());
      try {
        await (chosen ??= chooseDatabase(redis, url).catch((error: unknown) => {
          chosen = undefined;
          throw error;
        }));
        return await work(redis);
      } catch (error) {
        throw redisFailure(error, url, last);
      }
    },
    async close() {
      (await client)?.disconnect();
      client = undefined;
      chosen = undefined;
    },
  };
}

/** The driver goes on in database 0 where the server does not have the one it was told. */
async function chooseDatabase(redis: Redis, url: string): Promise<void> {
  const { db = 0 } = redis.options;
  if (db === 0) return;
  await redis.select(db).catch((cause: unknown) => {
    if (!/index is out of range/i.test(String(cause))) throw cause;
    throw new TwelveError("CONFIG_INVALID", `The server of ${url} has no database ${db}`, { cause, fix: "End the URL with the number of one that it has: `redis-cli CONFIG GET databases` tells how many, usually 16, from 0 on" });
  });
}

function readUrl(reference: string): Omit<RedisOptions, "replyMapping"> {
  const [place, query] = splitQuery(reference);
  const timeoutMs = readTimeoutMs(readOptions(query, reference, ["timeoutMs"]), reference) ?? usualTimeoutMs;
  const example = "Write redis://:password@host:6379/0, with special characters of the password percent-encoded";
  if (!URL.canParse(place)) throw unusable(reference, "is no URL of a Redis server", example);
  const { protocol, hostname, port, pathname, username, password } = new URL(place);
  const host = hostname.replace(/^\[|\]$/g, "");
  const database = pathname.replace(/^\//, "");
  const [user, secret] = [decoded(username), decoded(password)];
  if (user === undefined || secret === undefined) throw unusable(reference, "has a user or a password that is not percent-encoded", example);
  if (hostname === "" || !/^\d{0,4}$/.test(database)) throw unusable(reference, "is no URL of a Redis server", example);
  return {
    host,
    port: port === "" ? 6379 : Number(port),
    db: Number(database),
    ...(user === "" ? {} : { username: user }),
    ...(secret === "" ? {} : { password: secret }),
    // Servers behind one address are told apart by the name, which the driver leaves out.
    ...(protocol === "rediss:" ? { tls: isIP(host) === 0 ? { servername: host } : {} } : {}),
    lazyConnect: true,
    connectTimeout: connectMs,
    commandTimeout: timeoutMs,
    // Whoever waits is told at once; the connection itself is tried again in the background, ever more slowly.
    maxRetriesPerRequest: 0,
    retryStrategy: (attempt) => Math.min(attempt * 100, longestPauseMs),
    // Sent again it would be refused as a conflict with itself.
    autoResendUnfulfilledCommands: false,
  };
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

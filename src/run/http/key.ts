import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type ApiKey, hashOfKey, type Scope } from "../../config/api-key.ts";
import type { KeyLimit, TakenRequest } from "../../ports/instance.ts";
import { openBucket } from "./rate.ts";

/** A key that the server knows, with its count of requests. */
export interface KnownKey {
  readonly name: string;
  /** undefined: everything. */
  readonly scopes: ReadonlySet<Scope> | undefined;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
  readonly limit: RequestLimit | undefined;
}

export interface RequestLimit {
  readonly perMinute: number;
  take(): TakenRequest | Promise<TakenRequest>;
}

/** Counts a request together with other processes; `alone` counts it here. */
export type TakeRequest = (limit: KeyLimit, alone: () => TakenRequest) => TakenRequest | Promise<TakenRequest>;

export interface KeyRing {
  /** The key that was sent. Takes equally long whichever it is, and whether it is one. */
  find(sent: string): KnownKey | undefined;
}

export interface KeyRingOptions {
  /** Machines or containers that share the requests, and so the limits, evenly. */
  readonly instances: number;
  readonly nowMs: () => number;
  readonly takeRequest?: TakeRequest | undefined;
}

export function openKeyRing(keys: readonly ApiKey[], { instances, nowMs, takeRequest = (_limit, alone) => alone() }: KeyRingOptions): KeyRing {
  const openLimit = (limit: KeyLimit): RequestLimit => {
    const bucket = openBucket({ ...limit, nowMs });
    return { perMinute: bucket.limit, take: () => takeRequest(limit, () => bucket.take()) };
  };
  const records = keys.map(({ name, sha256, scopes, requestsPerMinute, burst, expires }) => {
    const limit = requestsPerMinute === undefined ? undefined : openLimit({ key: name, perMinute: requestsPerMinute / instances, burst: (burst ?? requestsPerMinute) / instances });
    const known: KnownKey = { name, scopes: scopes === undefined ? undefined : new Set(scopes), expiresMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires), limit };
    return { hash: Buffer.from(sha256, "hex"), known };
  });
  return {
    find(sent) {
      const hash = hashOfKey(sent);
      let found: KnownKey | undefined;
      for (const record of records) if (timingSafeEqual(record.hash, hash)) found = record.known;
      return found;
    },
  };
}

/** `Authorization: Bearer`, as OpenAI's clients send it, or `X-Api-Key`. */
export function sentKey({ authorization, "x-api-key": own }: IncomingHttpHeaders): string | undefined {
  const bearer = /^Bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
  return bearer ?? (typeof own === "string" && own !== "" ? own : undefined);
}

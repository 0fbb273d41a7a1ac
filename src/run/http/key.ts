import { timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { type ApiKey, hashOfKey, type Scope } from "../../config/api-key.ts";
import { openBucket, type TokenBucket } from "./rate.ts";

/** A key that the server knows, with its count of requests. */
export interface KnownKey {
  readonly name: string;
  /** undefined: everything. */
  readonly scopes: ReadonlySet<Scope> | undefined;
  /** Milliseconds since 1970. */
  readonly expiresMs: number;
  readonly bucket: TokenBucket | undefined;
}

export interface KeyRing {
  /** The key that was sent. Takes equally long whichever it is, and whether it is one. */
  find(sent: string): KnownKey | undefined;
}

export interface KeyRingOptions {
  /** Processes that share the requests, and so the limits, evenly. */
  readonly instances: number;
  readonly nowMs: () => number;
}

export function openKeyRing(keys: readonly ApiKey[], { instances, nowMs }: KeyRingOptions): KeyRing {
  const records = keys.map(({ name, sha256, scopes, requestsPerMinute, burst, expires }) => {
    const bucket = requestsPerMinute === undefined ? undefined : openBucket({ perMinute: requestsPerMinute / instances, burst: (burst ?? requestsPerMinute) / instances, nowMs });
    const known: KnownKey = { name, scopes: scopes === undefined ? undefined : new Set(scopes), expiresMs: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires), bucket };
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

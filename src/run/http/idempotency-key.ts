import type { FastifyRequest } from "fastify";
import { canonicalJson } from "../../core/canonical-json.ts";
import { digestOf, type Digest } from "../../core/descriptor.ts";
import { TwelveError } from "../../core/errors.ts";

const longestKey = 255;
/** A string of RFC 9651: printable ASCII, in which quotes and backslashes are escaped. */
const quoted = /^"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/;
/** As many clients send it, though the draft wants it quoted. */
const bare = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x7e]+$/;

/** The key in the header, quoted or bare; both mean the same. Fails with REQUEST_INVALID. */
export function readIdempotencyKey(header: string | readonly string[]): string {
  const text = String(header).trim();
  const [, inner] = quoted.exec(text) ?? [];
  const key = inner?.replaceAll(/\\(.)/g, "$1") ?? (bare.test(text) ? text : "");
  if (key !== "" && key.length <= longestKey) return key;
  throw new TwelveError("REQUEST_INVALID", "The header Idempotency-Key cannot be used", { problems: [{ path: "Idempotency-Key", message: `Expected one string of 1 to ${longestKey} printable ASCII characters, as in Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"` }] });
}

/** Of all that decides about the answer: two requests with one digest ask for the same. `deciding` are the headers that decide about it at this route. */
export function requestDigest({ method, url, headers, body }: Pick<FastifyRequest, "method" | "url" | "headers" | "body">, deciding: readonly string[] = []): Digest {
  const named = deciding.length === 0 ? {} : { headers: Object.fromEntries(deciding.map((name) => [name, headers[name] ?? null])) };
  const facts = { method, url, session: headers["x-session-id"], ...named, body: body ?? null };
  try {
    return digestOf(canonicalJson(facts));
  } catch (error) {
    if (error instanceof RangeError) throw new TwelveError("REQUEST_INVALID", "The request is nested too deeply");
    // Half a surrogate pair has no canonical form, and is sent the same way when it is sent again.
    return digestOf(JSON.stringify(facts));
  }
}

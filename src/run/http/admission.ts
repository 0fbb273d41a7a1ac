import type { FastifyReply, FastifyRequest } from "fastify";
import { counted } from "../../core/counted.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Clock } from "../../ports/clock.ts";
import type { Access } from "./access.ts";
import type { Caller } from "./api.ts";
import { allowOrigin, originRefused } from "./cors.ts";
import { type KeyRing, type KnownKey, sentKey } from "./key.ts";
import { isOwnHost, isOwnOrigin } from "./own-host.ts";
import { formatReset } from "./rate.ts";
import type { RouteScope } from "./scope.ts";

/** On a server without keys. */
export const stranger: Caller = { key: null };

interface Asking {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly scope: RouteScope;
  readonly clock: Pick<Clock, "now">;
}

/** Who was let in, and the limit that the request counts for. */
interface Admitted {
  readonly caller: Caller;
  readonly limited?: KnownKey | undefined;
}

/** Lets a request in or fails: with KEY_MISSING, KEY_INVALID or SCOPE_MISSING where there are keys, and with ORIGIN_REFUSED or HOST_REFUSED where there are none. */
export function admit(access: Access, asking: Asking): Admitted {
  const isListed = allowOrigin(access.origins, asking.request.headers.origin, asking.reply);
  if (access.keys !== null) return admitKey(access.keys, asking);
  if (asking.scope !== "open") refuseForeign(access, asking.request, isListed);
  return { caller: stranger };
}

/** Without keys, the browser of whoever runs the server must not become the way in for any page it shows. */
function refuseForeign({ isHostChecked }: Access, { headers: { origin, host } }: FastifyRequest, isListed: boolean): void {
  if (isHostChecked && host !== undefined && !isOwnHost(host)) {
    throw new TwelveError("HOST_REFUSED", `Without API keys the server takes requests for its own machine only, and this one is for ${JSON.stringify(host)}. Ask for 127.0.0.1 or localhost; a proxy before the server can rename requests, or \`--insecure\` lets them in`);
  }
  if (origin !== undefined && !isListed && !isOwnOrigin(origin, host)) throw originRefused(origin);
}

function admitKey(keys: KeyRing, { request, scope, clock }: Asking): Admitted {
  const sent = sentKey(request.headers);
  const known = sent === undefined ? undefined : keys.find(sent);
  // A probe may show a key, and then sees more.
  if (scope === "open") return { caller: known !== undefined && !isExpired(known, clock) ? { key: known.name } : stranger };
  if (sent === undefined) throw new TwelveError("KEY_MISSING", "An API key is needed: send it as `Authorization: Bearer <key>` or `X-Api-Key: <key>`");
  if (known === undefined) throw new TwelveError("KEY_INVALID", "The API key is not one of this server's");
  if (isExpired(known, clock)) throw new TwelveError("KEY_INVALID", `The API key ${known.name} has expired`);
  if (!covers(known, scope)) throw new TwelveError("SCOPE_MISSING", `The API key ${known.name} may not do this: it needs ${scope === "whole" ? "all scopes" : `the scope ${[scope].flat().join(" or ")}`}`);
  return { caller: { key: known.name, scopes: known.scopes }, limited: known.limit === undefined ? undefined : known };
}

function isExpired({ expiresMs }: KnownKey, clock: Pick<Clock, "now">): boolean {
  return expiresMs !== Number.POSITIVE_INFINITY && clock.now().getTime() >= expiresMs;
}

function covers({ scopes }: KnownKey, scope: RouteScope): boolean {
  if (scopes === undefined || scope === "any" || scope === "open") return true;
  return scope !== "whole" && [scope].flat().some((one) => scopes.has(one));
}

/** Counts a request under the names that OpenAI gives these headers. Fails with RATE_EXCEEDED. */
export async function countRequest({ name, limit }: KnownKey, reply: FastifyReply): Promise<void> {
  if (limit === undefined) return;
  const { isAllowed, remaining, fullInMs, nextInMs } = await limit.take();
  void reply.headers({ "x-ratelimit-limit-requests": String(limit.perMinute), "x-ratelimit-remaining-requests": String(remaining), "x-ratelimit-reset-requests": formatReset(fullInMs) });
  if (!isAllowed) throw new TwelveError("RATE_EXCEEDED", `The API key ${name} may send ${counted(limit.perMinute, "request")} a minute`, { retry: { afterMs: nextInMs } });
}

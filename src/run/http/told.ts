import type { IncomingHttpHeaders } from "node:http";
import type { FastifyRequest } from "fastify";
import type { Access } from "./access.ts";
import { isOwnHost } from "./own-host.ts";

/** Which services stand behind the server, what they say and what it waits for is nothing for strangers; while it starts, nobody is known yet. */
export function isTold({ headers, caller }: Pick<FastifyRequest, "headers" | "caller">, access: Access | undefined, isExposed: boolean): boolean {
  if (access !== undefined && access.keys !== null) return caller.key !== null;
  if (access === undefined && isExposed) return false;
  const isHostChecked = access?.isHostChecked ?? true;
  return !isForwarded(headers) && !(isHostChecked && headers.host !== undefined && !isOwnHost(headers.host));
}

/** A proxy on this machine connects from it, whoever has asked. */
const forwarding = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"] as const;

function isForwarded(headers: IncomingHttpHeaders): boolean {
  return forwarding.some((name) => headers[name] !== undefined);
}

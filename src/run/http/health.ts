import type { IncomingHttpHeaders } from "node:http";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { RuntimePart } from "../health.ts";
import { withoutKeys } from "../../core/scrub.ts";
import type { Access } from "./access.ts";
import type { Server } from "./api.ts";

/** `GET /livez`: the process answers. `GET /readyz`: it can take requests, part by part. */
export function addHealth(app: FastifyInstance, { runtime, traffic, access, isExposed }: Server): void {
  app.get("/livez", () => ({ status: "ok" }));
  app.get("/readyz", async (request, reply) => {
    const stopping: readonly RuntimePart[] = traffic.isStopping ? [{ name: "process", isReady: false, detail: "stopping; no new requests are taken" }] : [];
    const parts = [...stopping, ...(await runtime.check())];
    const isReady = parts.every((part) => part.isReady);
    const status = isReady ? "ok" : traffic.isStopping ? "draining" : "failed";
    void reply.code(isReady ? 200 : 503);
    if (!isTold(request, access(), isExposed)) return reply.send({ status });
    const checks = Object.fromEntries(parts.map((part) => [part.name, { status: part.isReady ? "ok" : "failed", detail: withoutKeys(part.detail) }]));
    return reply.send({ status, checks });
  });
}

/** Which services stand behind the server, and what they say, is nothing for strangers. */
function isTold({ headers, caller }: Pick<FastifyRequest, "headers" | "caller">, access: Access | undefined, isExposed: boolean): boolean {
  if (access !== undefined && access.keys !== null) return caller.key !== null;
  return !isForwarded(headers) && (access !== undefined || !isExposed);
}

/** A proxy on this machine connects from it, whoever has asked. */
const forwarding = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"] as const;

function isForwarded(headers: IncomingHttpHeaders): boolean {
  return forwarding.some((name) => headers[name] !== undefined);
}

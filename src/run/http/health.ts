import type { FastifyInstance } from "fastify";
import type { RuntimePart } from "../health.ts";
import { withoutKeys } from "../../core/scrub.ts";
import type { Server } from "./api.ts";
import { isTold } from "./told.ts";

export interface HealthOptions extends Pick<Server, "traffic" | "access" | "isExposed"> {
  readonly runtime: { check(): Promise<readonly RuntimePart[]> };
}

/** `GET /livez`: the process answers. `GET /readyz`: it can take requests, part by part. */
export function addHealth(app: FastifyInstance, { runtime, traffic, access, isExposed }: HealthOptions): void {
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

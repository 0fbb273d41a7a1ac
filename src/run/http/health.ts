import type { FastifyInstance } from "fastify";
import type { RuntimePart } from "../health.ts";
import type { Server } from "./api.ts";

/** `GET /livez`: the process answers. `GET /readyz`: it can take requests, part by part. */
export function addHealth(app: FastifyInstance, { runtime, traffic }: Server): void {
  app.get("/livez", () => ({ status: "ok" }));
  app.get("/readyz", async (_request, reply) => {
    const stopping: readonly RuntimePart[] = traffic.isDraining ? [{ name: "process", isReady: false, detail: "stopping; no new requests are taken" }] : [];
    const parts = [...stopping, ...(await runtime.check())];
    const isReady = parts.every((part) => part.isReady);
    const checks = Object.fromEntries(parts.map((part) => [part.name, { status: part.isReady ? "ok" : "failed", detail: part.detail }]));
    return reply.code(isReady ? 200 : 503).send({ status: isReady ? "ok" : traffic.isDraining ? "draining" : "failed", checks });
  });
}

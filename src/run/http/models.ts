import type { FastifyInstance } from "fastify";
import { unknownAgent } from "../plan.ts";
import type { Server } from "./api.ts";

/** `GET /v1/models` and `GET /v1/models/:id`: each agent is a model to its callers. */
export function addModels(app: FastifyInstance, { runtime, clock }: Server): void {
  const created = Math.floor(clock.now().getTime() / 1000);
  const describe = (id: string): object => ({ id, object: "model", created, owned_by: "twelve" });
  app.get("/v1/models", () => ({ object: "list", data: runtime.agents.map(describe) }));
  app.get<{ Params: { id: string } }>("/v1/models/:id", ({ params: { id } }) => {
    if (!runtime.agents.includes(id)) throw unknownAgent(id, runtime.agents);
    return describe(id);
  });
}

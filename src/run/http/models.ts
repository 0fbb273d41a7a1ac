import type { FastifyInstance } from "fastify";
import { unknownAgent } from "../plan.ts";
import type { Server } from "./api.ts";
import type { ModelEntry, ModelList } from "./models-schema.ts";

/** `GET /v1/models` and `GET /v1/models/:id`: what a request may name as its model. An agent answers, an index embeds. */
export function addModels(app: FastifyInstance, { runtime, clock }: Server): void {
  const created = Math.floor(clock.now().getTime() / 1000);
  const all = (): ModelEntry[] => [
    ...runtime.agents.map((id) => ({ id, object: "model" as const, created, owned_by: "twelve-agent" as const })),
    ...runtime.indexes.map((id) => ({ id, object: "model" as const, created, owned_by: "twelve-index" as const })),
  ];
  app.get("/v1/models", (): ModelList => ({ object: "list", data: all() }));
  app.get<{ Params: { id: string } }>("/v1/models/:id", ({ params: { id } }): ModelEntry => {
    const found = all().find((entry) => entry.id === id);
    if (found === undefined) throw unknownAgent(id, runtime.agents);
    return found;
  });
}

import type { FastifyInstance } from "fastify";

/** `GET /openapi.json`: what there is, as the schemas say. Made at the first request, since few ask. */
export function addOpenApi(app: FastifyInstance): void {
  let made: Promise<string> | undefined;
  app.get("/openapi.json", async (_request, reply) => {
    made ??= import("./openapi-document.ts").then(({ openApiDocument }) => JSON.stringify(openApiDocument()));
    return reply.type("application/json; charset=utf-8").send(await made);
  });
}

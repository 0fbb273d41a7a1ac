import type { FastifyInstance } from "fastify";
import { openMetrics } from "../metrics/record.ts";
import { addAgentCore } from "./agentcore.ts";
import type { Server, ServerOptions } from "./api.ts";
import { addChat } from "./chat.ts";
import { addEmbeddings } from "./embeddings.ts";
import { openGuarded } from "./guarded.ts";
import { addHealth } from "./health.ts";
import { addIdempotency } from "./idempotency.ts";
import { addMetrics } from "./metrics.ts";
import { addModels } from "./models.ts";
import { addOpenApi } from "./openapi.ts";
import { addResponses } from "./responses.ts";
import { addRuns } from "./runs.ts";
import { addSearch } from "./search.ts";
import { addSessions } from "./sessions.ts";
import { addUi } from "./ui.ts";

/** The HTTP API over one runtime, not yet listening. */
export async function openServer(options: ServerOptions): Promise<FastifyInstance> {
  const { mock, metrics = openMetrics() } = options;
  const { app, ...failures } = await openGuarded({ ...options, metrics, wordOwn: (error, asked) => mock?.wordFailure(error, asked) });
  const server: Server = { ...options, ...failures };
  mock?.add(app);
  addIdempotency(app, server);
  addChat(app, server);
  addResponses(app, server);
  addEmbeddings(app, server);
  addSearch(app, server);
  addModels(app, server);
  addRuns(app, server);
  addSessions(app, server);
  addHealth(app, server);
  addMetrics(app, metrics, options.collectAll);
  addOpenApi(app);
  if (options.agentCore !== undefined) addAgentCore(app, server, options.agentCore);
  if (options.ui !== undefined) addUi(app, server, options.ui);
  return app;
}

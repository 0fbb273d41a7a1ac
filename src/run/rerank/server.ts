import type { FastifyInstance } from "fastify";
import manifest from "../../../package.json" with { type: "json" };
import { TwelveError } from "../../core/errors.ts";
import type { CrossEncoder } from "../../ports/rerank.ts";
import { addMetrics, type CollectAll, countRequests } from "../http/metrics.ts";
import type { Traffic } from "../http/traffic.ts";
import type { Metrics } from "../metrics/record.ts";
import { isTeiError, ranksOf, RerankRequest, type TeiError, teiError } from "./request.ts";

/** What text-embeddings-inference takes at once from one client, and of a body. */
export const maxTexts = 32;
const bodyLimitBytes = 2_000_000;
/** Texts that wait for the model; whoever brings more is asked to come back, rather than to wait for minutes. */
const maxWaiting = 512;

export interface RerankServerOptions {
  readonly model: CrossEncoder;
  readonly traffic: Traffic;
  readonly metrics: Metrics;
  readonly collectAll: CollectAll;
  /** Takes an error that is a bug of ours, or of the model. */
  readonly report: (error: unknown) => void;
}

/** The reranking API of text-embeddings-inference over a model of this process, not yet listening. */
export async function openRerankServer({ model, traffic, metrics, collectAll, report }: RerankServerOptions): Promise<FastifyInstance> {
  const { default: fastify } = await import("fastify");
  const app = fastify({ logger: false, bodyLimit: bodyLimitBytes, return503OnClosing: false, genReqId: () => "", keepAliveTimeout: 65_000, requestTimeout: 30_000 });
  let waiting = 0;
  countRequests(app, metrics);
  app.addHook("onRequest", (request, reply, done) => {
    request.life = traffic.enter(request.raw, reply.raw).signal;
    if (traffic.isDraining) void reply.header("connection", "close");
    done();
  });
  app.decorateRequest("life");
  app.setErrorHandler((error, request, reply) => {
    const { status, body } = toTeiError(error);
    if (status === 424 && !request.life.aborted) report(error);
    return reply.code(status).send(body);
  });
  app.setNotFoundHandler((_request, reply) => reply.code(404).send());

  app.post("/rerank", async (request, reply) => {
    const asked = readRequest(request.body, waiting);
    if (isTeiError(asked)) return reply.code(asked.status).send(asked.body);
    const { query, texts, truncate } = asked;
    waiting += texts.length;
    try {
      return ranksOf(asked, await model.score(query, texts, { isTruncated: truncate ?? true, signal: request.life }));
    } finally {
      waiting -= texts.length;
    }
  });
  for (const path of ["/health", "/readyz"]) {
    app.get(path, (_request, reply) => {
      if (!traffic.isDraining) return reply.send("");
      const { status, body } = teiError("Unhealthy", "unhealthy");
      return reply.code(status).send(body);
    });
  }
  app.get("/livez", () => ({ status: "ok" }));
  app.get("/info", () => infoOf(model));
  addMetrics(app, metrics, collectAll);
  return app;
}

/** What is asked for, or why it is refused. */
function readRequest(body: unknown, waiting: number): RerankRequest | TeiError {
  const read = RerankRequest.safeParse(body);
  if (!read.success) return teiError("Validation", read.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "), 422);
  const { length: count } = read.data.texts;
  if (count === 0) return teiError("Validation", "`texts` cannot be empty");
  if (count > maxTexts) return teiError("Validation", `batch size ${count} > maximum allowed batch size ${maxTexts}`);
  return waiting + count > maxWaiting ? teiError("Overloaded", "Model is overloaded") : read.data;
}

function infoOf({ folder, digest, dtype, maxTokens }: CrossEncoder): object {
  return {
    model_id: folder, model_sha: digest, model_dtype: dtype, model_type: { reranker: { id2label: { 0: "LABEL_0" }, label2id: { LABEL_0: 0 } } },
    max_concurrent_requests: maxWaiting, max_input_length: maxTokens, max_batch_tokens: maxTokens, max_batch_requests: 1, max_client_batch_size: maxTexts,
    auto_truncate: true, tokenization_workers: 1, version: manifest.version, sha: null, docker_label: null,
  };
}

function toTeiError(error: unknown): TeiError {
  // A pair that is longer than the model takes, and must not be cut.
  if (error instanceof TwelveError && error.code === "REQUEST_INVALID") return teiError("Validation", error.message);
  const { statusCode, message } = error as { readonly statusCode?: number; readonly message?: string };
  if (statusCode !== undefined && statusCode < 500) return teiError("Validation", message ?? "The request cannot be read", statusCode);
  return teiError("Backend", "Inference failed");
}

import type { FastifyInstance } from "fastify";
import manifest from "../../../package.json" with { type: "json" };
import type { z } from "zod";
import { TwelveError } from "../../core/errors.ts";
import type { CrossEncoder } from "../../ports/rerank.ts";
import { type GuardOptions, openGuarded } from "../http/guarded.ts";
import { addHealth } from "../http/health.ts";
import { addMetrics, type CollectAll } from "../http/metrics.ts";
import { isTeiError, maxTexts, ranksOf, RerankRequest, type TeiError, teiError } from "./request.ts";

/** Texts that wait for the model; whoever brings more is asked to come back, rather than to wait for minutes. */
const maxWaiting = 512;

export interface RerankServerOptions extends Omit<GuardOptions, "wordOwn"> {
  readonly model: CrossEncoder;
  readonly collectAll: CollectAll;
}

/** The reranking API of text-embeddings-inference over a model of this process, not yet listening. Whom it lets in, and what it refuses before that, is as with the HTTP API. */
export async function openRerankServer({ model, collectAll, ...guard }: RerankServerOptions): Promise<FastifyInstance> {
  const { app, report, noteFailed } = await openGuarded(guard);
  const { traffic, metrics } = guard;
  let waiting = 0;

  app.post("/rerank", async (request, reply) => {
    const { life } = request;
    const asked = readRequest(request.body, waiting);
    if (isTeiError(asked)) {
      noteFailed(request, { type: asked.body.error_type, message: asked.body.error, status: asked.status });
      return reply.code(asked.status).send(asked.body);
    }
    const { query, texts, truncate } = asked;
    waiting += texts.length;
    try {
      return ranksOf(asked, await model.score(query, texts, { isTruncated: truncate ?? true, signal: life }));
    } catch (error) {
      // Out of time, or nobody waits any more.
      if (life.aborted) throw life.reason;
      const { status, body } = teiErrorOf(error);
      report(error, request, status);
      return reply.code(status).send(body);
    } finally {
      waiting -= texts.length;
    }
  });
  // The original's; it says nothing where all is well.
  app.get("/health", (_request, reply) => {
    if (!traffic.isStopping) return reply.send("");
    const { status, body } = teiError("Unhealthy", "unhealthy");
    return reply.code(status).send(body);
  });
  // Nothing listens before the model is loaded.
  addHealth(app, { ...guard, runtime: { check: () => Promise.resolve([{ name: "model", isReady: true, detail: `${model.folder} (${model.digest})` }]) } });
  app.get("/info", () => infoOf(model));
  addMetrics(app, metrics, collectAll);
  return app;
}

/** What is asked for, or why it is refused. */
function readRequest(body: unknown, waiting: number): RerankRequest | TeiError {
  const read = RerankRequest.safeParse(body);
  if (!read.success) return refusalOf(read.error, body);
  const { length: count } = read.data.texts;
  if (count === 0) return teiError("Validation", "`texts` cannot be empty");
  return waiting + count > maxWaiting ? teiError("Overloaded", "Model is overloaded") : read.data;
}

function refusalOf({ issues }: z.ZodError<RerankRequest>, body: unknown): TeiError {
  const isTooMany = issues.some(({ code }) => code === "too_big");
  if (isTooMany) return teiError("Validation", `batch size ${(body as RerankRequest).texts.length} > maximum allowed batch size ${maxTexts}`);
  return teiError("Validation", issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "), 422);
}

function infoOf({ folder, digest, dtype, maxTokens }: CrossEncoder): object {
  return {
    model_id: folder, model_sha: digest, model_dtype: dtype, model_type: { reranker: { id2label: { 0: "LABEL_0" }, label2id: { LABEL_0: 0 } } },
    max_concurrent_requests: maxWaiting, max_input_length: maxTokens, max_batch_tokens: maxTokens, max_batch_requests: 1, max_client_batch_size: maxTexts,
    auto_truncate: true, tokenization_workers: 1, version: manifest.version, sha: null, docker_label: null,
  };
}

function teiErrorOf(error: unknown): TeiError {
  // A pair that is longer than the model takes, and must not be cut.
  if (error instanceof TwelveError && error.code === "REQUEST_INVALID") return teiError("Validation", error.message);
  return teiError("Backend", "Inference failed");
}

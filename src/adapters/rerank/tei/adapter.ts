import type { Environment } from "../../../ports/context.ts";
import type { Reranker } from "../../../ports/rerank.ts";
import { unusable } from "../../http/options.ts";
import { modelKind, readTeiReference, teiDefaultBatch } from "../../tei/server.ts";
import { readScores } from "../scores.ts";

/** `tei+http://host:port`: a server that was started with a reranking model. */
export async function openReranker(reference: string, env: Environment): Promise<Reranker> {
  const server = readTeiReference(reference, { env, keyName: "RERANKER_API_KEY", optionNames: [] });
  const { name } = server.service;
  const info = await server.info();
  const kind = modelKind(info);
  if (kind !== undefined && kind !== "reranker") throw unusable(reference, `serves ${info.model_id}, which is no reranker`, "Attach a server that was started with a reranking model");
  const maxBatch = info.max_client_batch_size ?? teiDefaultBatch;

  async function score(query: string, texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly number[]> {
    // Scores between 0 and 1; `raw_scores` would give logits.
    const answer = await server.post("/rerank", { query, texts, raw_scores: false, return_text: false, truncate: true }, { signal });
    return readScores(answer, { name, count: texts.length });
  }

  return {
    name: `${name} (${info.model_id})`,
    async check(signal) {
      const { model_id: model, version = null } = await server.info(signal);
      return { version, detail: model };
    },
    async rerank(query, texts, signal) {
      signal?.throwIfAborted();
      const sent = texts.map((text) => (text === "" ? " " : text.toWellFormed()));
      const batches = Array.from({ length: Math.ceil(sent.length / maxBatch) }, (_, i) => sent.slice(i * maxBatch, (i + 1) * maxBatch));
      // A score does not depend on the texts beside it, so batches can be put together again.
      return (await Promise.all(batches.map((batch) => score(query.toWellFormed(), batch, signal)))).flat();
    },
  };
}

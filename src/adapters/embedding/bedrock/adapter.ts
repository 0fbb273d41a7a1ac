import type { Environment } from "../../../ports/context.ts";
import type { Embedder } from "../../../ports/embedding.ts";
import { openBedrockRuntime } from "../../aws/bedrock-client.ts";
import { findLifecycle } from "../../aws/bedrock-lifecycle.ts";
import { checkEmbedder } from "../check.ts";
import { priceOf } from "../price.ts";
import { readVectors } from "../vectors.ts";
import { readBedrockReference } from "./reference.ts";

/** `bedrock:<model>[?dimensions=512&region=us-east-1]`. Opened without a request. */
export async function openEmbedder(reference: string, env: Environment): Promise<Embedder> {
  const target = readBedrockReference(reference);
  const { name, id, baseId, model, dimensions = model.dimensions } = target;
  const runtime = await openBedrockRuntime({ env, name, region: target.region, timeoutMs: target.timeoutMs });
  const embedder: Omit<Embedder, "check"> = {
    identity: { provider: "bedrock", model: baseId, dimensions, normalised: true, documentTask: model.documentTask, queryTask: model.queryTask },
    maxBatch: model.maxBatch,
    ...(model.requestsAtOnce === undefined ? {} : { requestsAtOnce: model.requestsAtOnce }),
    maxTextTokens: model.maxTextTokens,
    usdPerMillionTokens: priceOf("bedrock", baseId),
    fusionWeight: 1,
    async embed(texts, task, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const taskName = task === "query" ? model.queryTask : model.documentTask;
      const answer = await runtime.invoke(id, model.request(texts, { task: taskName, dimensions: target.dimensions }), signal);
      return readVectors(model.vectors(answer), { name, count: texts.length, dimensions });
    },
  };
  return {
    ...embedder,
    isCheckPaid: true,
    check: (signal) => checkEmbedder(embedder, signal),
    lifecycle: (signal) => findLifecycle(id, { env, name, region: runtime.region }, signal),
  };
}

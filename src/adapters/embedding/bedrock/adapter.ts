import type { Environment } from "../../../ports/context.ts";
import type { Embedder } from "../../../ports/embedding.ts";
import { type BedrockRuntime, openBedrockRuntime } from "../../aws/bedrock-client.ts";
import { priceOf } from "../price.ts";
import { readVectors } from "../vectors.ts";
import { type BedrockTarget, readBedrockReference } from "./reference.ts";

/** Enough to keep a batch short, and few enough that four batches stay below the default quota. */
const requestsAtOnce = 8;

/** `bedrock:<model>[?dimensions=512&region=us-east-1]`. Opened without a request. */
export async function openEmbedder(reference: string, env: Environment): Promise<Embedder> {
  const target = readBedrockReference(reference);
  const { name, baseId, model, dimensions = model.dimensions } = target;
  const runtime = await openBedrockRuntime({ env, name, region: target.region, timeoutMs: target.timeoutMs });
  return {
    identity: { provider: "bedrock", model: baseId, dimensions, normalised: true, documentTask: model.documentTask, queryTask: model.queryTask },
    maxBatch: model.maxBatch,
    maxTextTokens: model.maxTextTokens,
    usdPerMillionTokens: priceOf("bedrock", baseId),
    fusionWeight: 1,
    async embed(texts, task, signal) {
      signal?.throwIfAborted();
      const requests = Array.from({ length: Math.ceil(texts.length / model.perRequest) }, (_, i) => texts.slice(i * model.perRequest, (i + 1) * model.perRequest));
      const answers = await askAll(runtime, requests, { target, task, signal });
      return answers.flatMap((answer, i) => readVectors(model.vectors(answer), { name, count: requests[i]?.length ?? 0, dimensions }));
    },
  };
}

interface How {
  readonly target: BedrockTarget;
  readonly task: "document" | "query";
  readonly signal: AbortSignal | undefined;
}

/** All answers in order, a few at a time. The first failure stops the others: their batch is lost anyway. */
async function askAll(runtime: BedrockRuntime, requests: readonly (readonly string[])[], { target, task, signal }: How): Promise<readonly unknown[]> {
  const { id, model, dimensions } = target;
  const taskName = task === "query" ? model.queryTask : model.documentTask;
  const stop = new AbortController();
  const onAbort = (): void => stop.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  const answers: unknown[] = Array.from({ length: requests.length });
  const queue = requests.entries();
  try {
    await Promise.all(Array.from({ length: Math.min(requestsAtOnce, requests.length) }, async () => {
      for (const [i, texts] of queue) {
        stop.signal.throwIfAborted();
        answers[i] = await runtime.invoke(id, model.request(texts, { task: taskName, dimensions }), stop.signal);
      }
    }));
    return answers;
  } catch (error) {
    stop.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener("abort", onAbort);
  }
}

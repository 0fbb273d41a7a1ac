import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { type BedrockRuntime, openBedrockRuntime } from "../../aws/bedrock-client.ts";
import { once } from "../../aws/once.ts";
import { estimateUsage } from "../estimate.ts";
import { readAnswer } from "./answer.ts";
import { checkModel } from "./check.ts";
import { type BedrockTarget, readBedrockReference } from "./reference.ts";
import { converseInput } from "./request.ts";

/** `bedrock:<model, inference profile or ARN>[?options]`. Opened without a request, and without the SDK. */
export async function openModel(reference: string, env: Environment): Promise<Model> {
  const target = readBedrockReference(reference);
  const { name, region, timeoutMs } = target;
  const runtime = once(() => openBedrockRuntime({ env, name, region, timeoutMs }));
  return {
    provider: "aws.bedrock",
    id: target.id,
    async *generate(request) {
      request.signal?.throwIfAborted();
      yield* converse(await runtime(), target, request);
    },
    check: async (signal) => checkModel(await runtime(), target, { env, signal }),
  };
}

async function* converse(runtime: BedrockRuntime, target: BedrockTarget, request: ModelRequest): AsyncGenerator<ModelChunk> {
  const reader = readAnswer();
  let requestId: string | undefined;
  const events = runtime.converse(converseInput(target, request), (id) => void (requestId = id), request.signal);
  for await (const event of events) yield* reader.read(event);
  const { finishReason, usage, model = target.id, text, calls, reasoning } = reader.answer();
  if (finishReason === undefined) {
    const id = requestId === undefined ? "" : ` (request ${requestId})`;
    throw new TwelveError("SERVICE_CUT", `${target.name} broke off its answer: the stream ended without its end${id}`, { retry: { afterMs: null } });
  }
  const written = [text, ...calls.map((call) => call.name + call.arguments)].join("");
  yield {
    type: "end",
    finishReason,
    model,
    ...(usage === undefined ? { usage: estimateUsage(request, written), isUsageEstimated: true } : { usage }),
    ...(requestId === undefined ? {} : { responseId: requestId }),
    ...(reasoning.length === 0 ? {} : { reasoning }),
  };
}

import { type FailureCode, TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { type BedrockRuntime, openBedrockRuntime } from "../../aws/bedrock-client.ts";
import { once } from "../../aws/once.ts";
import { estimateUsage } from "../estimate.ts";
import { helpfulFailure } from "../openai/dialect.ts";
import { endlessAnswer } from "../stream.ts";
import { readAnswer } from "./answer.ts";
import { checkModel } from "./check.ts";
import { type BedrockTarget, readBedrockReference } from "./reference.ts";
import { converseInput } from "./request.ts";

/** `bedrock:<model, inference profile or ARN>[?options]`. Opened without a request, and without the SDK. */
export async function openModel(reference: string, env: Environment): Promise<Model> {
  const target = readBedrockReference(reference);
  const { name, region, timeoutMs } = target;
  const runtime = once(() => openBedrockRuntime({ env, name, region, timeoutMs }));
  // The look goes to another host than the questions.
  const warmed = once(async () => (await runtime()).warm());
  return {
    provider: "aws.bedrock",
    id: target.id,
    ignores: ["seed"],
    async *generate(request) {
      request.signal?.throwIfAborted();
      const bedrock = await runtime();
      try {
        yield* converse(bedrock, target, request);
      } catch (error) {
        throw helpfulFailure(error);
      }
    },
    async check(signal) {
      return checkModel(await runtime(), target, { env, signal });
    },
    warm: warmed,
  };
}

const broken: ReadonlySet<FailureCode> = new Set<FailureCode>(["SERVICE_CUT", "SERVICE_TIMEOUT", "SERVICE_UNAVAILABLE"]);

async function* converse(runtime: BedrockRuntime, target: BedrockTarget, request: ModelRequest): AsyncGenerator<ModelChunk> {
  const reader = readAnswer(request);
  let requestId: string | undefined;
  const events = runtime.converse(converseInput(target, request), (id) => void (requestId = id), request.signal);
  try {
    for await (const event of events) yield* reader.read(event);
  } catch (error) {
    // Only its count is missing by then.
    const isTold = reader.answer().finishReason !== undefined && error instanceof TwelveError && broken.has(error.code);
    if (!isTold) throw error;
  }
  const { finishReason, usage, model = target.id, text, calls, reasoning } = reader.answer();
  if (finishReason === undefined) throw endlessAnswer(target.name, requestId);
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

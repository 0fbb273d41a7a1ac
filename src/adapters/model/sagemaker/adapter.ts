import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { Model, ModelChunk, ModelRequest } from "../../../ports/model.ts";
import { awsError } from "../../aws/failure.ts";
import { once } from "../../aws/once.ts";
import { openSagemakerRuntime, type SagemakerRuntime } from "../../aws/sagemaker-client.ts";
import { helpfulFailure, otherDialect } from "../openai/dialect.ts";
import { chatBody } from "../openai/request.ts";
import { readParts } from "../openai/stream.ts";
import { readPayload } from "./parts.ts";
import { readSagemakerReference, type SagemakerTarget } from "./reference.ts";
import { readTgi } from "./tgi-answer.ts";
import { tgiBody } from "./tgi-request.ts";

/** `sagemaker:<endpoint>[?options]`. Opened without a request, and without the SDK. */
export async function openModel(reference: string, env: Environment): Promise<Model> {
  const target = readSagemakerReference(reference);
  const { name, region, timeoutMs } = target;
  const runtime = once(() => openSagemakerRuntime({ env, name, region, timeoutMs }));
  /** Found out by asking, and remembered for as long as the process runs. */
  let isUsageAskable = target.isStream && target.format === "openai";
  return {
    provider: "aws.sagemaker",
    id: target.endpoint,
    async *generate(request) {
      request.signal?.throwIfAborted();
      const endpoint = await runtime();
      for (let asked = isUsageAskable; ; asked = isUsageAskable = false) {
        let isShown = false;
        try {
          for await (const chunk of answer(endpoint, { ...target, isUsageAskable: asked }, request)) {
            isShown = true;
            yield chunk;
          }
          return;
        } catch (error) {
          // A container that refuses nothing but to count is asked again without.
          if (isShown || otherDialect(error, { limitName: "max_tokens", isUsageAskable: asked }, true) === undefined) throw helpfulFailure(error);
        }
      }
    },
    async check(signal) {
      await probe(await runtime(), target, signal);
      return { version: null, detail: "the endpoint answers" };
    },
  };
}

interface Asked extends SagemakerTarget {
  /** The container can be asked to count the tokens of a stream. */
  readonly isUsageAskable: boolean;
}

async function* answer(runtime: SagemakerRuntime, target: Asked, request: ModelRequest): AsyncGenerator<ModelChunk> {
  const { name, format, isStream, endpoint, model = endpoint } = target;
  const body = format === "tgi" ? tgiBody(request, { name, isStream }) : openaiBody(request, target);
  const parts = readPayload(runtime.invoke(placeOf(target), body, { isStream, signal: request.signal }), { name, isStream });
  if (format === "tgi") yield* readTgi(parts, { name, url: runtime.url, model }, request);
  else yield* readParts(parts, { service: { name, keyName: "AWS_ACCESS_KEY_ID", key: undefined }, url: runtime.url, model, request });
}

/** Containers serve one model under a name of their own, and take a request that names none. */
function openaiBody(request: ModelRequest, { model, isStream, isUsageAskable }: Asked): unknown {
  const { model: _, ...body } = chatBody("", request, { dialect: { limitName: "max_tokens", isUsageAskable }, isStream, reasoningEffort: undefined });
  return { ...(model === undefined ? {} : { model }), ...body };
}

function placeOf({ endpoint, component, variant }: SagemakerTarget) {
  return { EndpointName: endpoint, ...(component === undefined ? {} : { InferenceComponentName: component }), ...(variant === undefined ? {} : { TargetVariant: variant }) };
}

/**
 * A request for nothing, which no container answers with words. Whoever refuses it, SageMaker or the container, has let us
 * in: that is what is asked here.
 */
async function probe(runtime: SagemakerRuntime, target: SagemakerTarget, signal: AbortSignal | undefined): Promise<void> {
  try {
    await runtime.probe(placeOf(target), {}, signal);
  } catch (error) {
    const isFromContainer = error instanceof TwelveError && awsError(error.cause).originalStatus !== undefined;
    if (!isFromContainer) throw error;
  }
}

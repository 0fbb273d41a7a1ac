import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { Embedder } from "../../../ports/embedding.ts";
import { requestJson } from "../../http/client.ts";
import { sendable } from "../text.ts";
import { readVectors } from "../vectors.ts";
import { vectorsIn } from "./convert.ts";
import { type EmbeddingTarget, readCompatibleReference, readOpenaiReference } from "./reference.ts";
import { cutToTokens } from "./token.ts";

/** `openai:<model>`: OpenAI, or what OPENAI_BASE_URL puts in its place. */
export async function openOpenai(reference: string, env: Environment): Promise<Embedder> {
  return open(readOpenaiReference(reference, env));
}

/** `https://host/v1#<model>`: any server that speaks OpenAI's API. */
export async function openCompatible(reference: string, env: Environment): Promise<Embedder> {
  return open(readCompatibleReference(reference, env));
}

/** A known model is opened without a request; another one is asked once how long its vectors are. */
async function open(target: EmbeddingTarget): Promise<Embedder> {
  const { provider, model, service, limits, documentPrefix, queryPrefix, usdPerMillionTokens } = target;
  const dimensions = target.dimensions ?? target.ownDimensions ?? (await measureDimensions(target));
  return {
    identity: { provider, model, dimensions, normalised: true, documentTask: documentPrefix, queryTask: queryPrefix },
    ...limits,
    usdPerMillionTokens,
    fusionWeight: 1,
    async embed(texts, task, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const prefix = (task === "query" ? queryPrefix : documentPrefix) ?? "";
      const answer = await ask(target, texts.map((text) => prefix + text), signal);
      return readVectors(answer, { name: service.name, count: texts.length, dimensions });
    },
  };
}

async function measureDimensions(target: EmbeddingTarget): Promise<number> {
  const [vector = new Float32Array()] = readVectors(await ask(target, ["dimensions"]), { name: target.service.name, count: 1, dimensions: undefined });
  return vector.length;
}

/** The vectors of one request, in the order of the texts and as they were written. */
async function ask({ model, service, url, headers, isKeyNeeded, encoding, dimensions, limits, timeoutMs }: EmbeddingTarget, texts: readonly string[], signal?: AbortSignal): Promise<unknown> {
  if (isKeyNeeded && service.key === undefined) {
    throw new TwelveError("SERVICE_DENIED", `${service.name} needs a key, and ${service.keyName} is not set`, {
      fix: `Set ${service.keyName} in the process environment, or declare it in twelve.yaml as \`${service.keyName}: { kind: secret }\` and put it into the environment's configuration source`,
    });
  }
  const { maxTextTokens } = limits;
  const input = maxTextTokens === undefined ? texts.map(sendable) : await Promise.all(texts.map((text) => cutToTokens(sendable(text), maxTextTokens)));
  const body = { model, input, encoding_format: encoding, ...(dimensions === undefined ? {} : { dimensions }) };
  return vectorsIn(await requestJson({ service, url, headers, body, timeoutMs, signal }), service.name);
}

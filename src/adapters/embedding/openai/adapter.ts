import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { Embedder } from "../../../ports/embedding.ts";
import { requestJson } from "../../http/client.ts";
import { requireKey } from "../../http/service.ts";
import { checkEmbedder } from "../check.ts";
import { sendable } from "../text.ts";
import { readVectors } from "../vectors.ts";
import { vectorsIn } from "./convert.ts";
import { forgetDimensions, recallDimensions, rememberDimensions } from "./dimensions.ts";
import { type EmbeddingTarget, readCompatibleReference, readOpenaiReference } from "./reference.ts";
import { cutToTokens } from "./token.ts";

interface From {
  /** The application's folder, where a model's length is remembered. */
  readonly dir: string;
  readonly env: Environment;
}

/** `openai:<model>`: OpenAI, or what OPENAI_BASE_URL puts in its place. */
export async function openOpenai(reference: string, { env, dir }: From): Promise<Embedder> {
  return open(readOpenaiReference(reference, env), dir);
}

/** `https://host/v1#<model>`: any server that speaks OpenAI's API. */
export async function openCompatible(reference: string, { env, dir }: From): Promise<Embedder> {
  return open(readCompatibleReference(reference, env), dir);
}

/** A known model is opened without a request; another one is asked how long its vectors are, and that is remembered. */
async function open(target: EmbeddingTarget, dir: string): Promise<Embedder> {
  const { provider, model, service, limits, documentPrefix, queryPrefix, usdPerMillionTokens } = target;
  const known = target.dimensions ?? target.ownDimensions;
  const recalled = known === undefined ? await recallDimensions(dir, target) : undefined;
  const dimensions = known ?? recalled ?? (await measureDimensions(target, dir));
  const embedder: Omit<Embedder, "check"> = {
    identity: { provider, model, dimensions, normalised: true, documentTask: documentPrefix, queryTask: queryPrefix },
    ...limits,
    usdPerMillionTokens,
    fusionWeight: 1,
    async embed(texts, task, signal) {
      signal?.throwIfAborted();
      if (texts.length === 0) return [];
      const prefix = (task === "query" ? queryPrefix : documentPrefix) ?? "";
      const answer = await ask(target, texts.map((text) => prefix + text), signal);
      if (recalled !== undefined) await checkRecalled(answer, recalled, { target, dir });
      return readVectors(answer, { name: service.name, count: texts.length, dimensions });
    },
  };
  return { ...embedder, ...(usdPerMillionTokens === 0 ? {} : { isCheckPaid: true }), check: (signal) => checkEmbedder(embedder, signal) };
}

async function measureDimensions(target: EmbeddingTarget, dir: string): Promise<number> {
  const [vector = new Float32Array()] = readVectors(await ask(target, ["dimensions"]), { name: target.service.name, count: 1, dimensions: undefined });
  await rememberDimensions(dir, target, vector.length);
  return vector.length;
}

/** The model may be another one by now. Whatever else is wrong with the answer is found by whoever reads it. */
async function checkRecalled(answer: readonly unknown[], recalled: number, { target, dir }: { readonly target: EmbeddingTarget; readonly dir: string }): Promise<void> {
  const length = lengthOf(answer[0]);
  if (length === recalled || !Number.isInteger(length) || length === 0) return;
  await forgetDimensions(dir, target);
  throw new TwelveError("SERVICE_FAILED", `${target.service.name} gave vectors of ${recalled} numbers when it was last measured, and now of ${length}`, { fix: "Run the command again: it measures the model anew" });
}

/** Of a vector as it was sent; 0 for what is none. */
function lengthOf(vector: unknown): number {
  if (typeof vector === "string") return Buffer.byteLength(vector, "base64") / 4;
  return Array.isArray(vector) ? vector.length : 0;
}

/** The vectors of one request, in the order of the texts and as they were written. */
async function ask({ model, service, url, headers, isKeyNeeded, encoding, dimensions, limits, timeoutMs }: EmbeddingTarget, texts: readonly string[], signal?: AbortSignal): Promise<readonly unknown[]> {
  if (isKeyNeeded) requireKey(service);
  const { maxTextTokens } = limits;
  const input = maxTextTokens === undefined ? texts.map(sendable) : await Promise.all(texts.map((text) => cutToTokens(sendable(text), maxTextTokens)));
  const body = { model, input, encoding_format: encoding, ...(dimensions === undefined ? {} : { dimensions }) };
  return vectorsIn(await requestJson({ service, url, headers, body, timeoutMs, signal }), service.name);
}

import type { Environment } from "../../../ports/context.ts";
import { readCount, readOptions, readTimeoutMs, unusable } from "../../http/options.ts";
import type { HttpService } from "../../http/service.ts";
import { compatibleServer, endpointOf, openaiServer, splitCompatibleReference, splitOpenaiReference } from "../../openai/server.ts";
import { isLoopback, priceOf } from "../price.ts";
import { type KnownModel, modelLimits, openaiModels } from "./model.ts";

/** An embedding model behind the OpenAI API, wherever it is. */
export interface EmbeddingTarget {
  readonly provider: string;
  readonly model: string;
  readonly service: HttpService;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Without a key no request is made: OpenAI answers none. */
  readonly isKeyNeeded: boolean;
  /** Sent with every request, where the reference says so. */
  readonly dimensions: number | undefined;
  /** What the model gives when nothing is said; undefined for a model that is not known here. */
  readonly ownDimensions: number | undefined;
  readonly encoding: "base64" | "float";
  readonly limits: { readonly maxBatch: number; readonly maxBatchTokens: number; readonly maxTextTokens?: number };
  /** Put before each text; null for none. */
  readonly documentPrefix: string | null;
  readonly queryPrefix: string | null;
  readonly usdPerMillionTokens: number | null;
  readonly timeoutMs: number | undefined;
}

const optionNames = ["dimensions", "timeoutMs"];
const example = "text-embedding-3-small";

/** `openai:<model>[?dimensions=512]`, at OPENAI_BASE_URL where that is set. Fails with SERVICE_UNSUPPORTED. */
export function readOpenaiReference(reference: string, env: Environment): EmbeddingTarget {
  const { model, query } = splitOpenaiReference(reference, example);
  const options = readOptions(query, reference, optionNames);
  const { service, base, headers, isOpenai } = openaiServer(model, reference, env);
  const known: KnownModel | undefined = Object.hasOwn(openaiModels, model) ? openaiModels[model] : undefined;
  const dimensions = readDimensions(options, reference, known);
  return {
    provider: "openai", model, dimensions, ownDimensions: known?.dimensions, encoding: "base64", limits: known === undefined ? modelLimits.compatible : modelLimits.openai,
    service, url: endpointOf(base, "embeddings"), headers, isKeyNeeded: isOpenai,
    documentPrefix: null, queryPrefix: null, usdPerMillionTokens: priceOf("openai", model), timeoutMs: readTimeoutMs(options, reference),
  };
}

/** `https://host/v1#<model>[?dimensions=…&documentPrefix=…&queryPrefix=…]`. Fails with SERVICE_UNSUPPORTED. */
export function readCompatibleReference(reference: string, env: Environment): EmbeddingTarget {
  const keyName = "EMBEDDER_API_KEY";
  const { base, model, query } = splitCompatibleReference(reference, { keyName, example });
  const options = readOptions(query, reference, [...optionNames, "documentPrefix", "queryPrefix"]);
  const { service, headers } = compatibleServer(base, model, { env, keyName });
  return {
    provider: "openai-compatible", model, dimensions: readDimensions(options, reference, undefined), ownDimensions: undefined, encoding: "float", limits: modelLimits.compatible,
    service, url: endpointOf(base, "embeddings"), headers, isKeyNeeded: false,
    documentPrefix: options["documentPrefix"] ?? null, queryPrefix: options["queryPrefix"] ?? null,
    usdPerMillionTokens: isLoopback(new URL(base).hostname) ? 0 : null, timeoutMs: readTimeoutMs(options, reference),
  };
}

function readDimensions(options: Readonly<Record<string, string>>, reference: string, known: KnownModel | undefined): number | undefined {
  const dimensions = readCount(options, "dimensions", { reference, least: 1, most: known?.dimensions ?? 65_536 });
  if (dimensions !== undefined && known?.isShortenable === false && dimensions !== known.dimensions) throw unusable(reference, `asks for ${dimensions} dimensions, but the model gives ${known.dimensions} and no others`);
  return known?.isShortenable === false ? undefined : dimensions;
}

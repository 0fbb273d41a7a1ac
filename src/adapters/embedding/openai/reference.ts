import type { Environment } from "../../../ports/context.ts";
import { readCount, readOptions, readTimeoutMs, refuseCredentials, unusable } from "../../http/options.ts";
import { type HttpService, readKey } from "../../http/service.ts";
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

const openaiUrl = "https://api.openai.com/v1";
const optionNames = ["dimensions", "timeoutMs"];

/** `openai:<model>[?dimensions=512]`, at OPENAI_BASE_URL where that is set. Fails with SERVICE_UNSUPPORTED. */
export function readOpenaiReference(reference: string, env: Environment): EmbeddingTarget {
  const { model, query } = splitModel(reference.slice("openai:".length), reference);
  const options = readOptions(query, reference, optionNames);
  const base = env["OPENAI_BASE_URL"]?.trim() || openaiUrl;
  if (!/^https?:\/\/./.test(base) || !URL.canParse(base)) throw unusable(reference, "cannot be reached: OPENAI_BASE_URL is not an http(s) URL", `Set OPENAI_BASE_URL to a URL such as ${openaiUrl}, or unset it`);
  const known: KnownModel | undefined = Object.hasOwn(openaiModels, model) ? openaiModels[model] : undefined;
  const dimensions = readDimensions(options, reference, known);
  const isOpenai = new URL(base).hostname === "api.openai.com";
  const accounts = { "OpenAI-Organization": readKey(env, "OPENAI_ORG_ID"), "OpenAI-Project": readKey(env, "OPENAI_PROJECT_ID") };
  const headers = Object.entries(accounts).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  return {
    provider: "openai", model, dimensions, ownDimensions: known?.dimensions, encoding: "base64", limits: known === undefined ? modelLimits.compatible : modelLimits.openai,
    service: { name: `openai:${model}`, keyName: "OPENAI_API_KEY", key: readKey(env, "OPENAI_API_KEY") },
    url: endpointOf(base), headers: Object.fromEntries(headers), isKeyNeeded: isOpenai,
    documentPrefix: null, queryPrefix: null, usdPerMillionTokens: priceOf("openai", model), timeoutMs: readTimeoutMs(options, reference),
  };
}

/** `https://host/v1#<model>[?dimensions=…&documentPrefix=…&queryPrefix=…]`. Fails with SERVICE_UNSUPPORTED. */
export function readCompatibleReference(reference: string, env: Environment): EmbeddingTarget {
  const keyName = "EMBEDDER_API_KEY";
  // An empty fragment is a missing model, said below.
  refuseCredentials(reference.replace(/#$/, ""), keyName);
  const [base = "", ...rest] = reference.split("#");
  if (!URL.canParse(base)) throw unusable(reference, "is not a URL", "Write https://host/v1#model");
  const { model, query } = splitModel(rest.join("#"), reference);
  const options = readOptions(query, reference, [...optionNames, "documentPrefix", "queryPrefix"]);
  const { hostname } = new URL(base);
  return {
    provider: "openai-compatible", model, dimensions: readDimensions(options, reference, undefined), ownDimensions: undefined, encoding: "float", limits: modelLimits.compatible,
    service: { name: `${base}#${model}`, keyName, key: keyFor(base, env) }, url: endpointOf(base), headers: {}, isKeyNeeded: false,
    documentPrefix: options["documentPrefix"] ?? null, queryPrefix: options["queryPrefix"] ?? null,
    usdPerMillionTokens: isLoopback(hostname) ? 0 : null, timeoutMs: readTimeoutMs(options, reference),
  };
}

/** OPENAI_API_KEY goes to OpenAI, or to the place that OPENAI_BASE_URL names, and to nobody else. */
function keyFor(base: string, env: Environment): string | undefined {
  const own = readKey(env, "EMBEDDER_API_KEY");
  if (own !== undefined) return own;
  const theirs = [openaiUrl, env["OPENAI_BASE_URL"]?.trim() ?? ""].filter((url) => URL.canParse(url)).map((url) => new URL(url).origin);
  return theirs.includes(new URL(base).origin) ? readKey(env, "OPENAI_API_KEY") : undefined;
}

function splitModel(text: string, reference: string): { readonly model: string; readonly query: string } {
  const mark = text.indexOf("?");
  const model = mark < 0 ? text : text.slice(0, mark);
  if (model === "" || /\s/.test(model)) throw unusable(reference, "names no model", "Write openai:text-embedding-3-small or https://host/v1#model; in a .env file within quotes, for the sign # begins a comment there");
  return { model, query: mark < 0 ? "" : text.slice(mark + 1) };
}

function readDimensions(options: Readonly<Record<string, string>>, reference: string, known: KnownModel | undefined): number | undefined {
  const dimensions = readCount(options, "dimensions", { reference, least: 1, most: known?.dimensions ?? 65_536 });
  if (dimensions !== undefined && known?.isShortenable === false && dimensions !== known.dimensions) throw unusable(reference, `asks for ${dimensions} dimensions, but the model gives ${known.dimensions} and no others`);
  return known?.isShortenable === false ? undefined : dimensions;
}

/** Below the path, and before a query that the address may have. */
function endpointOf(base: string): string {
  const url = new URL(base);
  url.hash = "";
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/embeddings`;
  return url.href;
}

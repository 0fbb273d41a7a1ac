/** The embeddings part of OpenAI's API, as it answers on the wire; it also stands for any compatible server. */
import { countTokens } from "../../src/core/tokens.ts";
import { base64Of, cheapVectors, jsonOf, meaningfulVectors } from "./embedding-vectors.ts";
import { type Asked, type Reply, type ServiceServer, startServer } from "./service-server.ts";

export interface EmbeddingServerOptions {
  readonly delayMs?: number;
  /** Length of the vectors where a request does not say. */
  readonly dimensions?: number;
  /** The only key that is accepted; any, or none, by default. */
  readonly key?: string;
  /** The models there are; any by default. */
  readonly models?: readonly string[];
  readonly maxBatch?: number;
  /** Tokens of one text, by OpenAI's tokenizer. */
  readonly maxTextTokens?: number;
  /** A server that knows no base64 sends numbers whatever it is asked for. */
  readonly isBase64Known?: boolean;
  readonly vectors?: "meaningful" | "cheap";
}

export interface EmbeddingServer extends ServiceServer {
  /** What clients are given as base URL: it ends in /v1. */
  readonly baseUrl: string;
  /** Every text of every request so far, in order. */
  texts(): readonly string[];
  /** From now on, the same names stand for another model. */
  changeModel(): void;
}

interface Body {
  readonly model?: string;
  readonly input?: string | readonly string[];
  readonly dimensions?: number;
  readonly encoding_format?: "float" | "base64";
}

/** `GET /stats` tells how many requests and texts came; it is not one of them. */
export async function startEmbeddingServer(options: EmbeddingServerOptions = {}): Promise<EmbeddingServer> {
  const { delayMs = 0, dimensions = 256, isBase64Known = true } = options;
  let vectorsOf = options.vectors === "cheap" ? cheapVectors() : meaningfulVectors();
  const known = { float: new WeakMap<Float32Array, string>(), base64: new WeakMap<Float32Array, string>() };
  const counted = { requests: 0, texts: 0 };

  function written(vector: Float32Array, format: "float" | "base64"): string {
    const text = known[format].get(vector) ?? (format === "base64" ? `"${base64Of(vector)}"` : jsonOf(vector));
    known[format].set(vector, text);
    return text;
  }

  async function answer(asked: Asked): Promise<Reply> {
    if (asked.path === "/stats") return { body: counted };
    counted.requests++;
    const refused = refusal(asked, options);
    if (refused !== undefined) return refused;
    const { model, input, dimensions: wanted = dimensions, encoding_format: format } = asked.body as Body;
    const texts = typeof input === "string" ? [input] : (input ?? []);
    const tooLong = await findTooLong(texts, options.maxTextTokens);
    if (tooLong !== undefined) return tooLong;
    counted.texts += texts.length;
    const form = format === "base64" && isBase64Known ? "base64" : "float";
    const vectors = await vectorsOf(texts, wanted);
    const data = vectors.map((vector, index) => `{"object":"embedding","index":${index},"embedding":${written(vector, form)}}`);
    const tokens = options.vectors === "cheap" ? texts.length : texts.reduce((sum, text) => sum + countTokens(text), 0);
    return {
      headers: { "x-request-id": `req_${counted.requests}` },
      json: `{"object":"list","data":[${data.join(",")}],"model":${JSON.stringify(model)},"usage":{"prompt_tokens":${tokens},"total_tokens":${tokens}}}`,
    };
  }

  const server = await startServer(answer, { delayMs });
  return {
    ...server,
    baseUrl: `${server.url}/v1`,
    changeModel: () => void (vectorsOf = cheapVectors()),
    texts: () => server.requests.flatMap(({ body }) => (body as Body | undefined)?.input ?? []),
  };
}

function refusal({ method, path, headers, body }: Asked, { key, models, maxBatch = 2048 }: EmbeddingServerOptions): Reply | undefined {
  if (key !== undefined && headers.authorization !== `Bearer ${key}`) {
    const given = headers.authorization?.slice("Bearer ".length);
    const message = given === undefined ? "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)." : `Incorrect API key provided: ${given.slice(0, 8)}***${given.slice(-4)}. You can find your API key at https://platform.openai.com/account/api-keys.`;
    return refuse(401, message, { code: given === undefined ? null : "invalid_api_key" });
  }
  if (method !== "POST" || path.split("?")[0] !== "/v1/embeddings") return refuse(404, `Invalid URL (${method} ${path})`);
  const { model, input, dimensions } = (body ?? {}) as Body;
  if (model === undefined) return refuse(400, "you must provide a model parameter");
  if (models !== undefined && !models.includes(model)) return refuse(404, `The model \`${model}\` does not exist or you do not have access to it.`, { code: "model_not_found" });
  const texts = typeof input === "string" ? [input] : input;
  if (texts === undefined || texts.length === 0 || texts.some((text) => typeof text !== "string" || text === "")) return refuse(400, "'$.input' is invalid. Please check the API reference: https://platform.openai.com/docs/api-reference.");
  if (texts.length > maxBatch) return refuse(400, `'$.input' is invalid: at most ${maxBatch} inputs are allowed, found ${texts.length}.`);
  return dimensions !== undefined && !(Number.isInteger(dimensions) && dimensions > 0) ? refuse(400, `${JSON.stringify(dimensions)} is less than the minimum of 1 - 'dimensions'`) : undefined;
}

async function findTooLong(texts: readonly string[], limit: number | undefined): Promise<Reply | undefined> {
  const long = texts.find((text) => limit !== undefined && Buffer.byteLength(text) > limit);
  if (limit === undefined || long === undefined) return undefined;
  const { countTokens: countExactly } = await import("gpt-tokenizer/encoding/cl100k_base");
  const found = texts.filter((text) => Buffer.byteLength(text) > limit).map((text) => countExactly(text)).find((count) => count > limit);
  if (found === undefined) return undefined;
  return refuse(400, `This model's maximum context length is ${limit + 1} tokens, however you requested ${found} tokens (${found} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`);
}

function refuse(status: number, message: string, { code = null }: { readonly code?: string | null } = {}): Reply {
  return { status, headers: { "x-request-id": "req_refused" }, body: { error: { message, type: "invalid_request_error", param: null, code } } };
}

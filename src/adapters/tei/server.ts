import { z } from "zod";
import { TwelveError } from "../../core/errors.ts";
import type { Environment } from "../../ports/context.ts";
import { requestJson } from "../http/client.ts";
import { type Options, readOptions, readTimeoutMs, refuseCredentials, splitQuery, unusable } from "../http/options.ts";
import { type HttpService, readKey } from "../http/service.ts";

/** A server of Hugging Face's text-embeddings-inference, for embeddings or for reranking. */
export interface TeiServer {
  readonly service: HttpService;
  readonly options: Options;
  /** POSTs below the server's address. Fails as `requestJson` does. */
  post(path: string, body: unknown, how?: { readonly signal?: AbortSignal | undefined; readonly passing?: readonly number[] }): Promise<unknown>;
  info(signal?: AbortSignal): Promise<TeiInfo>;
}

const TeiInfo = z.looseObject({
  model_id: z.string(),
  model_sha: z.string().nullish(),
  /** One of `embedding`, `reranker` and `classifier`, or a text in early versions. */
  model_type: z.unknown(),
  max_input_length: z.int().positive().optional(),
  version: z.string().optional(),
  max_client_batch_size: z.int().positive().optional(),
});
export type TeiInfo = z.infer<typeof TeiInfo>;

/** What the server takes at once where it does not say. */
export const teiDefaultBatch = 32;

interface Reading {
  readonly env: Environment;
  readonly keyName: string;
  readonly optionNames: readonly string[];
}

/** `tei+http://host:port[/path][?option=value]`. Fails with SERVICE_UNSUPPORTED. */
export function readTeiReference(reference: string, { env, keyName, optionNames }: Reading): TeiServer {
  refuseCredentials(reference, keyName);
  const [address, query] = splitQuery(reference);
  const base = address.slice("tei+".length).replace(/\/+$/, "");
  if (!URL.canParse(base) || address.includes("#")) throw unusable(reference, "is not the address of a server", "Write tei+http://127.0.0.1:8080, with the server's own host and port");
  const options = readOptions(query, reference, [...optionNames, "timeoutMs"]);
  const timeoutMs = readTimeoutMs(options, reference);
  const service: HttpService = { name: address, keyName, key: readKey(env, keyName) };
  return {
    service,
    options,
    post: (path, body, how = {}) => requestJson({ service, url: `${base}${path}`, body, timeoutMs, ...how }),
    async info(signal) {
      const answer = TeiInfo.safeParse(await requestJson({ service, url: `${base}/info`, timeoutMs, signal }));
      if (answer.success) return answer.data;
      throw new TwelveError("SERVICE_FAILED", `${address} does not describe itself as text-embeddings-inference does`, { fix: "Check the address; another server's OpenAI-compatible API is named by https://host/v1#model" });
    },
  };
}

/** What the server's model is for; undefined where it does not say. */
export function modelKind({ model_type: type }: TeiInfo): string | undefined {
  if (typeof type === "string") return type.toLowerCase();
  return typeof type === "object" && type !== null ? Object.keys(type)[0]?.toLowerCase() : undefined;
}

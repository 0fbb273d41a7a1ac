import type { Environment } from "../../../ports/context.ts";
import { readCount, readOptions, readTimeoutMs, refuseCredentials, splitQuery, unusable } from "../../http/options.ts";
import { readBase, readKey } from "../../http/service.ts";

export const keyName = "PINECONE_API_KEY";
const providersBase = "https://api.pinecone.io";
const indexName = /^[a-z0-9](?:[a-z0-9-]{0,43}[a-z0-9])?$/;
const longestWaitMs = 3_600_000;

/** Where chunks are published, and how patiently. */
export interface Reference {
  /** `pinecone://docs`, or `pinecone://docs?text=words`; how patient we are makes no other place of it. */
  readonly url: string;
  /** The dense index. */
  readonly index: string;
  /** The sparse index for words. */
  readonly textIndex: string;
  /** Of the control plane, which tells where the indexes are. */
  readonly base: string;
  /** Pinecone itself, and not what stands in its place. */
  readonly isProvidersOwn: boolean;
  readonly key: string | undefined;
  /** For one request. */
  readonly timeoutMs: number;
  /** How long Pinecone may take to show what was written. */
  readonly waitMs: number;
}

/** `pinecone://<index>?text=<index>&timeoutMs=30000&waitMs=300000`. Fails with SERVICE_UNSUPPORTED. */
export function readReference(reference: string, env: Environment): Reference {
  refuseCredentials(reference, keyName);
  const [place, query] = splitQuery(reference);
  const index = place.replace(/^pinecone:(?:\/\/)?/, "").replace(/\/$/, "");
  if (!indexName.test(index)) throw unusable(reference, "names no index of Pinecone: 1 to 45 lower-case letters, digits and hyphens", "Write pinecone://docs, for example");
  const options = readOptions(query, reference, ["text", "timeoutMs", "waitMs"]);
  const { text = `${index}-text` } = options;
  if (!indexName.test(text) || text === index) throw unusable(reference, `would keep words in the index "${text}", which cannot be one`, "Name another index of Pinecone with `?text=`: 1 to 45 lower-case letters, digits and hyphens");
  const base = readBase(env, "PINECONE_BASE_URL", { reference, own: providersBase }).replace(/\/+$/, "");
  return {
    url: `pinecone://${index}${text === `${index}-text` ? "" : `?text=${text}`}`,
    index,
    textIndex: text,
    base,
    isProvidersOwn: base === providersBase,
    key: readKey(env, keyName),
    timeoutMs: readTimeoutMs(options, reference) ?? 30_000,
    waitMs: readCount(options, "waitMs", { reference, least: 1, most: longestWaitMs }) ?? 300_000,
  };
}

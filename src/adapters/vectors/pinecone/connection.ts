import type { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";
import { retrying } from "../../../core/retry.ts";
import { requestAnswer } from "../../http/client.ts";
import { type HttpService, requireKey } from "../../http/service.ts";
import { createCommand, pineconeFailure } from "./failure.ts";
import { keyName, type Reference } from "./reference.ts";
import { apiVersion, IndexModel } from "./schema.ts";

export interface Call {
  readonly path: string;
  readonly query?: URLSearchParams;
  readonly method?: "DELETE";
  readonly body?: unknown;
  readonly json?: string;
  readonly signal?: AbortSignal | undefined;
}

export interface Answer<Value> {
  readonly value: Value;
  /** The number of the write, or of the last write that the answer to a query knows; undefined where Pinecone does not say. */
  readonly lsn: number | undefined;
}

/** An index at Pinecone, under its own host. */
export interface RemoteIndex {
  /** `pinecone://docs-text`, for messages. */
  readonly name: string;
  /** 0 for a sparse one. */
  readonly dimension: number;
  /** One attempt. Fails with the SERVICE_ codes. */
  ask<Schema extends z.ZodType>(schema: Schema, call: Call): Promise<Answer<z.output<Schema>>>;
}

/** Where chunks are found by their vectors, and where by their words. */
export interface Indexes {
  readonly vectors: RemoteIndex;
  readonly words: RemoteIndex;
  /** The namespace, in the index for words, whose records say which published namespaces are complete. */
  readonly markers: string;
}

/** Where nothing is published yet, only the embedder knows better. */
const exampleDimensions = 1536;

interface Asking {
  readonly signal?: AbortSignal | undefined;
  /** Of the vectors that are to be kept, where that is known. */
  readonly dimensions?: number | undefined;
}

/** Asks Pinecone where both indexes are, and whether they are of the right kind. They are never made here. */
export async function findIndexes(reference: Reference, asking: Asking = {}): Promise<Indexes> {
  const { index, textIndex } = reference;
  const [vectors, words] = await Promise.all([describeIndex(reference, index, asking), describeIndex(reference, textIndex, asking)]);
  return { vectors: remoteIndex(reference, index, vectors), words: remoteIndex(reference, textIndex, words), markers: `twelve-published/${index}` };
}

async function describeIndex(reference: Reference, name: string, { signal, dimensions }: Asking): Promise<IndexModel> {
  const service = serviceOf(reference, name);
  if (reference.isProvidersOwn) requireKey(service);
  const isForWords = name === reference.textIndex;
  const create = createCommand(reference, name, isForWords ? "words" : (dimensions ?? exampleDimensions));
  const remark = isForWords || dimensions !== undefined ? "" : `, with your embedder's dimensions in place of ${exampleDimensions}`;
  const { value: model } = await ask(reference, service, { schema: IndexModel, origin: reference.base, call: { path: `/indexes/${name}`, signal } }).catch((error: unknown) => {
    if (!(error instanceof TwelveError) || error.code !== "SERVICE_NOT_FOUND") throw error;
    throw new TwelveError("SERVICE_NOT_FOUND", error.message, { cause: error, fix: `Create the ${isForWords ? "sparse index, which holds the words" : `index${remark}`} (Pinecone charges for it): ${create}` });
  });
  const wrong = wrongKind(model, { isForWords, dimensions });
  if (wrong !== undefined) throw new TwelveError("SERVICE_REJECTED", `${service.name} ${wrong}`, { fix: `Name another index in the URL, or create one${remark} under a name that is free: ${create}` });
  if (!model.status.ready) throw new TwelveError("SERVICE_UNAVAILABLE", `${service.name} is not ready: Pinecone says ${model.status.state}`, { retry: { afterMs: null }, fix: "Wait until Pinecone has it ready, then run the command again" });
  return model;
}

function wrongKind({ vector_type: type, metric = "none", dimension, spec }: IndexModel, { isForWords, dimensions = 0 }: { readonly isForWords: boolean; readonly dimensions: number | undefined }): string | undefined {
  if (spec?.pod !== undefined) return "is made of pods, which cannot list what they hold; a serverless index is needed";
  if (isForWords) return type === "sparse" ? undefined : `is ${type}, and words need a sparse index`;
  if (type !== "dense" || metric !== "cosine") return `is ${type} with the metric ${metric}, and vectors need a dense index with the metric cosine`;
  return (dimension ?? 0) >= dimensions ? undefined : `holds vectors of ${dimension ?? 0} dimensions, and these have ${dimensions}`;
}

function remoteIndex(reference: Reference, name: string, { host, dimension }: IndexModel): RemoteIndex {
  const service = serviceOf(reference, name);
  const origin = originOf(host);
  return {
    name: service.name,
    dimension: dimension ?? 0,
    ask: (schema, call) => ask(reference, service, { schema, origin, call }),
  };
}

/** Pinecone names a host without a scheme; only a server on this machine is spoken to in the clear. */
export function originOf(host: string): string {
  if (/^https?:\/\//.test(host)) return host;
  return `${/^(?:localhost|127\.[0-9.]+)(?::|$)/.test(host) ? "http" : "https"}://${host}`;
}

function serviceOf({ key }: Reference, name: string): HttpService {
  return { name: `pinecone://${name}`, keyName, key, keyHeader: "api-key" };
}

async function ask<Schema extends z.ZodType>({ timeoutMs }: Reference, service: HttpService, { schema, origin, call }: { readonly schema: Schema; readonly origin: string; readonly call: Call }): Promise<Answer<z.output<Schema>>> {
  const { path, query, ...rest } = call;
  try {
    const { headers, value } = await requestAnswer({ service, url: `${origin}${path}${query === undefined ? "" : `?${query.toString()}`}`, headers: { "x-pinecone-api-version": apiVersion }, timeoutMs, ...rest });
    const read = schema.safeParse(value);
    if (!read.success) throw new TwelveError("SERVICE_FAILED", `${service.name} answered ${path} with something else than Pinecone does`);
    const lsn = Number(headers["x-pinecone-request-lsn"] ?? headers["x-pinecone-max-indexed-lsn"] ?? Number.NaN);
    return { value: read.data, lsn: Number.isNaN(lsn) ? undefined : lsn };
  } catch (error) {
    throw pineconeFailure(error, service.name);
  }
}

/** Rejects when the signal is aborted. */
export type Sleep = (ms: number, signal?: AbortSignal) => Promise<void>;

/** The same index, asked again where that can help, until the signal is aborted. Everything that is written here may be written twice. */
export function askedAgain(index: RemoteIndex, sleep: Sleep, signal?: AbortSignal): RemoteIndex {
  return {
    ...index,
    ask: (schema, call) => retrying(() => index.ask(schema, call), { sleep: (ms) => sleep(ms, signal), random: Math.random, onRetry: () => {}, isWorthIt: () => signal?.aborted !== true }),
  };
}

/** What `call` gives, or `instead` where Pinecone does not know the namespace that is asked for. */
export async function unlessMissing<Value>(call: Promise<Value>, instead: Value): Promise<Value> {
  return call.catch((error: unknown) => {
    if (error instanceof TwelveError && error.code === "SERVICE_NOT_FOUND") return instead;
    throw error;
  });
}

import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { ConfigProvider } from "../ports/config.ts";
import type { Environment } from "../ports/context.ts";
import type { DocumentSource } from "../ports/document.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Model } from "../ports/model.ts";
import type { JobQueue } from "../ports/queue.ts";
import type { Reranker } from "../ports/rerank.ts";
import type { Store } from "../ports/store.ts";
import type { VectorEngine } from "../ports/vectors.ts";

/** Where a service is opened from. */
export interface Surroundings {
  /** The application's folder, for relative paths. */
  readonly dir: string;
  /** The process environment and, above it, the secrets that the application's configuration declares: credentials are looked up here. */
  readonly env: Environment;
}

/** Opens the service that a reference such as `hash:512` names. */
type Open<Service> = (reference: string, from: Surroundings) => Promise<Service>;

const stores: Readonly<Record<string, Open<Store>>> = {
  file: async (reference, { dir }) => (await import("./store/fs/adapter.ts")).openStore(reference, dir),
  memory: async () => (await import("./store/memory/adapter.ts")).openStore(),
};

const models: Readonly<Record<string, Open<Model>>> = {
  mock: async (reference) => (await import("./model/mock/adapter.ts")).openModel(reference),
};

const embedders: Readonly<Record<string, Open<Embedder>>> = {
  hash: async (reference) => (await import("./embedding/hash/adapter.ts")).openEmbedder(reference),
};

const vectorEngines: Readonly<Record<string, Open<VectorEngine>>> = {
  lance: async () => (await import("./vectors/lance/adapter.ts")).openVectors(),
};

const rerankers: Readonly<Record<string, Open<Reranker>>> = {};

const sources: Readonly<Record<string, Open<DocumentSource>>> = {};

const openDbos: Open<JobQueue> = async (reference, { dir }) => (await import("./queue/dbos/adapter.ts")).openQueue(reference, dir);

const queues: Readonly<Record<string, Open<JobQueue>>> = { pglite: openDbos, postgres: openDbos, postgresql: openDbos };

const configProviders: Readonly<Record<string, Open<ConfigProvider>>> = {
  dotenv: async (reference, { dir }) => (await import("./config/dotenv/adapter.ts")).openConfig(reference, dir),
};

/** Each opener fails with SERVICE_UNSUPPORTED for a scheme that has no adapter, naming those that have one. */
export const openStore = opener("store", stores);
export const openModel = opener("model", models);
export const openEmbedder = opener("embedder", embedders);
export const openVectors = opener("vector engine", vectorEngines);
export const openReranker = opener("reranker", rerankers);
/** A reference without a scheme is a folder or a file. */
export const openSource = opener("document source", sources);
export const openQueue = opener("job queue", queues);
export const openConfig = opener("configuration source", configProviders);

function opener<Service>(kind: string, adapters: Readonly<Record<string, Open<Service>>>): Open<Service> {
  return async (reference, from) => {
    const scheme = /^([a-z][a-z0-9+-]*):/.exec(reference)?.[1] ?? "";
    const open = Object.hasOwn(adapters, scheme) ? adapters[scheme] : undefined;
    if (open !== undefined) return open(reference, from);
    const schemes = Object.keys(adapters).map((name) => `${name}:`);
    // Only the scheme is repeated: the rest of a URL may hold a password.
    const what = scheme === "" ? `A ${kind} needs a URL with a scheme.` : `This version has no ${kind} for ${scheme}:.${didYouMean(`${scheme}:`, schemes)}`;
    throw new TwelveError("SERVICE_UNSUPPORTED", `${what} Supported: ${schemes.join(", ")}`);
  };
}

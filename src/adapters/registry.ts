import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { isHostHidden, withoutCredentials } from "../core/url.ts";
import type { ConfigProvider } from "../ports/config.ts";
import type { Environment } from "../ports/context.ts";
import type { DocumentSource, SourceOptions } from "../ports/document.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Model } from "../ports/model.ts";
import type { Origin } from "../ports/origin.ts";
import type { JobQueue } from "../ports/queue.ts";
import type { Reranker } from "../ports/rerank.ts";
import type { RunEngine } from "../ports/runs.ts";
import type { Store } from "../ports/store.ts";
import type { SessionStore } from "../ports/session.ts";
import type { ToolPlace, ToolSource } from "../ports/tool.ts";
import type { VectorEngine, VectorService } from "../ports/vectors.ts";

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
  s3: async (reference, from) => (await import("./store/s3/adapter.ts")).openStore(reference, from),
};

const models: Readonly<Record<string, Open<Model>>> = {
  mock: async (reference, { dir }) => (await import("./model/mock/adapter.ts")).openModel(reference, dir),
  openai: async (reference, { env }) => (await import("./model/openai/adapter.ts")).openOpenai(reference, env),
  anthropic: async (reference, { env }) => (await import("./model/anthropic/adapter.ts")).openModel(reference, env),
  https: async (reference, { env }) => (await import("./model/openai/adapter.ts")).openCompatible(reference, env),
  http: async (reference, { env }) => (await import("./model/openai/adapter.ts")).openCompatible(reference, env),
  bedrock: async (reference, { env }) => (await import("./model/bedrock/adapter.ts")).openModel(reference, env),
  sagemaker: async (reference, { env }) => (await import("./model/sagemaker/adapter.ts")).openModel(reference, env),
};

const embedders: Readonly<Record<string, Open<Embedder>>> = {
  hash: async (reference) => (await import("./embedding/hash/adapter.ts")).openEmbedder(reference),
  openai: async (reference, from) => (await import("./embedding/openai/adapter.ts")).openOpenai(reference, from),
  https: async (reference, from) => (await import("./embedding/openai/adapter.ts")).openCompatible(reference, from),
  http: async (reference, from) => (await import("./embedding/openai/adapter.ts")).openCompatible(reference, from),
  "tei+https": async (reference, { env }) => (await import("./embedding/tei/adapter.ts")).openEmbedder(reference, env),
  "tei+http": async (reference, { env }) => (await import("./embedding/tei/adapter.ts")).openEmbedder(reference, env),
  bedrock: async (reference, { env }) => (await import("./embedding/bedrock/adapter.ts")).openEmbedder(reference, env),
  transformers: async (reference, { dir }) => (await import("./embedding/transformers/adapter.ts")).openEmbedder(reference, dir),
};

const vectorEngines: Readonly<Record<string, Open<VectorEngine>>> = {
  lance: async () => (await import("./vectors/lance/adapter.ts")).openVectors(),
};

const vectorServices: Readonly<Record<string, Open<VectorService>>> = {
  lance: async (reference, from) => (await import("./vectors/lance/service.ts")).openFolder(reference, from),
  s3: async (reference, from) => (await import("./vectors/lance/service.ts")).openBucket(reference, from),
  postgres: async (reference, { dir }) => (await import("./vectors/pgvector/adapter.ts")).openService(reference, dir),
  postgresql: async (reference, { dir }) => (await import("./vectors/pgvector/adapter.ts")).openService(reference, dir),
  pglite: async (reference, { dir }) => (await import("./vectors/pgvector/adapter.ts")).openService(reference, dir),
  pinecone: async (reference, from) => (await import("./vectors/pinecone/adapter.ts")).openService(reference, from),
  opensearch: async (reference, { env }) => (await import("./vectors/opensearch/adapter.ts")).openService(reference, env),
  "opensearch+http": async (reference, { env }) => (await import("./vectors/opensearch/adapter.ts")).openService(reference, env),
};

const sessionStores: Readonly<Record<string, Open<SessionStore>>> = {
  memory: async () => (await import("./session/memory/adapter.ts")).openMemorySessions(),
  "agentcore-memory": async (reference, { env }) => (await import("./session/agentcore/adapter.ts")).openSessions(reference, env),
  "bedrock-sessions": async (reference, { env }) => (await import("./session/bedrock/adapter.ts")).openSessions(reference, env),
  postgres: async (reference, { dir }) => (await import("./session/postgres/adapter.ts")).openSessions(reference, dir),
  postgresql: async (reference, { dir }) => (await import("./session/postgres/adapter.ts")).openSessions(reference, dir),
  pglite: async (reference, { dir }) => (await import("./session/postgres/adapter.ts")).openSessions(reference, dir),
  redis: async (reference) => (await import("./session/redis/adapter.ts")).openSessions(reference),
  rediss: async (reference) => (await import("./session/redis/adapter.ts")).openSessions(reference),
  dynamodb: async (reference, { env }) => (await import("./session/dynamodb/adapter.ts")).openSessions(reference, env),
};

const rerankers: Readonly<Record<string, Open<Reranker>>> = {
  "tei+https": async (reference, { env }) => (await import("./rerank/tei/adapter.ts")).openReranker(reference, env),
  "tei+http": async (reference, { env }) => (await import("./rerank/tei/adapter.ts")).openReranker(reference, env),
  cohere: async (reference, { env }) => (await import("./rerank/hosted/adapter.ts")).openCohere(reference, env),
  jina: async (reference, { env }) => (await import("./rerank/hosted/adapter.ts")).openJina(reference, env),
  bedrock: async (reference, { env }) => (await import("./rerank/bedrock/adapter.ts")).openReranker(reference, env),
  transformers: async (reference, { dir }) => (await import("./rerank/transformers/adapter.ts")).openReranker(reference, dir),
};

const sources: Readonly<Record<string, Open<DocumentSource>>> = {
  s3: async (reference, from) => (await import("./source/s3/adapter.ts")).openSource(reference, from),
};

const origins: Readonly<Record<string, Open<Origin>>> = {
  https: async (reference) => (await import("./origin/http/adapter.ts")).openOrigin(reference),
  http: async (reference) => (await import("./origin/http/adapter.ts")).openOrigin(reference),
  s3: async (reference, { env }) => (await import("./origin/s3/adapter.ts")).openOrigin(reference, env),
  file: async (reference, { dir }) => (await import("./origin/file/adapter.ts")).openOrigin(reference, dir),
};

const queues: Readonly<Record<string, Open<JobQueue>>> = {
  postgres: async (reference, { dir }) => (await import("./queue/dbos/adapter.ts")).openQueue(reference, dir),
  postgresql: async (reference, { dir }) => (await import("./queue/dbos/adapter.ts")).openQueue(reference, dir),
  pglite: async (reference, { dir }) => (await import("./queue/dbos/adapter.ts")).openQueue(reference, dir),
};

const runEngines: Readonly<Record<string, Open<RunEngine>>> = {
  memory: async (reference) => (await import("./runs/memory/adapter.ts")).openRuns(reference),
  postgres: async (reference, { dir }) => (await import("./runs/dbos/adapter.ts")).openRuns(reference, dir),
  postgresql: async (reference, { dir }) => (await import("./runs/dbos/adapter.ts")).openRuns(reference, dir),
  pglite: async (reference, { dir }) => (await import("./runs/dbos/adapter.ts")).openRuns(reference, dir),
};

const configProviders: Readonly<Record<string, Open<ConfigProvider>>> = {
  dotenv: async (reference, { dir }) => (await import("./config/dotenv/adapter.ts")).openConfig(reference, dir),
  ssm: async (reference, from) => (await import("./config/ssm/adapter.ts")).openConfig(reference, from),
  secretsmanager: async (reference, from) => (await import("./config/secretsmanager/adapter.ts")).openConfig(reference, from),
};

/** Each opener fails with SERVICE_UNSUPPORTED for a scheme that has no adapter, naming those that have one, and with CONFIG_INVALID for a URL whose password hides the host. */
export const openStore = opener("store", stores);
export const openModel = opener("model", models);
export const openEmbedder = opener("embedder", embedders);
export const openVectors = opener("vector engine", vectorEngines);
export const openVectorService = opener("vector service", vectorServices);
export const openSessions = opener("session store", sessionStores);
export const openReranker = opener("reranker", rerankers);
export const openOrigin = opener("place for models", origins);
export const openQueue = opener("queue", queues);
export const openRuns = opener("state service for runs", runEngines);
export const openConfig = opener("configuration source", configProviders);

const openRemoteSource = opener("document source", sources, ", and folders and files, which are named without a scheme");
/** A reference without a scheme is a folder or a file, or a feed by its ending: `C:\docs` and `notes: 2026` are paths too. */
export async function openSource(reference: string, from: Surroundings, options?: SourceOptions): Promise<DocumentSource> {
  const trimmed = reference.trim();
  if (/^(?:[a-z][a-z0-9+.-]*:\/\/|s3:)/i.test(trimmed)) return openRemoteSource(trimmed, from);
  return /\.(?:jsonl|ndjson)$/i.test(reference)
    ? (await import("./source/feed/adapter.ts")).openSource(reference, from.dir)
    : (await import("./source/folder/adapter.ts")).openSource(reference, from.dir, options);
}

/** A tool is declared by more than a URL. */
export async function openTool(place: ToolPlace): Promise<ToolSource> {
  switch (place.kind) {
    case "module":
      return (await import("./tool/module/adapter.ts")).openModule(place);
    case "command":
      return (await import("./tool/command/adapter.ts")).openCommand(place);
    case "http":
      return (await import("./tool/http/adapter.ts")).openHttp(place);
    case "mcp":
      return (await import("./tool/mcp/adapter.ts")).openMcp(place);
  }
}

function opener<Service>(kind: string, adapters: Readonly<Record<string, Open<Service>>>, others = ""): Open<Service> {
  return async (reference, from) => {
    const written = /^([a-z][a-z0-9+-]*):/i.exec(reference)?.[1] ?? "";
    const scheme = written.toLowerCase();
    const open = Object.hasOwn(adapters, scheme) ? adapters[scheme] : undefined;
    if (open !== undefined && isHostHidden(reference)) {
      throw new TwelveError("CONFIG_INVALID", `The password in the URL of ${withoutCredentials(reference)} has a character that ends it too early`, { fix: "Percent-encode the user and the password: %2F for /, %3F for ?, %23 for #, %40 for @" });
    }
    if (open !== undefined) return open(scheme + reference.slice(scheme.length), from);
    const schemes = Object.keys(adapters).map((name) => `${name}:`);
    // Only the scheme is repeated: the rest of a URL may hold a password.
    const what = scheme === "" ? `A ${kind} needs a URL with a scheme.` : `This version has no ${kind} for ${scheme}:.${didYouMean(`${scheme}:`, schemes)}`;
    throw new TwelveError("SERVICE_UNSUPPORTED", `${what} Supported: ${schemes.join(", ")}${others}`);
  };
}

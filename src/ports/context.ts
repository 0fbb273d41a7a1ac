import type { ConfigProvider } from "./config.ts";
import type { Clock } from "./clock.ts";
import type { DocumentSource } from "./document.ts";
import type { Embedder } from "./embedding.ts";
import type { Model } from "./model.ts";
import type { Processes } from "./process.ts";
import type { JobQueue } from "./queue.ts";
import type { Reranker } from "./rerank.ts";
import type { Store } from "./store.ts";
import type { Story } from "./story.ts";
import type { VectorEngine } from "./vectors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything a command may touch. Services open at first use, from the URL that configuration gives. */
export interface Context {
  /** The application's folder, absolute. */
  readonly dir: string;
  /** The process environment. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly story: Story;
  /** Aborted at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** The attached store: TWELVE_STORE, else `file:.twelve/store` in the application's folder. */
  store(): Promise<Store>;
  /** Fails with SERVICE_UNSUPPORTED for an unknown scheme, as all of them do. */
  openModel(reference: string): Promise<Model>;
  /** `secrets` are the values of the keys that the manifest declares as such; credentials are looked up in them, then in `env`. */
  openEmbedder(reference: string, secrets?: Environment): Promise<Embedder>;
  openReranker(reference: string, secrets?: Environment): Promise<Reranker>;
  openVectors(reference: string): Promise<VectorEngine>;
  openSource(reference: string): Promise<DocumentSource>;
  /** `reference` is the value of STATE_URL; nothing is connected, and no embedded database started, before the first call. */
  openQueue(reference: string): Promise<JobQueue>;
  openConfig(reference: string): Promise<ConfigProvider>;
  /** Writes one line to stdout at once: the event log of a long-running command. */
  writeLine(line: string): void;
}

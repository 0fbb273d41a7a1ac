import type { ConfigProvider } from "./config.ts";
import type { Clock } from "./clock.ts";
import type { DocumentSource, SourceOptions } from "./document.ts";
import type { Embedder } from "./embedding.ts";
import type { Instances, Parent, RelayedLine } from "./instance.ts";
import type { Model } from "./model.ts";
import type { Origin } from "./origin.ts";
import type { Processes } from "./process.ts";
import type { JobQueue } from "./queue.ts";
import type { Reranker } from "./rerank.ts";
import type { RunEngine } from "./runs.ts";
import type { Store } from "./store.ts";
import type { Story } from "./story.ts";
import type { SessionStore } from "./session.ts";
import type { ToolPlace, ToolSource } from "./tool.ts";
import type { VectorEngine, VectorService } from "./vectors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Everything a command may touch. Services open at first use, from the URL that configuration gives. */
export interface Context {
  /** The application's folder, absolute. */
  readonly dir: string;
  /** The process environment. */
  readonly env: Environment;
  readonly clock: Clock;
  readonly processes: Processes;
  readonly instances: Instances;
  /** Only in an instance that another process of the program has started. */
  readonly parent?: Parent | undefined;
  readonly story: Story;
  /** Aborted at the first Ctrl-C or SIGTERM. */
  readonly signal: AbortSignal;
  /** The attached store: TWELVE_STORE, else `file:.twelve/store` in the application's folder. */
  store(): Promise<Store>;
  /**
   * Fails with SERVICE_UNSUPPORTED for an unknown scheme, as all of them do. `secrets` are the values of the keys that the manifest
   * declares as such; credentials are looked up in them, then in `env`. No opener asks the service anything: that it is away is seen at first use.
   * `dir` is where the files that a model's reference names are looked up: the application's folder, or the code of a release.
   */
  openModel(reference: string, secrets?: Environment, dir?: string): Promise<Model>;
  openEmbedder(reference: string, secrets?: Environment): Promise<Embedder>;
  openReranker(reference: string, secrets?: Environment): Promise<Reranker>;
  openVectors(reference: string): Promise<VectorEngine>;
  /** Where indexes are published to, such as `postgres://...`. */
  openVectorService(reference: string, secrets?: Environment): Promise<VectorService>;
  /** Where conversations are kept, such as `redis://...`. */
  openSessions(reference: string, secrets?: Environment): Promise<SessionStore>;
  /** A folder or file, a feed (`.jsonl`, `.ndjson`), or `s3://bucket/prefix`. Whether it is there is seen when it is listed. */
  openSource(reference: string, options?: SourceOptions): Promise<DocumentSource>;
  /** A place to fetch the files of local models from. */
  openOrigin(reference: string): Promise<Origin>;
  openConfig(reference: string): Promise<ConfigProvider>;
  /** `postgres://...`, or `pglite:<folder>` for one that the processes of this machine share. */
  openQueue(reference: string): Promise<JobQueue>;
  /** Runs of agents, in the same place. */
  openRuns(reference: string): Promise<RunEngine>;
  /**
   * A declared tool, or a server of tools; a module is loaded and an MCP server asked what it offers, so that this fails with TOOL_INVALID,
   * ADDRESS_REFUSED or the SERVICE_ codes.
   */
  openTool(place: ToolPlace): Promise<ToolSource>;
  /** Writes one line to stdout at once: the event log of a long-running command. */
  writeLine(line: string): void;
  /** Writes on what an instance wrote, for a person with its name. */
  relay(line: RelayedLine): void;
}

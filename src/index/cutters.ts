import { statSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { Digest } from "../core/descriptor.ts";
import { loaderIdentity, type LoaderName } from "../document/read.ts";
import type { ChunkSizes } from "./chunk.ts";
import { type Cut, type CutRequest, type CutResult, digestFiles, openCut } from "./cut.ts";
import { type Cutter, type CutterLimits, openCutter } from "./cutter.ts";

/** Reads and cuts documents beside the main thread, which has the network and the engine to attend to. */
export interface Cutters {
  /** How many calls it is worth to have under way at once. */
  readonly width: number;
  /** The digests of local files; null for one that cannot be read. */
  digest(files: readonly string[]): Promise<readonly (Digest | null)[]>;
  /** One result for each request, in order. What a document does to its reader is a reason to skip it, never a failure. */
  cut(requests: readonly CutRequest[]): Promise<readonly CutResult[]>;
  close(): Promise<void>;
}

/** Below this, starting a thread takes longer than it saves. */
const minFilesForThreads = 64;
/** What they make of a small file takes no time and no memory to speak of. */
const lightLoaders: ReadonlySet<LoaderName> = new Set(["markdown", "mdx", "text"]);
/** A parser may be held up by any text, and would hold up the whole run with it: above this size it is taken to a thread. */
export const maxBytesHere = 32 * 1024;
const defaults: CutterLimits = { timeoutMs: 120_000, memoryMb: 1024 };

export interface CuttersOptions {
  /** How many there are to read at most. */
  readonly files: number;
  /** The loaders of those that will surely be read. */
  readonly unseen?: readonly LoaderName[];
  readonly limits?: CutterLimits;
  /** As `openCutter` has it. */
  readonly entry?: URL;
}

export function openCutters(sizes: ChunkSizes, { files, unseen = [], limits = defaults, entry }: CuttersOptions): Cutters {
  const cutters = Array.from({ length: Math.min(4, Math.max(2, availableParallelism() - 1)) }, () => openCutter(sizes, limits, entry));
  const waiting = cutters.map(() => 0);
  let own: Cut | undefined;
  /** The thread with the least to do, and of equals the first: few files then start one thread, and load its parsers once. */
  const use = async <Result>(run: (cutter: Cutter) => Promise<Result>): Promise<Result> => {
    const chosen = waiting.indexOf(Math.min(...waiting));
    waiting[chosen] = (waiting[chosen] ?? 0) + 1;
    try {
      return await run(cutters[chosen] as Cutter);
    } finally {
      waiting[chosen] = (waiting[chosen] ?? 0) - 1;
    }
  };

  const cutOne = async (cutter: Cutter, request: CutRequest): Promise<CutResult> => {
    const answer = await cutter.ask({ kind: "cut", requests: [request] });
    if (!("reason" in answer)) return answer.results[0] as CutResult;
    return { kind: "skipped", skipped: { path: request.path, reason: answer.reason, digest: null, loader: loaderIdentity(request.loader) } };
  };
  const cutHere = async (requests: readonly CutRequest[]): Promise<readonly CutResult[]> => {
    const results: CutResult[] = [];
    for (const request of requests) results.push(await (own ??= openCut(sizes))(request));
    return results;
  };

  // Starting and loading a parser takes them a fifth of a second, in which the latest index is read and the embedder answers.
  const needed = files < minFilesForThreads ? 0 : Math.ceil(unseen.length / minFilesForThreads);
  for (const cutter of cutters.slice(0, needed)) void cutter.ask({ kind: "cut", requests: unseen.slice(0, 1).map(warmUp) });

  return {
    width: cutters.length + 1,
    async digest(paths) {
      if (paths.length < minFilesForThreads) return digestFiles(paths);
      const answer = await use((cutter) => cutter.ask({ kind: "digest", files: paths }));
      return "reason" in answer ? digestFiles(paths) : answer.digests;
    },
    async cut(requests) {
      if (files < minFilesForThreads && requests.every(isLight)) return cutHere(requests);
      return use(async (cutter) => {
        const answer = await cutter.ask({ kind: "cut", requests });
        // One of them did it: each for itself shows which.
        return "reason" in answer ? Promise.all(requests.map((request) => cutOne(cutter, request))) : answer.results;
      });
    },
    close: async () => {
      await Promise.all(cutters.map((cutter) => cutter.close()));
    },
  };
}

/** Loads what such files are read with. What is in it has no meaning. */
function warmUp(loader: LoaderName): CutRequest {
  return { path: "warm-up", loader, bytes: new TextEncoder().encode("Warm up") };
}

function isLight({ loader, file, bytes }: CutRequest): boolean {
  return lightLoaders.has(loader) && (file === undefined ? (bytes?.length ?? 0) : sizeOf(file)) <= maxBytesHere;
}

/** 0 for a file that cannot be looked at; who reads it says why. */
function sizeOf(file: string): number {
  try {
    return statSync(file).size;
  } catch {
    return 0;
  }
}

import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type Batch, type BatchRequest, readBatch } from "./read-batch.ts";

export interface Readers {
  /** Batches come back in any order. */
  read(request: BatchRequest): Promise<Batch>;
  /** How many batches it is worth to have under way at once. */
  readonly width: number;
  close(): Promise<void>;
}

/** Below this, starting a thread takes longer than it saves. */
const minFilesForThreads = 1000;

/** Threads for many files: reading and hashing then overlaps with the writing of archives. A few files are read at once. */
export function openReaders(fileCount: number): Readers {
  if (fileCount < minFilesForThreads) {
    return { width: 1, read: (request) => Promise.resolve(readBatch(request)), close: () => Promise.resolve() };
  }
  // The main thread only hashes and writes what they have read, which is less work: with two cores there are two all the same.
  const workers = Array.from({ length: Math.min(4, Math.max(2, availableParallelism() - 1)) }, () => openWorker());
  let next = 0;
  return {
    width: workers.length + 1,
    read: (request) => {
      const worker = workers[next++ % workers.length];
      if (worker === undefined) throw new Error("There is no reader");
      return worker.read(request);
    },
    close: async () => {
      await Promise.all(workers.map(({ worker }) => worker.terminate()));
    },
  };
}

function openWorker(): { readonly worker: Worker; readonly read: Readers["read"] } {
  // The bundle puts it beside itself; when run from source it lies beside this file.
  const name = import.meta.url.endsWith(".ts") ? "./read-batch.worker.ts" : "./read-batch.worker.js";
  const worker = new Worker(new URL(name, import.meta.url));
  const waiting: { readonly resolve: (batch: Batch) => void; readonly reject: (cause: unknown) => void }[] = [];
  worker.on("message", (batch: Batch) => waiting.shift()?.resolve(batch));
  worker.on("error", (cause) => {
    for (const { reject } of waiting.splice(0)) reject(cause);
  });
  const read = (request: BatchRequest): Promise<Batch> =>
    new Promise((resolve, reject) => {
      waiting.push({ resolve, reject });
      worker.postMessage(request, [...request.buffers]);
    });
  return { worker, read };
}

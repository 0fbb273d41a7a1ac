import { Worker } from "node:worker_threads";
import type { Digest } from "../core/descriptor.ts";
import type { Unreadable } from "../document/schema.ts";
import type { ChunkSizes } from "./chunk.ts";
import type { CutRequest, CutResult } from "./cut.ts";

export type CutterTask = { readonly kind: "digest"; readonly files: readonly string[] } | { readonly kind: "cut"; readonly requests: readonly CutRequest[] };
export type CutterAnswer = { readonly kind: "digest"; readonly digests: readonly (Digest | null)[] } | { readonly kind: "cut"; readonly results: readonly CutResult[] };

/** One thread that reads and cuts documents. */
export interface Cutter {
  /** The answer, or why the thread gave none: it died, or ran out of memory or of time. The next task has a new thread then. */
  ask<Kind extends CutterTask["kind"]>(task: Extract<CutterTask, { readonly kind: Kind }>): Promise<Extract<CutterAnswer, { readonly kind: Kind }> | Unreadable>;
  close(): Promise<void>;
}

export interface CutterLimits {
  /** For one task. A hostile file can hold up a parser for hours. */
  readonly timeoutMs: number;
  readonly memoryMb: number;
}

/** Answers one task after the other. The thread starts with the first. */
export function openCutter(sizes: ChunkSizes, { timeoutMs, memoryMb }: CutterLimits): Cutter {
  let worker: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();

  const start = (): Worker => {
    // The bundle puts it beside itself; when run from source it lies beside this file.
    const name = import.meta.url.endsWith(".ts") ? "./cut.worker.ts" : "./cut.worker.js";
    return new Worker(new URL(name, import.meta.url), { workerData: sizes, resourceLimits: { maxOldGenerationSizeMb: memoryMb } });
  };
  const stop = async (): Promise<void> => {
    const stopped = worker;
    worker = undefined;
    await stopped?.terminate();
  };
  const askNow = async (task: CutterTask): Promise<CutterAnswer | Unreadable> => {
    const asked = (worker ??= start());
    const { promise, resolve } = Promise.withResolvers<CutterAnswer | Unreadable>();
    const timer = setTimeout(() => resolve({ reason: `could not be read within ${timeoutMs / 1000} s` }), timeoutMs);
    const fail = (cause: Error): void =>
      resolve({ reason: "code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY" ? `needs more than ${memoryMb} MB of memory to be read` : `stopped its reader: ${cause.message}` });
    const leave = (): void => resolve({ reason: "ended its reader" });
    asked.once("message", resolve).once("error", fail).once("exit", leave);
    asked.postMessage(task);
    const answer = await promise;
    clearTimeout(timer);
    asked.off("message", resolve).off("error", fail).off("exit", leave);
    if ("reason" in answer) await stop();
    return answer;
  };

  return {
    ask(task) {
      const answer = last.then(() => askNow(task));
      last = answer.catch(() => {});
      return answer as Promise<never>;
    },
    close: stop,
  };
}

import { Worker } from "node:worker_threads";
import type { Digest } from "../core/descriptor.ts";
import type { Unreadable } from "../document/schema.ts";
import type { ChunkSizes } from "./chunk.ts";
import type { CutRequest, CutResult } from "./cut.ts";
import { watchMemory } from "./memory-watch.ts";

export type CutterTask = { readonly kind: "digest"; readonly files: readonly string[] } | { readonly kind: "cut"; readonly requests: readonly CutRequest[] };
export type CutterAnswer = { readonly kind: "digest"; readonly digests: readonly (Digest | null)[] } | { readonly kind: "cut"; readonly results: readonly CutResult[] };

/** One thread that reads and cuts documents. */
export interface Cutter {
  /** The answer, or why the thread gave none: it died, or ran out of memory or of time. The next task has a new thread then. */
  ask<Kind extends CutterTask["kind"]>(task: Extract<CutterTask, { readonly kind: Kind }>): Promise<Extract<CutterAnswer, { readonly kind: Kind }> | Unreadable>;
  /** Ends what is under way too; whatever is asked from then on has the answer that the run has ended. */
  close(): Promise<void>;
}

export interface CutterLimits {
  /** For one task. A hostile file can hold up a parser for hours. */
  readonly timeoutMs: number;
  /** For its objects, and as much again for its buffers. */
  readonly memoryMb: number;
}

/** Of what a parser makes next to nothing lives long. Left to itself, each thread would spread it over more than a hundred MB before it tidies up. */
const youngMemoryMb = 16;
const closed = { reason: "was not read: the run has ended" };

/** Answers one task after the other. The thread starts with the first. `entry` is the thread's code, for tests of what files can do to it. */
export function openCutter(sizes: ChunkSizes, { timeoutMs, memoryMb }: CutterLimits, entry = workerEntry()): Cutter {
  let worker: Worker | undefined;
  let last: Promise<unknown> = Promise.resolve();
  let isClosed = false;

  const start = (): Worker => {
    const started = new Worker(entry, { workerData: sizes, resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: youngMemoryMb } });
    // What a parser has left running may end the thread after its answer: that harms nobody, and the next task needs another one.
    const forget = (): void => void (worker = worker === started ? undefined : worker);
    return started.on("error", forget).on("exit", forget);
  };
  const stop = async (): Promise<void> => {
    const stopped = worker;
    worker = undefined;
    await stopped?.terminate();
  };
  const askNow = async (task: CutterTask): Promise<CutterAnswer | Unreadable> => {
    if (isClosed) return closed;
    const asked = (worker ??= start());
    const { promise, resolve } = Promise.withResolvers<CutterAnswer | Unreadable>();
    const tooLarge = { reason: `needs more than ${memoryMb} MB of memory to be read` };
    const memory = watchMemory(asked, memoryMb, () => resolve(tooLarge));
    const timer = setTimeout(() => resolve({ reason: `could not be read within ${timeoutMs / 1000} s` }), timeoutMs);
    const fail = (cause: Error): void =>
      resolve("code" in cause && cause.code === "ERR_WORKER_OUT_OF_MEMORY" ? tooLarge : { reason: `stopped its reader: ${cause.message}` });
    const leave = (): void => resolve(isClosed ? closed : { reason: "ended its reader" });
    asked.once("message", resolve).once("error", fail).once("exit", leave);
    asked.postMessage(task, []);
    const answer = await promise;
    clearTimeout(timer);
    memory.stop();
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
    close() {
      isClosed = true;
      return stop();
    },
  };
}

/** The bundle puts it beside itself; when run from source it lies beside this file. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./cut.worker.ts" : "./cut.worker.js", import.meta.url);
}

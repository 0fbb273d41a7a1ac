import { Worker } from "node:worker_threads";
import type { Json } from "../../../core/canonical-json.ts";
import type { Environment } from "../../../ports/context.ts";
import type { ToolResult } from "../../../ports/tool.ts";
import { unclear } from "../answer.ts";
import type { Asked, CallFacts, LoadedTool, Told } from "./message.ts";

export interface ToolThread {
  readonly tool: LoadedTool;
  readonly isEnded: () => boolean;
  /** Settles when the module answers, or the thread ends. */
  call(id: number, given: Json, facts: CallFacts): Promise<ToolResult>;
  /** Tells the call that nobody waits for it any more, and ends the thread where it does not even listen. */
  abandon(id: number): void;
  close(): Promise<void>;
}

export interface ThreadLimits {
  readonly loadMs: number;
  /** How long a thread may be busy with one thing after a call was given up, before it is ended. */
  readonly deafMs: number;
  readonly memoryMb: number;
}

export interface ThreadOptions extends ThreadLimits {
  readonly file: string;
  readonly env: Environment;
}

/** Without a `type` in package.json, Node looks at the file itself, and says that this takes time. */
const quiet = ["--disable-warning=MODULE_TYPELESS_PACKAGE_JSON"];

/**
 * Loads a module in a thread of its own, which any number of calls share. Rejects with why it cannot be loaded. A loop without an
 * end, a crash and `process.exit` then end the thread, and never the server; what a module writes to stdout stays out of the log.
 */
export async function startThread({ file, env, loadMs, deafMs, memoryMb }: ThreadOptions): Promise<ToolThread> {
  const worker = new Worker(workerEntry(), { workerData: { file }, env: { ...env }, execArgv: quiet, resourceLimits: { maxOldGenerationSizeMb: memoryMb } });
  const waiting = new Map<number, (result: ToolResult) => void>();
  const loading = Promise.withResolvers<LoadedTool>();
  let isEnded = false;
  let deaf: NodeJS.Timeout | undefined;
  const ask = (asked: Asked): void => worker.postMessage(asked, []);
  const end = (why: string): void => {
    isEnded = true;
    clearTimeout(deaf);
    loading.reject(new Error(why));
    for (const settle of waiting.values()) settle(unclear(`The tool ended in the middle of the call: ${why}`));
    waiting.clear();
  };
  worker.on("message", (told: Told) => {
    clearTimeout(deaf);
    if (told.type === "loaded") loading.resolve(told.tool);
    else if (told.type === "unusable") loading.reject(new Error(told.reason));
    else if (told.type === "result") {
      waiting.get(told.id)?.(told.result);
      waiting.delete(told.id);
    }
  });
  worker.once("error", (error: Error) => end(error.message)).once("exit", (code) => end(`it ended its thread with exit code ${code}`));
  const close = async (): Promise<void> => {
    isEnded = true;
    await worker.terminate();
  };
  const timer = setTimeout(() => loading.reject(new Error(`it was not loaded within ${loadMs / 1000} s`)), loadMs);
  try {
    const tool = await loading.promise;
    // The calls have timers that keep the process alive; an idle module does not.
    worker.unref();
    return {
      tool,
      isEnded: () => isEnded,
      call(id, given, facts) {
        const { promise, resolve } = Promise.withResolvers<ToolResult>();
        waiting.set(id, resolve);
        ask({ type: "call", id, given, facts });
        return promise;
      },
      abandon(id) {
        waiting.delete(id);
        if (isEnded) return;
        ask({ type: "abort", id });
        ask({ type: "ping" });
        clearTimeout(deaf);
        deaf = setTimeout(() => {
          end("another call kept it busy for too long");
          void worker.terminate();
        }, deafMs);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** The bundle puts it beside itself; when run from source it lies beside this file. */
function workerEntry(): URL {
  return new URL(import.meta.url.endsWith(".ts") ? "./tool-module.worker.ts" : "./tool-module.worker.js", import.meta.url);
}

import { type ChildProcess, spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import type { Json } from "../core/canonical-json.ts";

/** What a script may look at beside the answer. */
export interface ScriptContext {
  readonly vars: Readonly<Record<string, Json>>;
  readonly metadata: Readonly<Record<string, Json>>;
  readonly latencyMs: number;
  readonly cost: number | null;
  readonly retrieved: readonly { readonly id: string; readonly document: string; readonly score: number }[];
}
export type Script = { readonly code: string } | { readonly path: string };
export type ScriptAnswer = { readonly value: unknown } | { readonly error: string };

export interface ScriptRunner {
  /** Runs one script to its end or to the time limit. One at a time. */
  run(script: Script, output: string, context: ScriptContext): Promise<ScriptAnswer>;
  close(): void;
}

/**
 * What the child process runs. It is text, because the bundle is one file. Functions are kept, so that a suite of a
 * thousand cases compiles its script once.
 */
const childProgram = `
const known = new Map();
async function load({ code, url }) {
  if (code !== undefined) return (0, eval)(code);
  const loaded = await import(url);
  const found = [loaded.default, loaded.default?.default].find((item) => typeof item === "function");
  if (found === undefined) throw new Error("The file exports no function by default");
  return found;
}
process.on("message", async ({ script, output, context }) => {
  const key = script.code ?? script.url;
  let answer;
  try {
    if (!known.has(key)) known.set(key, await load(script));
    const value = await known.get(key)(output, context);
    answer = { value: typeof value === "number" && !Number.isFinite(value) ? String(value) : value === undefined ? null : JSON.parse(JSON.stringify(value) ?? "null") };
  } catch (cause) {
    answer = { error: cause instanceof Error ? cause.message : String(cause) };
  }
  process.send(answer);
});
process.on("disconnect", () => process.exit());
`;

/**
 * Runs the scripts of a suite in a process of their own: an endless loop ends at the time limit, and the process gets
 * nothing of this one's environment, where the secrets are. It is no sandbox: scripts are code of the application.
 */
export function openScripts(cwd: string, { timeLimitMs = 5000, signal }: { readonly timeLimitMs?: number; readonly signal?: AbortSignal } = {}): ScriptRunner {
  let child: ChildProcess | undefined;
  const stop = (): void => {
    child?.kill("SIGKILL");
    child = undefined;
  };
  return {
    run: (script, output, context) => {
      signal?.throwIfAborted();
      child ??= start(cwd);
      const message = { script: "path" in script ? { url: pathToFileURL(script.path).href } : script, output, context };
      return ask(child, message, { timeLimitMs, stop, ...(signal === undefined ? {} : { signal }) });
    },
    close: stop,
  };
}

function start(cwd: string): ChildProcess {
  // PATH alone: a program that node itself needs is found, and no key or token of the caller is passed on.
  const env = { PATH: process.env["PATH"] ?? "" };
  // What a script prints belongs neither to the answer nor to the story.
  return spawn(process.execPath, ["-e", childProgram], { cwd, env, stdio: ["ignore", "ignore", "ignore", "ipc"] });
}

interface Asking {
  readonly timeLimitMs: number;
  readonly stop: () => void;
  readonly signal?: AbortSignal;
}

function ask(child: ChildProcess, message: object, { timeLimitMs, stop, signal }: Asking): Promise<ScriptAnswer> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void): void => {
      clearTimeout(timer);
      child.off("message", onMessage).off("exit", onExit).off("error", onError);
      signal?.removeEventListener("abort", onAbort);
      settle();
    };
    const broken = (error: string): void => end(() => {
      stop();
      resolve({ error });
    });
    const onMessage = (answer: unknown): void => end(() => resolve(answer as ScriptAnswer));
    const onExit = (code: number | null): void => broken(`The script ended its process${code === null ? "" : ` with exit code ${code}`}`);
    const onError = (error: Error): void => broken(`The script's process failed: ${error.message}`);
    const onAbort = (): void => end(() => {
      stop();
      reject(signal?.reason instanceof Error ? signal.reason : new Error("Aborted"));
    });
    const timer = setTimeout(() => broken(`The script took longer than ${timeLimitMs / 1000} s`), timeLimitMs);
    child.on("message", onMessage).on("exit", onExit).on("error", onError);
    signal?.addEventListener("abort", onAbort);
    child.send(message, (error) => {
      if (error !== null) onError(error);
    });
  });
}

/** Programs of the benchmark that run beside it. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Task } from "./load.ts";

const run = promisify(execFile);

export interface Started {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly url: string;
  readonly readyMs: number;
}

/** From the start of the process to its first line on stdout, which says where it listens. What it writes then is read and thrown away. */
export function start(args: readonly string[], { cwd, env = process.env }: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {}): Promise<Started> {
  return new Promise((resolve, reject) => {
    const startedMs = performance.now();
    const child = spawn(process.execPath, args, { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.once("exit", (exitCode) => reject(new Error(`${args.join(" ")} ended with ${exitCode}`)));
    const onText = (part: Buffer): void => {
      text += part.toString();
      if (!text.includes("\n")) return;
      const { url } = JSON.parse(text.slice(0, text.indexOf("\n"))) as { readonly url: string };
      child.stdout.off("data", onText).resume();
      resolve({ child, pid: child.pid ?? 0, url, readyMs: performance.now() - startedMs });
    };
    child.stdout.on("data", onText);
  });
}

/** One of the programs beside this file. */
export function startProgram(name: "upstream" | "proxy", ...args: readonly (string | number)[]): Promise<Started> {
  return start([join(import.meta.dirname, `${name}.ts`), ...args.map(String)]);
}

export function stop({ child }: Pick<Started, "child">): Promise<void> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve();
    child.once("exit", () => resolve());
    child.kill("SIGTERM");
  });
}

/** Asks from a process of its own. */
export async function load<Result>(task: Task): Promise<Result> {
  const { stdout } = await run(process.execPath, [join(import.meta.dirname, "load.ts"), JSON.stringify(task)], { maxBuffer: 1 << 28 });
  return JSON.parse(stdout) as Result;
}

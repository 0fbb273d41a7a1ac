import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { startTwelve } from "./binary.ts";

export interface WorkerEvent {
  readonly event: string;
  readonly shard?: number;
  readonly "error.type"?: string | null;
  readonly [key: string]: unknown;
}

export interface WorkerProcess {
  readonly process: ChildProcess;
  /** Its log so far. */
  readonly events: readonly WorkerEvent[];
  readonly stderr: string;
  /** Returns when the log has an event of that name, so many of them. */
  logged(name: string, count?: number): Promise<void>;
  kill(): Promise<void>;
  /** Sends SIGTERM and gives the exit code. */
  stop(): Promise<number | null>;
}

/** `twelve run worker` of the bundled program, ready; it is killed when the test ends. */
export async function startWorker(env: string, { cwd, variables = {}, concurrency = 2 }: { readonly cwd: string; readonly variables?: Readonly<Record<string, string>>; readonly concurrency?: number }): Promise<WorkerProcess> {
  const child = startTwelve(["run", "worker", "--env", env, "--concurrency", String(concurrency)], { cwd, env: variables });
  const ended = once(child, "close");
  const waiting = new Set<() => void>();
  let stdout = "";
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    stdout += text;
    for (const look of waiting) look();
  });
  const eventsOf = (): readonly WorkerEvent[] => stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line) as WorkerEvent);
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };

  const worker: WorkerProcess = {
    process: child,
    get events() {
      return eventsOf();
    },
    get stderr() {
      return stderr;
    },
    logged: (name, count = 1) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          if (eventsOf().filter(({ event }) => event === name).length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        void ended.then(() => reject(new Error(`The worker ended with ${child.exitCode} before ${name}: ${stderr}`)));
        look();
      }),
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
  };
  await worker.logged("worker-ready");
  return worker;
}

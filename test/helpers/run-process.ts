import { existsSync, readFileSync } from "node:fs";
import { startTwelve } from "./binary.ts";

export type Line = Readonly<Record<string, unknown>>;

export interface Running {
  readonly pid: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Every event of that name so far. */
  events(name: string): readonly Line[];
  /** Where the type listens, once it is ready. */
  url(): Promise<string>;
  /** Waits until the output is as the test wants it; fails with all output when the program ends before. */
  until<Found>(look: () => Found | undefined | false): Promise<Found>;
  send(signal: NodeJS.Signals): void;
  readonly ended: Promise<number | null>;
}

/** `twelve run` in a process of its own, with what it says so far. */
export function startRun(args: readonly string[], options: { readonly cwd: string; readonly env?: Readonly<Record<string, string>> }): Running {
  const child = startTwelve(["run", "--env", "staging", "--port", "0", ...args], options);
  const said = { stdout: "", stderr: "" };
  let wake = (): void => {};
  let hasEnded = false;
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]?.setEncoding("utf8").on("data", (text: string) => {
      said[stream] += text;
      wake();
    });
  }
  const ended = new Promise<number | null>((resolve) => child.once("exit", (exitCode) => resolve(exitCode))).finally(() => {
    hasEnded = true;
    wake();
  });
  const events = (name: string): readonly Line[] =>
    said.stdout.split("\n").slice(0, -1).flatMap((line) => (line.startsWith("{") ? [JSON.parse(line) as Line] : [])).filter(({ event }) => event === name);
  async function until<Found>(look: () => Found | undefined | false): Promise<Found> {
    for (;;) {
      const found = look();
      if (found !== undefined && found !== false) return found;
      if (hasEnded) throw new Error(`twelve run ended: ${said.stderr}${said.stdout}`);
      await new Promise<void>((resolve) => (wake = resolve));
    }
  }
  return {
    pid: child.pid ?? 0,
    get stdout() {
      return said.stdout;
    },
    get stderr() {
      return said.stderr;
    },
    events,
    until,
    url: () => until(() => /Ready:\s+(http:\/\/\S+)/.exec(said.stderr)?.[1]),
    send: (signal) => void child.kill(signal),
    ended,
  };
}

/** A process that has ended and that nobody has asked for yet still has its number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).syscall === "open" && !existsSync("/proc/self");
  }
}

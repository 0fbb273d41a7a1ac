import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";
import { execa } from "execa";
import { onTestFinished } from "vitest";

export const binary = join(import.meta.dirname, "../../bin/twelve.js");

export interface Ended {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

interface CallOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

/** The environment of a clean machine: nothing of the test runner's own settings reaches the program. */
export function cleanEnv(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  const { PATH = "", HOME = "", TMPDIR = "/tmp", SystemRoot = "" } = process.env;
  const author = { GIT_AUTHOR_NAME: "Test", GIT_AUTHOR_EMAIL: "test@localhost", GIT_COMMITTER_NAME: "Test", GIT_COMMITTER_EMAIL: "test@localhost" };
  return { PATH, HOME, TMPDIR, SystemRoot, ...author, GIT_CONFIG_NOSYSTEM: "1", ...more };
}

/** Runs the bundled program to its end, with the Node that runs the tests. */
export async function twelve(args: readonly string[], { cwd, env }: CallOptions): Promise<Ended> {
  const { exitCode, stdout, stderr } = await execa(process.execPath, [binary, ...args], { cwd, env: cleanEnv(env), extendEnv: false, reject: false, stdin: "ignore" });
  return { exitCode, stdout, stderr };
}

/** Like `twelve` with `--json`: its one document. Throws what the program said when it failed. */
export async function twelveJson<Document>(args: readonly string[], options: CallOptions): Promise<Document> {
  const { exitCode, stdout, stderr } = await twelve([...args, "--json"], options);
  if (exitCode !== 0) throw new Error(`twelve ${args.join(" ")} ended with ${exitCode}: ${stderr}${stdout}`);
  return JSON.parse(stdout) as Document;
}

/** Starts the program and leaves it running; it is killed when the test ends. */
export function startTwelve(args: readonly string[], { cwd, env }: CallOptions): ChildProcess {
  const child = spawn(process.execPath, [binary, ...args], { cwd, env: cleanEnv(env), stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

export interface Server {
  readonly url: string;
  /** Everything on stdout so far, a line each. */
  readonly lines: readonly string[];
  /** Sends SIGTERM and gives the exit code. */
  stop(): Promise<number | null>;
}

/** `twelve run` on a free port, ready. */
export async function startServer(args: readonly string[], options: CallOptions): Promise<Server> {
  const child = startTwelve(["run", "--port", "0", ...args], options);
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
      const found = /Ready:\s+(http:\/\/\S+)/.exec(stderr)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then((exitCode) => reject(new Error(`twelve run ended with ${exitCode}: ${stderr}`)));
  });
  return {
    url,
    get lines() {
      return stdout.split("\n").filter((line) => line !== "");
    },
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

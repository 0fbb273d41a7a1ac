import { spawn } from "node:child_process";
import type { Environment } from "../../../ports/context.ts";

export interface Finished {
  /** null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  /** Its last part. */
  readonly stderr: string;
  /** It wrote more than may be read, and was ended for it. */
  readonly isTooLarge: boolean;
}

export interface Group {
  /** Ends the program and all that it has started. */
  readonly kill: () => void;
  /** Gives it the input, and what came of it when nothing of it runs any more. */
  finish(input: string, largestBytes: number): Promise<Finished>;
}

const keptBytes = 8192;
/** Nothing of them outlives this process. */
const running = new Set<() => void>();
process.once("exit", () => {
  for (const kill of running) kill();
});

/** A command line in the shell, which forms one group with all that it starts. Windows has no groups. */
export function startGroup(command: string, { folder, env }: { readonly folder: string; readonly env: Environment }): Group {
  const isGroup = process.platform !== "win32";
  const child = spawn(command, { shell: true, cwd: folder, env: { ...env }, detached: isGroup, stdio: ["pipe", "pipe", "pipe"], windowsHide: true });
  const kill = (): void => {
    try {
      if (isGroup && child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      else child.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
  };
  return {
    kill,
    async finish(input, largestBytes) {
      const stdout: Buffer[] = [];
      let sizeBytes = 0;
      let stderr = Buffer.alloc(0);
      child.stdout.on("data", (part: Buffer) => {
        sizeBytes += part.length;
        if (sizeBytes > largestBytes) kill();
        else stdout.push(part);
      });
      child.stderr.on("data", (part: Buffer) => (stderr = Buffer.concat([stderr, part]).subarray(-keptBytes)));
      // A program that reads nothing closes its input.
      child.stdin.on("error", () => {});
      child.stdin.end(input);
      const { promise, resolve } = Promise.withResolvers<number | null>();
      // What it has started and left behind would hold its output open, and live on.
      child.once("exit", kill).once("close", resolve).once("error", (error) => {
        stderr = Buffer.from(error.message);
        resolve(127);
      });
      running.add(kill);
      const code = await promise.finally(() => running.delete(kill));
      return { code, stdout: Buffer.concat(stdout).toString("utf8"), stderr: stderr.toString("utf8"), isTooLarge: sizeBytes > largestBytes };
    },
  };
}

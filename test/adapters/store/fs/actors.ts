import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

export interface Actor {
  readonly process: ChildProcess;
  /** Gives the actor one operation and waits for its answer. */
  ask(...operation: readonly string[]): Promise<unknown>;
  /** Gives it an operation without waiting. */
  tell(...operation: readonly string[]): void;
  /** Its next line; undefined when it is gone. */
  next(): Promise<unknown>;
}

/** Starts a process of its own on the store; it is ended with the test. */
export async function startActor(url: string, options: { readonly uid?: number } = {}): Promise<Actor> {
  const child = spawn(process.execPath, [join(import.meta.dirname, "actor.ts"), url], { ...options, stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  });
  // A process that was killed reads no more.
  child.stdin.on("error", () => {});
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const actor: Actor = {
    process: child,
    tell: (...operation) => void child.stdin.write(`${JSON.stringify(operation)}\n`),
    async next() {
      const line = await lines.next();
      return line.done === true ? undefined : (JSON.parse(line.value) as unknown);
    },
    ask(...operation) {
      actor.tell(...operation);
      return actor.next();
    },
  };
  await actor.next();
  return actor;
}

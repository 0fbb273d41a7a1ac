import cluster from "node:cluster";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import type { FromInstance, Instances, Parent, ToInstance } from "../../ports/instance.ts";

/** What it started itself may hold its output open after its end; nobody waits longer for that. */
const outputMs = 1000;

/** Instances by node:cluster: this process listens for them all, and hands each connection to one of them. */
export function systemInstances(globalFlags: readonly string[]): Instances {
  return {
    start(args, { env, onMessage, onLine }) {
      // Counts for the next fork alone; each type of process has its own arguments.
      cluster.setupPrimary({ args: [...args, ...globalFlags], silent: true });
      const worker = cluster.fork(env);
      const { process: child } = worker;
      let group: number | undefined;
      worker.on("message", (message: FromInstance) => {
        if (message.kind === "ready") ({ group } = message);
        onMessage(message);
      });
      // A pipe that breaks is told by the end of the process.
      worker.on("error", () => {});
      const read = (["stdout", "stderr"] as const).map((stream) => readLines(child[stream], (line) => onLine(stream, line)));
      let asked = 0;
      const exited = new Promise<{ readonly exitCode: number | null; readonly signal: string | null }>((resolve) => worker.once("exit", (exitCode: number | null, signal: string | null) => resolve({ exitCode, signal })));
      return {
        pid: child.pid,
        ended: exited.then(async (end) => {
          // Killed, it could not take along what it had started.
          if (end.signal !== null) endGroup(group);
          await Promise.race([Promise.all(read), sleep(outputMs, undefined, { ref: false })]);
          return end;
        }),
        send(message) {
          if (worker.isConnected()) worker.send(message, () => {});
        },
        stop() {
          // Two signals of one kind that are near each other arrive as one. What is frozen, or in a loop without an end, hears only the last.
          child.kill((["SIGTERM", "SIGQUIT"] as const)[asked] ?? "SIGKILL");
          asked++;
        },
      };
    },
  };
}

function endGroup(group: number | undefined): void {
  try {
    if (group !== undefined) process.kill(-group, "SIGTERM");
  } catch {
    // It has ended already.
  }
}

/** By line feeds alone: other characters that end a line may stand in a JSON text. */
function readLines(input: Readable | null, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    if (input === null) return resolve();
    let rest = "";
    input.setEncoding("utf8").on("data", (text: string) => {
      const lines = (rest + text).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) onLine(line);
    });
    input.once("close", () => {
      if (rest !== "") onLine(rest);
      resolve();
    });
  });
}

/** undefined in a process that was not started as an instance of another one. */
export function systemParent(name: string | undefined): Parent | undefined {
  const { worker } = cluster;
  if (worker === undefined || name === undefined) return undefined;
  // Without it Node would end this process at once when the other one is gone, in the middle of an answer.
  worker.exitedAfterDisconnect = true;
  return {
    name,
    send(message) {
      if (process.connected) process.send?.(message, undefined, undefined, () => {});
    },
    onMessage: (listener) => void worker.on("message", (message: ToInstance) => listener(message)),
    onLost: (listener) => void process.once("disconnect", listener),
  };
}

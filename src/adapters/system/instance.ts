import type { ChildProcess } from "node:child_process";
import cluster, { type Worker } from "node:cluster";
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Readable } from "node:stream";
import type { FromInstance, Instance, InstanceEnd, Instances, Parent, ToInstance } from "../../ports/instance.ts";

/** What it started itself may hold its output open after its end; nobody waits longer for that. */
const outputMs = 1000;
/** A program whose instance was killed gets this long to end, since another one is to take its place. */
const usualGroupMs = 10_000;
const groupLookMs = 50;

/** Instances by node:cluster: this process listens for them all, and hands each connection to one of them. */
export function systemInstances(globalFlags: readonly string[], { groupMs = usualGroupMs } = {}): Instances {
  return {
    start(args, { env, onMessage, onLine }) {
      // Counts for the next fork alone; each type of process has its own arguments.
      cluster.setupPrimary({ args: [...args, ...globalFlags], silent: true });
      let worker: Worker;
      try {
        worker = cluster.fork(env);
      } catch (error) {
        return neverStarted(error);
      }
      const { process: child } = worker;
      let group: number | undefined;
      worker.on("message", (message: FromInstance) => {
        if (message.kind === "ready") ({ group } = message);
        onMessage(message);
      });
      const read = (["stdout", "stderr"] as const).map((stream) => readLines(child[stream], (line) => onLine(stream, line)));
      let isSilent = false;
      void Promise.all(read).then(() => (isSilent = true));
      let asked = 0;
      const send = (message: ToInstance): void => {
        if (worker.isConnected()) worker.send(message, () => {});
      };
      const kill = (): void => {
        child.kill("SIGKILL");
        if (group !== undefined) signalGroup(group, "SIGKILL");
      };
      const exited = new Promise<InstanceEnd>((resolve) => {
        worker.once("exit", (exitCode: number | null, signal: string | null) => resolve({ exitCode, signal }));
        worker.on("error", (error: Error) => {
          // A pipe that breaks later is told by the end of the process.
          if (child.pid === undefined) resolve({ exitCode: null, signal: null, failure: error.message });
        });
      });
      return {
        pid: child.pid,
        ended: exited.then(async (end) => {
          // Killed, it could not take along what it had started.
          if (end.signal !== null && group !== undefined) await endGroup(group, { groupMs, isSilent: () => isSilent });
          if (end.failure === undefined) await Promise.race([Promise.all(read), sleep(outputMs, undefined, { ref: false })]);
          return end;
        }),
        send,
        stop() {
          // The signal is for one that is still being loaded, and hears no word yet; later it leaves signals of this kind alone.
          if (asked === 0) send({ kind: "stop-asked" });
          // Two signals of one kind that are near each other arrive as one. What is frozen, or in a loop without an end, hears only the last.
          if (asked > 1) return kill();
          child.kill(asked === 0 ? "SIGTERM" : "SIGQUIT");
          // It is gone, and what it had started is still being asked.
          if (asked === 1 && group !== undefined && hasEnded(child)) signalGroup(group, "SIGKILL");
          asked++;
        },
        kill,
      };
    },
  };
}

/** A machine that has no room for another process, say. */
function neverStarted(error: unknown): Instance {
  return { pid: undefined, ended: Promise.resolve({ exitCode: null, signal: null, failure: error instanceof Error ? error.message : String(error) }), send: () => {}, stop: () => {}, kill: () => {} };
}

function hasEnded({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode !== null || signalCode !== null;
}

/** `isSilent` is whether nobody holds the output any more that they had in common. */
async function endGroup(group: number, { groupMs, isSilent }: { readonly groupMs: number; readonly isSilent: () => boolean }): Promise<void> {
  signalGroup(group, "SIGTERM");
  for (let waitedMs = 0; waitedMs < groupMs; waitedMs += groupLookMs) {
    if (!signalGroup(group, 0) || (isSilent() && isZombie(group))) return;
    await sleep(groupLookMs);
  }
  signalGroup(group, "SIGKILL");
}

/** In a container, often nobody asks for how an orphan ended: then its group stays for good. */
function isZombie(pid: number): boolean {
  try {
    return /\) Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

/** False where it has ended already. */
function signalGroup(group: number, signal: "SIGTERM" | "SIGKILL" | 0): boolean {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** By line feeds alone: other characters that end a line may stand in a JSON text. */
function readLines(input: Readable | null | undefined, onLine: (line: string) => void): Promise<void> {
  return new Promise((resolve) => {
    if (input === null || input === undefined) return resolve();
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
  // Both may happen before anybody listens.
  const asked = new Promise<void>((resolve) => {
    worker.on("message", ({ kind }: ToInstance) => {
      if (kind === "stop-asked") resolve();
    });
  });
  const lost = new Promise<void>((resolve) => {
    if (process.connected) process.once("disconnect", resolve);
    else resolve();
  });
  return {
    name,
    send: (message) =>
      new Promise((resolve) => {
        if (!process.connected || process.send === undefined) return resolve();
        process.send(message, undefined, undefined, () => resolve());
      }),
    onMessage: (listener) => void worker.on("message", (message: ToInstance) => listener(message)),
    onStopAsked: (listener) => void asked.then(listener),
    onLost: (listener) => void lost.then(listener),
  };
}

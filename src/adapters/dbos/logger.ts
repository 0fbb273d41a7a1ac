import type { DLogger } from "@dbos-inc/dbos-sdk";

/** Trouble that goes on is told once in so many milliseconds. */
const againMs = 60_000;

export const silentLogger: DLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Tells that the database is away, and why; DBOS and the pulse wait it out. */
export function openTrouble(url: string, warn: (message: string) => void): (reason: string) => void {
  let toldMs = -Infinity;
  return (reason) => {
    const nowMs = performance.now();
    if (nowMs - toldMs < againMs) return;
    toldMs = nowMs;
    warn(`${url} does not answer as it should, and the worker keeps trying: ${reason}`);
  };
}

/** Passes on what tells of such trouble. Failures of jobs are in their status, and the rest is DBOS talking to itself. */
export function troubleLogger(tell: (reason: string) => void): DLogger {
  const filter = (entry: unknown): void => {
    const reason = /^(?:Database connection failed|Error (?:getting startable|listing)[^:]*): (.*?)(?:\. Retrying .*)?$/s.exec(String(entry))?.[1];
    if (reason !== undefined) tell(reason);
  };
  return { debug: ignore, info: ignore, warn: filter, error: filter };
}

function ignore(): void {}

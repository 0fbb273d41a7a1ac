import type { DLogger } from "@dbos-inc/dbos-sdk";

/** The same trouble is told once in so many milliseconds, however often it is met. */
const againMs = 60_000;

export const silentLogger: DLogger = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Passes on what tells of a database that is away. Failures of jobs are in their status, and the rest is DBOS talking to itself. */
export function troubleLogger(warn: (message: string) => void): DLogger {
  const told = new Map<string, number>();
  const tell = (entry: unknown): void => {
    const text = String(entry);
    if (!/^(Database connection failed|Error getting startable|Error listing)/.test(text)) return;
    const key = text.replace(/\d+/g, "");
    const nowMs = performance.now();
    if (nowMs - (told.get(key) ?? -Infinity) < againMs) return;
    told.set(key, nowMs);
    warn(text);
  };
  return { debug: ignore, info: ignore, warn: tell, error: tell };
}

function ignore(): void {}

import { hash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Clock } from "../ports/clock.ts";

/** What this machine remembers so as not to work it out again. Anything in it may vanish at any time. */
export interface LocalCache {
  /** The application's folder. */
  readonly dir: string;
  /** Below the folder of caches, such as `code-facts`. */
  readonly name: string;
  /** Names the format and its version, on one line. */
  readonly header: string;
}

/** Undefined when there is none, or when it is damaged or of another version. */
export function readCached(cache: LocalCache): string | undefined {
  let text: string;
  try {
    text = readFileSync(pathOf(cache), "utf8");
  } catch {
    return undefined;
  }
  const start = text.indexOf("\n") + 1;
  const body = text.slice(start);
  return text.slice(0, start) === firstLine(cache, body) ? body : undefined;
}

/** Written whole beside the old one and then renamed, so that a reader or a killed process never meets half of it. */
export function writeCached(cache: LocalCache, body: string, clock: Pick<Clock, "randomHex">): void {
  const path = pathOf(cache);
  const temporary = `${path}.${process.pid}-${clock.randomHex(4)}`;
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(temporary, firstLine(cache, body) + body);
  renameSync(temporary, path);
}

function pathOf({ dir, name }: LocalCache): string {
  return join(dir, ".twelve", "cache", name);
}

function firstLine({ header }: LocalCache, body: string): string {
  return `${header} ${hash("sha256", body)}\n`;
}

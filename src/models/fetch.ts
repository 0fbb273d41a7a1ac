import { mkdir, open, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { TwelveError } from "../core/errors.ts";
import type { Origin, OriginFile } from "../ports/origin.ts";
import { unusable } from "./unusable.ts";

/** Waits before the next attempt when the one before brought nothing new; after the last of them the failure stands. */
const patienceMs = [0, 1000, 4000];
const longestWaitMs = 60_000;
/** No embedding model comes near it; a server that never ends must not fill the disk. */
const largestBytes = 32_000_000_000;

export interface Fetching {
  readonly origin: Origin;
  /** Path of the file below the origin. */
  readonly path: string;
  /** Where the bytes go. A part that a run before left here is used again. */
  readonly target: string;
  /** Size that the lock promises; anything else is refused before it is fetched. */
  readonly lockedSize: number | undefined;
  readonly signal: AbortSignal;
  readonly onBytes: (count: number) => void;
}

/** What the bytes in `target` are a part of; kept beside them. */
interface Part {
  readonly url: string;
  readonly version: string;
  readonly sizeBytes: number;
}

/**
 * Fetches one file into `target`, going on where this or an earlier run broke off. Gives false when the origin has no
 * such file. What was fetched is complete, but nobody has looked at it: comparing checksums is up to the caller.
 */
export async function fetchFile(fetching: Fetching): Promise<boolean> {
  const { target, signal } = fetching;
  await mkdir(dirname(target), { recursive: true }).catch(unusable(target));
  let furthest = 0;
  for (let failures = 0; ; failures++) {
    try {
      return await attempt(fetching);
    } catch (error) {
      const reached = await sizeOf(target);
      if (reached > furthest) failures = 0;
      furthest = Math.max(furthest, reached);
      const wait = patienceMs[failures];
      if (!(error instanceof TwelveError) || error.retry === undefined || wait === undefined) throw error;
      await sleep(Math.min(longestWaitMs, Math.max(wait, error.retry.afterMs ?? 0)), undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

async function attempt(fetching: Fetching): Promise<boolean> {
  const { origin, path, target, signal } = fetching;
  signal.throwIfAborted();
  const part = await readPart(target, origin.url);
  // Asked for its last byte at least: a request for nothing is an error to most servers.
  const resume = part === undefined ? {} : { resume: { start: Math.min(await sizeOf(target), part.sizeBytes - 1), version: part.version } };
  const file = await origin.open(path, { ...resume, signal });
  if (file === undefined) return false;
  await refuseWrongSize(fetching, file);
  await writePart(target, origin.url, file);
  await receive(fetching, file);
  return true;
}

async function refuseWrongSize({ origin, path, lockedSize }: Fetching, { sizeBytes, bytes }: OriginFile): Promise<void> {
  if (sizeBytes === undefined) return;
  const isWrong = lockedSize !== undefined && sizeBytes !== lockedSize;
  if (!isWrong && sizeBytes <= largestBytes) return;
  // Lets go of the connection.
  await bytes[Symbol.asyncIterator]().return?.();
  if (isWrong) throw new TwelveError("MODEL_CHANGED", `${path} at ${origin.url} has ${sizeBytes} bytes; twelve.lock names ${lockedSize}`);
  throw tooLarge(path, origin.url);
}

async function receive({ origin, path, target, lockedSize, onBytes }: Fetching, { start, sizeBytes, bytes }: OriginFile): Promise<void> {
  const handle = await open(target, start === 0 ? "w" : "r+").catch(unusable(target));
  let position = start;
  try {
    for await (const piece of bytes) {
      if (position + piece.length > (sizeBytes ?? lockedSize ?? largestBytes)) throw tooLarge(path, origin.url);
      await handle.write(piece, 0, piece.length, position).catch(unusable(target));
      position += piece.length;
      onBytes(piece.length);
    }
  } finally {
    await handle.close();
  }
  const isCut = sizeBytes !== undefined && position < sizeBytes;
  if (isCut) throw new TwelveError("SERVICE_CUT", `${origin.url} broke off ${path} after ${position} of ${sizeBytes} bytes`, { retry: { afterMs: null } });
  await truncate(target, position).catch(unusable(target));
}

function tooLarge(path: string, url: string): TwelveError {
  return new TwelveError("SERVICE_FAILED", `${url} gives more bytes for ${path} than it should have`, { fix: "Check the URL" });
}

async function readPart(target: string, url: string): Promise<Part | undefined> {
  const text = await readFile(partPath(target), "utf8").catch(() => undefined);
  if (text === undefined || (await sizeOf(target)) === 0) return undefined;
  try {
    const part = JSON.parse(text) as Part;
    return part.url === url && part.sizeBytes > 0 ? part : undefined;
  } catch {
    return undefined;
  }
}

/** Without a version nothing says that the rest belongs to the same file; the next attempt then starts anew. */
async function writePart(target: string, url: string, { version, sizeBytes }: OriginFile): Promise<void> {
  if (version === undefined || sizeBytes === undefined) return rm(partPath(target), { force: true });
  const part: Part = { url, version, sizeBytes };
  await writeFile(partPath(target), JSON.stringify(part)).catch(unusable(target));
}

/** What is known of the part in `target`, beside it. */
export function partPath(target: string): string {
  return `${target}.part.json`;
}

async function sizeOf(path: string): Promise<number> {
  return (await stat(path).catch(() => ({ size: 0 }))).size;
}

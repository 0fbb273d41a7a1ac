import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { TwelveError } from "../../../core/errors.ts";
import type { DocumentSource } from "../../../ports/document.ts";
import { codeOf, ledgerPath, type ShownRoot, shownRoot, unreadable, unreadableDocument } from "../local.ts";
import { type FeedBytes, listFeed } from "./list.ts";

/** Text of 20 MB, the most that a document may have, and room for JSON's escapes. */
export const maxLineBytes = 32 * 1024 * 1024;

/** Enough for the feeds that people write; opening the file again for each document would take most of the time of a small one. */
const defaultHeldBytes = 32 * 1024 * 1024;

/** A file with one document on each line, such as `{"id": "1", "text": "…"}`; relative to `dir`. */
export function openSource(reference: string, dir: string, { heldBytes = defaultHeldBytes }: Partial<Pick<FeedBytes, "heldBytes">> = {}): DocumentSource {
  const file = resolve(dir, reference);
  const path = ledgerPath(dir, file);
  const feed: FeedBytes = {
    path,
    maxLineBytes,
    heldBytes,
    open: (signal) => readStream(file, shownRoot(reference, file), signal),
    async readAt({ offset, sizeBytes }, signal) {
      try {
        return await readPart(file, offset, sizeBytes);
      } catch (error) {
        signal?.throwIfAborted();
        throw unreadableDocument(path, error);
      }
    },
  };
  return { url: reference, list: (isWanted, signal) => listFeed(feed, isWanted, signal) };
}

async function* readStream(file: string, shown: ShownRoot, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array, void> {
  signal?.throwIfAborted();
  let isFile: boolean;
  try {
    isFile = (await stat(file)).isFile();
  } catch (error) {
    throw codeOf(error) === "ENOENT" ? new TwelveError("SOURCE_INVALID", `There is no source file ${shown.name} (${shown.path})`, { cause: error }) : unreadable(shown.path, error);
  }
  if (!isFile) throw new TwelveError("SOURCE_INVALID", `The source ${shown.name} ends like a feed and is not a file (${shown.path})`);
  try {
    for await (const chunk of createReadStream(file, { highWaterMark: 256 * 1024 })) {
      signal?.throwIfAborted();
      yield chunk as Uint8Array;
    }
  } catch (error) {
    signal?.throwIfAborted();
    throw unreadable(file, error);
  }
}

async function readPart(file: string, offset: number, sizeBytes: number): Promise<Uint8Array> {
  const handle = await open(file, "r");
  try {
    const bytes = new Uint8Array(sizeBytes);
    let filled = 0;
    for (let read = 1; read > 0 && filled < sizeBytes; filled += read) {
      read = (await handle.read(bytes, filled, sizeBytes - filled, offset + filled)).bytesRead;
    }
    return bytes.subarray(0, filled);
  } finally {
    await handle.close();
  }
}

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import type { Origin } from "../../../ports/origin.ts";

/** A local folder: `file:models/x` below the application's folder, or `file:///srv/models/x`. */
export function openOrigin(reference: string, dir: string): Origin {
  const folder = folderOf(reference, dir);
  return {
    url: reference,
    async open(path, { resume, signal } = {}) {
      const file = join(folder, path);
      let version: string;
      let sizeBytes: number;
      try {
        const found = await stat(file, { bigint: true });
        if (!found.isFile()) return undefined;
        version = [found.ino, found.size, found.mtimeNs, found.ctimeNs].join("-");
        sizeBytes = Number(found.size);
      } catch (cause) {
        if (isMissing(cause)) return undefined;
        throw unreadable(file, cause);
      }
      const start = resume?.version === version ? resume.start : 0;
      return { start, sizeBytes, version, bytes: read(file, start, signal) };
    },
  };
}

async function* read(file: string, start: number, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(file, { start, ...(signal === undefined ? {} : { signal }) }) as AsyncIterable<Uint8Array>;
  } catch (cause) {
    throw signal?.aborted === true ? (signal.reason as Error) : unreadable(file, cause);
  }
}

function folderOf(reference: string, dir: string): string {
  try {
    if (reference.startsWith("file://")) return fileURLToPath(reference);
  } catch (cause) {
    throw new TwelveError("SERVICE_UNSUPPORTED", `${withoutCredentials(reference)} names no local folder`, { cause, fix: "Write file:folder or file:///folder" });
  }
  return resolve(dir, reference.slice("file:".length));
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
}

function unreadable(file: string, cause: unknown): TwelveError {
  return new TwelveError("SERVICE_FAILED", `${file} cannot be read: ${String(cause)}`, { cause, fix: "Check the file's permissions" });
}

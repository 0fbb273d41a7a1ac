import { createHash, hash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readlinkSync, readSync } from "node:fs";
import { join } from "node:path";
import { constants as zlib, zstdCompressSync } from "node:zlib";
import { digestOf } from "../core/descriptor.ts";
import type { Problem } from "../core/errors.ts";
import type { Facts } from "./cache.ts";
import { inspectContent, inspectedBytes } from "./inspect.ts";
import type { CodeFile } from "./schema.ts";
import { endBytes, fileHeader, linkHeader, paddedSize } from "./tar.ts";

/** Archives are cut at this size: large enough to be few, small enough to hold several in memory. */
const archiveBytes = 32 << 20;
/** Larger files become an archive of their own that never is in memory as a whole. */
export const largeFileBytes = 64 << 20;
/** No archive that is compressed holds more: one file just below the limit, its headers and the end mark. */
export const maxArchiveBytes = largeFileBytes + (1 << 20);

export interface BatchRequest {
  readonly dir: string;
  readonly files: readonly { readonly path: string; readonly mode: CodeFile["mode"] }[];
  /** Whether the contents are wanted as archives too, or only the facts. */
  readonly isArchiving: boolean;
  /** Buffers to fill, from earlier answers; others are made as needed. */
  readonly buffers: readonly ArrayBuffer[];
}

export interface FileFacts extends Facts {
  readonly path: string;
  readonly mode: CodeFile["mode"];
  /** Where a symlink points. */
  readonly target?: string;
}

export interface Batch {
  readonly facts: readonly FileFacts[];
  /** Whole tar archives, compressed. */
  readonly archives: readonly PackedArchive[];
  /** Files above `largeFileBytes`, which were left out because archives were wanted. */
  readonly large: readonly { readonly path: string; readonly mode: CodeFile["mode"] }[];
  readonly unused: readonly ArrayBuffer[];
  readonly problems: readonly Problem[];
}

export interface PackedArchive {
  /** A buffer of its own, so that a thread can hand it over. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Bytes of tar in it, before compression. */
  readonly contentBytes: number;
}

/** The quickest level: code shrinks to a fifth, and the disk has less to do than it costs to compress. */
const compression = { params: { [zlib.ZSTD_c_compressionLevel]: 1 } };

/** Reads files once, for their digest, what they show, and their archive. Synchronous: it is meant for a worker thread. */
export function readBatch({ dir, files, isArchiving, buffers }: BatchRequest): Batch {
  const spare = [...buffers];
  const facts: FileFacts[] = [];
  const archives: PackedArchive[] = [];
  const large: { path: string; mode: CodeFile["mode"] }[] = [];
  const problems: Problem[] = [];
  let buffer: Buffer<ArrayBuffer> = Buffer.alloc(0);
  let used = 0;

  const cut = (): void => {
    if (used === 0) return;
    buffer.fill(0, used, used + endBytes);
    const packed = zstdCompressSync(buffer.subarray(0, used + endBytes), compression);
    archives.push({ bytes: new Uint8Array(packed), contentBytes: used + endBytes });
    spare.push(buffer.buffer);
    buffer = Buffer.alloc(0);
    used = 0;
  };
  /** Makes place for an entry and for the end mark after it. */
  const makePlace = (size: number): void => {
    if (used + size + endBytes <= buffer.length) return;
    if (isArchiving) cut();
    const wanted = size + endBytes;
    const found = spare.findIndex(({ byteLength }) => byteLength >= wanted);
    const reused = found === -1 ? undefined : spare.splice(found, 1)[0];
    buffer = Buffer.from(reused ?? new ArrayBuffer(Math.max(archiveBytes, wanted)));
  };

  for (const { path, mode } of files) {
    try {
      if (mode === "symlink") {
        const target = readTarget(join(dir, path));
        if (isArchiving) {
          const header = linkHeader(path, target);
          makePlace(header.length);
          used += header.copy(buffer, used);
        }
        facts.push({ path, mode, digest: digestOf(target), size: Buffer.byteLength(target), marks: {}, target });
        continue;
      }
      const file = openSync(join(dir, path), constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0));
      try {
        const { size } = fstatSync(file);
        if (size > largeFileBytes) {
          if (isArchiving) large.push({ path, mode });
          else facts.push({ path, mode, ...readLarge(file) });
          continue;
        }
        const header = isArchiving ? fileHeader({ path, isExecutable: mode === "executable", size }) : Buffer.alloc(0);
        makePlace(header.length + paddedSize(size));
        const start = used + header.copy(buffer, used);
        if (readFully(file, buffer.subarray(start, start + size)) !== size) throw new Error("it was cut while it was read");
        const content = buffer.subarray(start, start + size);
        if (isArchiving) {
          used = start + paddedSize(size);
          buffer.fill(0, start + size, used);
        }
        facts.push({ path, mode, digest: `sha256:${hash("sha256", content)}`, size, marks: inspectContent(content.subarray(0, inspectedBytes)) });
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      problems.push({ file: path, message: reason(cause) });
    }
  }
  if (isArchiving) cut();
  return { facts, archives, large, unused: spare, problems };
}

/** On systems without symlinks git writes the target into an ordinary file. */
function readTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EINVAL") throw cause;
  }
  const file = openSync(path, "r");
  try {
    const bytes = Buffer.alloc(4096);
    return bytes.toString("utf8", 0, readFully(file, bytes));
  } finally {
    closeSync(file);
  }
}

function readFully(file: number, into: Buffer): number {
  let done = 0;
  while (done < into.length) {
    const count = readSync(file, into, done, into.length - done, null);
    if (count === 0) break;
    done += count;
  }
  return done;
}

function readLarge(file: number): Facts {
  const sha = createHash("sha256");
  const chunk = Buffer.allocUnsafeSlow(inspectedBytes);
  let size = readFully(file, chunk);
  const marks = inspectContent(chunk.subarray(0, size));
  sha.update(chunk.subarray(0, size));
  for (let count = readFully(file, chunk); count > 0; count = readFully(file, chunk)) {
    sha.update(chunk.subarray(0, count));
    size += count;
  }
  return { digest: `sha256:${sha.digest("hex")}`, size, marks };
}

function reason(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return "is tracked by git but missing on disk (in a sparse checkout, run `git sparse-checkout disable`)";
  if (code === "EACCES" || code === "EPERM") return "cannot be read: permission denied";
  return `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
}

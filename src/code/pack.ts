import { createHash } from "node:crypto";
import { mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Descriptor } from "../core/descriptor.ts";
import { type Problem, TwelveError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { inspectContent, inspectedBytes } from "./inspect.ts";
import type { FileFacts } from "./read-batch.ts";
import { openReaders } from "./readers.ts";
import { archiveMediaType, compressedArchiveMediaType } from "./schema.ts";
import type { SelectedFile } from "./select-plan.ts";
import { endBytes, fileHeader, paddedSize } from "./tar.ts";

export interface ReadOptions {
  readonly dir: string;
  readonly signal: AbortSignal;
  /** Called with the number of files read so far. */
  readonly update: (done: number) => void;
}

export interface Packed {
  readonly facts: readonly FileFacts[];
  readonly archives: readonly Descriptor[];
  /** Bytes of tar in them, before compression. */
  readonly contentBytes: number;
}

/** Batches are cut by count, so that equal files make equal archives however many threads read them. */
const batchFiles = 512;

/** Digest, size and marks of each file. Fails with CODE_INVALID, naming every file that cannot be read. */
export async function readFacts(files: readonly SelectedFile[], options: ReadOptions): Promise<readonly FileFacts[]> {
  return (await readAll(files, options)).facts;
}

/** Stores the files as tar archives, reading each once. Fails as `readFacts` does. */
export async function packFiles(files: readonly SelectedFile[], store: Store, options: ReadOptions): Promise<Packed> {
  return readAll(files, options, store);
}

async function readAll(files: readonly SelectedFile[], { dir, signal, update }: ReadOptions, store?: Store): Promise<Packed> {
  const batches = Array.from({ length: Math.ceil(files.length / batchFiles) }, (_, index) => files.slice(index * batchFiles, (index + 1) * batchFiles));
  const results: Packed[] = [];
  const problems: Problem[] = [];
  const buffers: ArrayBuffer[] = [];
  const readers = openReaders(files.length);
  let next = 0;
  let done = 0;

  /** Takes one batch after the other: while one lane waits for the disk, another has its files read. */
  const lane = async (): Promise<void> => {
    for (let index = next++; index < batches.length; index = next++) {
      signal.throwIfAborted();
      const files = (batches[index] ?? []).map(({ path, mode }) => ({ path, mode }));
      const batch = await readers.read({ dir, files, isArchiving: store !== undefined, buffers: buffers.splice(0, 1) });
      problems.push(...batch.problems);
      const archives: Descriptor[] = [];
      let contentBytes = 0;
      const facts = [...batch.facts];
      for (const archive of batch.archives) {
        if (store === undefined) continue;
        archives.push(await store.blobs.write(archive.bytes, compressedArchiveMediaType));
        contentBytes += archive.contentBytes;
      }
      buffers.push(...batch.unused);
      for (const file of batch.large) {
        const packed = store === undefined ? undefined : await packLarge(file, dir, store);
        if (packed === undefined) continue;
        facts.push(packed.facts);
        archives.push(packed.archive);
        contentBytes += packed.archive.size;
      }
      results[index] = { facts, archives, contentBytes };
      update((done += files.length));
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: readers.width + 2 }, lane));
  await readers.close();
  for (const lane of lanes) if (lane.status === "rejected") throw lane.reason;
  if (problems.length > 0) throw new TwelveError("CODE_INVALID", `${problems.length === 1 ? "A file" : `${problems.length} files`} of the application cannot be packaged`, { problems });
  return {
    facts: results.flatMap(({ facts }) => facts),
    archives: results.flatMap(({ archives }) => archives),
    contentBytes: results.reduce((sum, packed) => sum + packed.contentBytes, 0),
  };
}

/** One large file as an archive of its own, not compressed, written piece by piece; the store may take the scratch file itself. */
async function packLarge({ path, mode }: Pick<SelectedFile, "path" | "mode">, dir: string, store: Store): Promise<{ readonly facts: FileFacts; readonly archive: Descriptor }> {
  const folder = join(dir, ".twelve", "cache");
  await mkdir(folder, { recursive: true });
  const scratch = join(folder, `large-${process.pid}-${createHash("sha256").update(path).digest("hex").slice(0, 16)}.tar`);
  const source = await open(join(dir, path), "r");
  const target = await open(scratch, "w");
  try {
    const { size } = await source.stat();
    await target.write(fileHeader({ path, isExecutable: mode === "executable", size }));
    const hash = createHash("sha256");
    const chunk = Buffer.allocUnsafeSlow(8 * inspectedBytes);
    let marks: FileFacts["marks"] = {};
    let done = 0;
    while (done < size) {
      const { bytesRead } = await source.read(chunk, 0, Math.min(chunk.length, size - done), null);
      if (bytesRead === 0) throw new TwelveError("CODE_CHANGED", `${path} was cut while it was packaged`);
      if (done === 0) marks = inspectContent(chunk.subarray(0, Math.min(bytesRead, inspectedBytes)));
      hash.update(chunk.subarray(0, bytesRead));
      await target.write(chunk.subarray(0, bytesRead));
      done += bytesRead;
    }
    await target.write(Buffer.alloc(paddedSize(size) - size + endBytes));
    const facts: FileFacts = { path, mode, size, digest: `sha256:${hash.digest("hex")}`, marks };
    return { facts, archive: await store.blobs.writeFile(scratch, archiveMediaType) };
  } finally {
    await source.close();
    await target.close();
    await rm(scratch, { force: true });
  }
}

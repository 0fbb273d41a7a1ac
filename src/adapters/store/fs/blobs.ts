import { readdir, readFile, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Digest, digestOf, hexOf } from "../../../core/descriptor.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { BlobStore } from "../../../ports/store.ts";
import type { Area } from "./area.ts";
import { errorCode } from "./failure.ts";
import { hashFile } from "./hash-file.ts";
import { linkOrCopy, moveOrCopy } from "./transfer.ts";

/**
 * Each blob is one read-only file that is complete before it gets its name. Processes that write the same blob at the
 * same time give the name to one of their equal files. `url` is for messages.
 */
export function fileBlobs(area: Area, url: string): BlobStore {
  const file = (digest: Digest): string => join(area.folder, "sha256", hexOf(digest).slice(0, 2), hexOf(digest).slice(2));
  const missing = (digest: Digest): TwelveError => new TwelveError("BLOB_NOT_FOUND", `Blob ${digest} is not in ${url}`);
  const corrupt = (digest: Digest, what: string): TwelveError => new TwelveError("BLOB_CORRUPT", `Blob ${digest} is damaged: ${file(digest)} ${what}`);

  /** Fails with BLOB_NOT_FOUND, or BLOB_CORRUPT when there is something else than a file of this size. */
  const expectSize = async (digest: Digest, size: number): Promise<void> => {
    const found = await sizeOf(file(digest));
    if (found === undefined) throw missing(digest);
    if (found !== size) throw corrupt(digest, `has ${found} bytes, expected ${size}`);
  };
  const expectDigest = (digest: Digest, found: Digest): void => {
    if (found !== digest) throw corrupt(digest, `hashes to ${found}`);
  };
  /** Whether it is there and whole: a damaged blob is replaced when its bytes are written again. */
  const isStored = async (digest: Digest, size: number): Promise<boolean> =>
    (await sizeOf(file(digest))) === size && (await hashFile(file(digest))).digest === digest;

  return {
    has: async (digest) => (await sizeOf(file(digest))) !== undefined,

    async read({ digest, size }) {
      await expectSize(digest, size);
      const bytes = await readFile(file(digest));
      expectDigest(digest, digestOf(bytes));
      return bytes;
    },

    async write(bytes, mediaType) {
      const digest = digestOf(bytes);
      const target = file(digest);
      await area.prepare(dirname(target));
      if (!(await isStored(digest, bytes.length))) await area.finish(await area.writeTemporary(bytes), target);
      // Also when it was there: the process that wrote it may not have come to this line yet.
      await area.sync(dirname(target));
      return { mediaType, digest, size: bytes.length };
    },

    async writeFile(path, mediaType) {
      const { digest, size } = await hashFile(path);
      const target = file(digest);
      await area.prepare(dirname(target));
      if (!(await isStored(digest, size))) await moveOrCopy(path, target, await area.temporaryPath());
      await rm(path, { force: true });
      await area.sync(dirname(target));
      return { mediaType, digest, size };
    },

    async readFile({ digest, size }, path) {
      await expectSize(digest, size);
      expectDigest(digest, (await hashFile(file(digest))).digest);
      await linkOrCopy(file(digest), path);
    },

    async check(digest) {
      if ((await sizeOf(file(digest))) === undefined) throw missing(digest);
      const found = await hashFile(file(digest));
      expectDigest(digest, found.digest);
      return found.size;
    },

    async *list() {
      const folder = join(area.folder, "sha256");
      for (const start of await namesIn(folder, /^[0-9a-f]{2}$/)) {
        for (const rest of await namesIn(join(folder, start), /^[0-9a-f]{62}$/)) yield `sha256:${start}${rest}`;
      }
    },
  };
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
}

/** The names that have the form of a blob's; others are not ours. */
async function namesIn(folder: string, form: RegExp): Promise<readonly string[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw error;
  });
  return names.filter((name) => form.test(name));
}

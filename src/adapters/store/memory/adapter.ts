import { readFile, rm, writeFile } from "node:fs/promises";
import { type Descriptor, type Digest, digestOf } from "../../../core/descriptor.ts";
import { TwelveError } from "../../../core/errors.ts";
import { checkRefName, checkRefPrefix, checkRefValue } from "../../../core/ref-name.ts";
import type { BlobStore, Ref, RefStore, Store } from "../../../ports/store.ts";

const url = "memory:";

/** A store that lives as long as the process: for tests and for trying. `contents` lets a test damage a blob. */
export function openStore(contents: Map<Digest, Uint8Array> = new Map()): Store {
  return { url, blobs: memoryBlobs(contents), refs: memoryRefs() };
}

function memoryBlobs(contents: Map<Digest, Uint8Array>): BlobStore {
  const find = (digest: Digest): Uint8Array => {
    const bytes = contents.get(digest);
    if (bytes === undefined) throw new TwelveError("BLOB_NOT_FOUND", `Blob ${digest} is not in ${url}`);
    const actual = digestOf(bytes);
    if (actual !== digest) throw new TwelveError("BLOB_CORRUPT", `Blob ${digest} in ${url} is damaged: its bytes hash to ${actual}`);
    return bytes;
  };
  const findExactly = ({ digest, size }: Descriptor): Uint8Array => {
    const bytes = find(digest);
    if (bytes.length !== size) throw new TwelveError("BLOB_CORRUPT", `Blob ${digest} in ${url} has ${bytes.length} bytes, expected ${size}`);
    return bytes;
  };
  const write = (bytes: Uint8Array, mediaType: string): Descriptor => {
    const digest = digestOf(bytes);
    // Copied, as it is on the way out: nobody else's array may change what is stored. A damaged blob is replaced.
    contents.set(digest, bytes.slice());
    return { mediaType, digest, size: bytes.length };
  };
  return {
    has: async (digest) => contents.has(digest),
    read: async (blob) => findExactly(blob).slice(),
    write: async (bytes, mediaType) => write(bytes, mediaType),
    async writeFile(path, mediaType) {
      const blob = write(new Uint8Array(await readFile(path)), mediaType);
      await rm(path);
      return blob;
    },
    async readFile(blob, path) {
      const bytes = findExactly(blob);
      try {
        await rm(path, { force: true });
        await writeFile(path, bytes, { flag: "wx", mode: 0o444 });
      } catch (cause) {
        throw new TwelveError("FOLDER_UNUSABLE", `${path} cannot be written: ${String(cause)}`, { cause });
      }
    },
    check: async (digest) => find(digest).length,
    async *list() {
      yield* contents.keys();
    },
  };
}

function memoryRefs(): RefStore {
  const current = new Map<string, Ref>();
  return {
    async read(name) {
      checkRefName(name);
      return current.get(name);
    },
    async create(name, value) {
      checkRefName(name);
      checkRefValue(name, value);
      if (current.has(name)) return false;
      current.set(name, { value, tag: "1" });
      return true;
    },
    async replace(name, value, tag) {
      checkRefName(name);
      checkRefValue(name, value);
      if (current.get(name)?.tag !== tag) return false;
      current.set(name, { value, tag: String(Number(tag) + 1) });
      return true;
    },
    async list(prefix) {
      checkRefPrefix(prefix);
      return [...current.keys()].filter((name) => name.startsWith(prefix)).sort();
    },
  };
}

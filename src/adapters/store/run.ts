import type { BlobStore, RefStore } from "../../ports/store.ts";

/** Does one operation of a store, when and how it sees fit. */
export type Run = <Result>(operation: () => Promise<Result>) => Promise<Result>;

/** The same blobs, each operation done by `run`, and what writes by `runWrite`; a list goes on for long, and is left alone. */
export function runBlobs(blobs: BlobStore, run: Run, runWrite: Run = run): BlobStore {
  return {
    has: (digest) => run(() => blobs.has(digest)),
    read: (blob) => run(() => blobs.read(blob)),
    write: (bytes, mediaType) => runWrite(() => blobs.write(bytes, mediaType)),
    writeFile: (path, mediaType) => runWrite(() => blobs.writeFile(path, mediaType)),
    readFile: (blob, path) => run(() => blobs.readFile(blob, path)),
    check: (digest) => run(() => blobs.check(digest)),
    list: () => blobs.list(),
  };
}

/** The same refs, each operation done by `run`. */
export function runRefs(refs: RefStore, run: Run): RefStore {
  return {
    read: (name) => run(() => refs.read(name)),
    create: (name, value) => run(() => refs.create(name, value)),
    replace: (name, value, tag) => run(() => refs.replace(name, value, tag)),
    list: (prefix) => run(() => refs.list(prefix)),
  };
}

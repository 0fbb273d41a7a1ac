import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TwelveError } from "../../../core/errors.ts";
import { withoutCredentials } from "../../../core/url.ts";
import type { ServiceCheck } from "../../../ports/check.ts";
import type { BlobStore, Store } from "../../../ports/store.ts";
import { limitTo } from "../limit.ts";
import { type Run, runBlobs, runRefs } from "../run.ts";
import { openArea } from "./area.ts";
import { fileBlobs } from "./blobs.ts";
import { errorCode, guard } from "./failure.ts";
import { fileRefs } from "./refs.ts";

/** Enough to keep the disk busy; each takes one or two file handles, of which a process may have as few as 256. */
const operationsAtOnce = 32;

/**
 * A store in a folder: `file:.twelve/store` is relative to `dir`, `file:///srv/store` absolute. Nothing is made before
 * the first write. Any number of processes may use the folder at once.
 */
export function openStore(reference: string, dir: string): Store {
  const root = folderOf(reference, dir);
  const url = `file:${root}`;
  const limit = limitTo(operationsAtOnce);
  const run: Run = (operation) => limit(() => guard(root, operation));
  const blobs = fileBlobs(openArea(join(root, "blobs")), url);
  const refs = fileRefs(openArea(join(root, "refs")));
  return {
    url,
    blobs: { ...runBlobs(blobs, run), list: () => guardedList(root, blobs) },
    refs: runRefs(refs, run),
    check: () => run(() => checkFolder(root)),
  };
}

/** Nothing is made before the first write, so a folder that is not there is no failure. */
async function checkFolder(root: string): Promise<ServiceCheck> {
  try {
    await readdir(root);
    return { version: null };
  } catch (error) {
    if (errorCode(error) !== "ENOENT") throw error;
    return { version: null, detail: "made at the first write" };
  }
}

async function* guardedList(root: string, blobs: BlobStore): ReturnType<BlobStore["list"]> {
  const digests = blobs.list()[Symbol.asyncIterator]();
  for (;;) {
    const next = await guard(root, () => digests.next());
    if (next.done === true) return;
    yield next.value;
  }
}

function folderOf(reference: string, dir: string): string {
  const path = reference.slice("file:".length);
  try {
    // Three slashes make a URL, with its %20; anything else is a path as people write it.
    if (path.startsWith("//")) return resolve(fileURLToPath(reference));
  } catch (cause) {
    throw new TwelveError("CONFIG_INVALID", `The store ${withoutCredentials(reference)} names another machine or has no path. Write file:///path for an absolute path`, { cause });
  }
  if (path === "") throw new TwelveError("CONFIG_INVALID", "The store file: needs a path, such as file:.twelve/store");
  return resolve(dir, path);
}

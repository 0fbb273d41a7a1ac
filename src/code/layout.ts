import { randomBytes } from "node:crypto";
import { existsSync, lstatSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { type Descriptor, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { extractFiles } from "./extract.ts";
import { damagedFiles } from "./intact.ts";
import { assertContained, filesByPath } from "./safety.ts";
import { maxArchiveBytes } from "./read-batch.ts";
import { type CodeFile, codeDataKind, codeTreeKind, compressedArchiveMediaType } from "./schema.ts";

/**
 * Lays out the files of a code tree in `folder`, each one verified. A folder that is there already is checked and what
 * is damaged or missing in it is put right; files beside the tree's own are left alone, since programs write caches.
 * Any number of processes may do this at the same time. Fails with BLOB_NOT_FOUND or BLOB_CORRUPT, and with
 * ARTIFACT_INVALID for a tree that would leave the folder.
 */
export async function layOutCode(store: Store, tree: Descriptor, folder: string): Promise<void> {
  const name = shortDigest(tree.digest);
  const document = await readDocument(store, codeTreeKind, tree);
  assertContained(document, name);
  const files = filesByPath(document);
  const wanted = existsSync(folder) ? damagedFiles(folder, files) : files;
  if (wanted.size === 0 && existsSync(folder)) return;

  const scratch = `${folder}.new-${randomBytes(6).toString("hex")}`;
  try {
    const fresh = join(scratch, "code");
    mkdirSync(fresh, { recursive: true });
    const archives = await fetchArchives(store, tree, scratch);
    const missing = extractFiles(wanted, { archives, folder: fresh, name });
    if (missing.length > 0) throw incomplete(store, name, missing);
    if (!moveWhole(fresh, folder)) moveEach(fresh, folder, wanted);
  } catch (cause) {
    if (cause instanceof TwelveError) throw cause;
    throw new TwelveError("STORE_UNUSABLE", `The code ${name} cannot be laid out in ${folder}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, fix: "Check the folder's permissions and free space" });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  const left = damagedFiles(folder, files);
  if (left.size > 0) throw new TwelveError("CODE_CHANGED", `${[...left.keys()].slice(0, 3).join(", ")} in ${folder} changed while the code was laid out`);
}

async function fetchArchives(store: Store, tree: Descriptor, scratch: string): Promise<readonly string[]> {
  const data = await readPointer(store, codeDataKind, refs.codeData(tree.digest));
  if (data === undefined) {
    throw new TwelveError("BLOB_NOT_FOUND", `${store.url} does not hold the files of the code ${shortDigest(tree.digest)}`, { fix: "Run `twelve build` in a checkout of that code, or attach the store that holds it with TWELVE_STORE" });
  }
  const paths: string[] = [];
  // One after the other: an archive is in memory while it is unpacked.
  for (const [index, archive] of data.value.archives.entries()) {
    const path = join(scratch, `${index}.tar`);
    if (archive.mediaType === compressedArchiveMediaType) writeFileSync(path, await unpack(store, archive));
    else await store.blobs.readFile(archive, path);
    paths.push(path);
  }
  return paths;
}

async function unpack(store: Store, archive: Descriptor): Promise<Uint8Array> {
  const packed = await store.blobs.read(archive);
  try {
    return zstdDecompressSync(packed, { maxOutputLength: maxArchiveBytes });
  } catch (cause) {
    // The bytes are what the digest says, so this is how the archive was made.
    throw new TwelveError("ARTIFACT_INVALID", `The archive ${shortDigest(archive.digest)} of ${store.url} cannot be unpacked: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

function incomplete(store: Store, name: string, missing: readonly string[]): TwelveError {
  const [first] = missing;
  return new TwelveError("BLOB_NOT_FOUND", `${store.url} lacks ${missing.length} files of the code ${name}, such as ${first}`, { fix: "Run `twelve build` in a checkout of that code" });
}

/** False when there is such a folder already: another process was first, or this is a repair. */
function moveWhole(fresh: string, folder: string): boolean {
  if (existsSync(folder)) return false;
  try {
    renameSync(fresh, folder);
    return true;
  } catch (cause) {
    if (existsSync(folder)) return false;
    throw cause;
  }
}

/** Each file by itself, so that a program that runs from this folder never misses one. */
function moveEach(fresh: string, folder: string, wanted: ReadonlyMap<string, CodeFile>): void {
  for (const path of wanted.keys()) {
    makeParents(folder, path);
    const target = join(folder, path);
    if (lstatSync(target, { throwIfNoEntry: false })?.isDirectory() === true) rmSync(target, { recursive: true });
    renameSync(join(fresh, path), target);
  }
}

/** Folders down to the file; a link or file that has taken a folder's place is removed, so that nothing is written through it. */
function makeParents(folder: string, path: string): void {
  const parents = path.split("/").slice(0, -1).map((_, depth, segments) => join(folder, ...segments.slice(0, depth + 1)));
  for (const parent of parents) {
    const found = lstatSync(parent, { throwIfNoEntry: false });
    if (found?.isDirectory() === true) continue;
    if (found !== undefined) rmSync(parent);
    mkdirSync(parent);
  }
  mkdirSync(dirname(join(folder, path)), { recursive: true });
}

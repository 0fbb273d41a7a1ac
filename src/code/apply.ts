import { readDocument } from "../artifact/document.ts";
import { movePointer, readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import type { Descriptor } from "../core/descriptor.ts";
import { type Problem, TwelveError } from "../core/errors.ts";
import { isStoreAway, type Store } from "../ports/store.ts";
import { filesToPack, isFragmented } from "./archives-plan.ts";
import type { Facts, FactsCache } from "./cache.ts";
import { linkTarget } from "./link.ts";
import { packFiles, type ReadOptions, readFacts } from "./pack.ts";
import type { FileFacts } from "./read-batch.ts";
import { type CodeData, codeDataKind, type CodeTree, codeTreeKind } from "./schema.ts";
import type { SelectedFile } from "./select-plan.ts";
import { type EncodedTree, encodeTree, storeTreeDocument } from "./tree.ts";

export interface ReadCode {
  readonly tree: CodeTree;
  /** In the order of the tree. */
  readonly facts: readonly FileFacts[];
  /** How many files had to be read. */
  readonly readFiles: number;
  /** Whether some of these are worth remembering: what git has a name for is not read again. */
  readonly isLearned: boolean;
}

export interface PackedCode extends ReadCode {
  readonly descriptor: Descriptor;
  /** How many bytes of archives were added to the store. */
  readonly storedBytes: number;
}

/** The code as it would be packaged; nothing is stored. Files that the cache knows are not read. */
export async function readCode(files: readonly SelectedFile[], cache: FactsCache, options: ReadOptions): Promise<ReadCode> {
  const known = files.flatMap((file) => knownFacts(file, cache));
  const isKnown = new Set(known.map(({ path }) => path));
  const fresh = files.filter(({ path }) => !isKnown.has(path));
  return { ...toTree([...known, ...(await readFacts(fresh, options))]), readFiles: fresh.length, isLearned: fresh.some(isNamed) };
}

/**
 * Packages the code into the store. With the archives of an earlier tree at hand only changed files are written; without,
 * all are, each read exactly once.
 */
export async function packCode(files: readonly SelectedFile[], cache: FactsCache, store: Store, earlier: Descriptor | undefined, options: ReadOptions): Promise<PackedCode> {
  const data = earlier === undefined ? undefined : await readArchives(store, earlier);
  if (earlier === undefined || data === undefined) return packWhole(files, store, options);

  const read = await readCode(files, cache, options);
  const encoded = encodeTree(read.tree);
  const { descriptor } = encoded;
  if ((await readArchives(store, descriptor)) !== undefined) return { ...read, descriptor, storedBytes: 0 };
  const earlierTree = await readable(readDocument(store, codeTreeKind, earlier));
  if (earlierTree === undefined) return packWhole(files, store, options);
  const changed = new Set(filesToPack(read.tree, earlierTree).map(({ path }) => path));
  const packed = await packFiles(files.filter(({ path }) => changed.has(path)), store, options);
  assertSame(packed.facts, read.tree);
  const merged: CodeData = { version: 1, archives: [...data.archives, ...packed.archives], contentBytes: data.contentBytes + packed.contentBytes };
  if (isFragmented(merged, read.tree)) return packWhole(files, store, options);
  await storeTree(store, encoded, merged);
  return { ...read, descriptor, storedBytes: sizeOf(packed.archives) };
}

async function packWhole(files: readonly SelectedFile[], store: Store, options: ReadOptions): Promise<PackedCode> {
  const { facts, archives, contentBytes } = await packFiles(files, store, options);
  const read = toTree(facts);
  const encoded = encodeTree(read.tree);
  await storeTree(store, encoded, { version: 1, archives: [...archives], contentBytes });
  return { ...read, readFiles: files.length, isLearned: files.some(isNamed), descriptor: encoded.descriptor, storedBytes: sizeOf(archives) };
}

async function storeTree(store: Store, encoded: EncodedTree, data: CodeData): Promise<void> {
  const { digest } = await storeTreeDocument(store, encoded);
  await movePointer(store, refs.codeData(digest), data);
}

/** Archives of a tree, when the store still has all of them. */
async function readArchives(store: Store, tree: Descriptor): Promise<CodeData | undefined> {
  const data = (await readable(readPointer(store, codeDataKind, refs.codeData(tree.digest))))?.value;
  if (data === undefined) return undefined;
  const present = await Promise.all([tree, ...data.archives].map(({ digest }) => store.blobs.has(digest)));
  return present.every(Boolean) ? data : undefined;
}

/** What an earlier build left helps this one; when it is damaged or of another version, this one does without. */
async function readable<Left>(reading: Promise<Left>): Promise<Left | undefined> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof TwelveError && !isStoreAway(error)) return undefined;
    throw error;
  }
}

function knownFacts(file: SelectedFile, cache: FactsCache): readonly FileFacts[] {
  const facts: Facts | undefined = isNamed(file) ? cache.get(file.oid ?? "") : undefined;
  return facts === undefined ? [] : [{ path: file.path, mode: file.mode, ...facts }];
}

/** A link's target is needed to see where it leads, and it costs nothing to read. */
function isNamed({ mode, oid }: SelectedFile): boolean {
  return oid !== undefined && mode !== "symlink";
}

/** Fails with CODE_INVALID for links that lead out of the application's folder. */
function toTree(unsorted: readonly FileFacts[]): Pick<ReadCode, "tree" | "facts"> {
  const facts = [...unsorted].sort((left, right) => (left.path < right.path ? -1 : 1));
  const links = new Map(facts.flatMap(({ path, target }) => (target === undefined ? [] : [[path, target] as const])));
  const problems = [...links].flatMap(([path, target]): readonly Problem[] => {
    const answer = linkTarget(path, links);
    if (answer === "inside") return [];
    const what = answer === "loop" ? "which leads round in a circle" : "which is outside of the application's folder";
    return [{ file: path, message: `is a link to ${JSON.stringify(target)}, ${what}. Replace it with the file, or leave it out with \`code.exclude\`` }];
  });
  if (problems.length > 0) throw new TwelveError("CODE_INVALID", `${problems.length === 1 ? "A link" : `${problems.length} links`} of the application cannot be packaged`, { problems });
  return { facts, tree: { version: 1, files: facts.map(({ path, mode, size, digest }) => ({ path, mode, size, digest })) } };
}

/** The files were read twice; what was stored must be what was counted. */
function assertSame(stored: readonly FileFacts[], tree: CodeTree): void {
  const digests = new Map(tree.files.map(({ path, digest }) => [path, digest]));
  const changed = stored.find(({ path, digest }) => digests.get(path) !== digest);
  if (changed !== undefined) throw new TwelveError("CODE_CHANGED", `${changed.path} changed while it was packaged`);
}

function sizeOf(archives: readonly Descriptor[]): number {
  return archives.reduce((sum, { size }) => sum + size, 0);
}

import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { type Descriptor, type Digest, digestPrefix, hexOf } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { Store } from "../ports/store.ts";
import { readIndex, type StoredIndex } from "./read.ts";
import { indexKind, indexPointerKind } from "./schema.ts";

/** One index of the store, as its refs name it. */
export interface NamedIndex {
  readonly name: string;
  readonly hex: string;
  readonly isLatest: boolean;
}

/** Every index of the application, or those of one name, sorted by name and digest. */
export async function listIndexes(store: Store, app: string, wanted?: string): Promise<readonly NamedIndex[]> {
  const folder = refs.indexes(app);
  const names = (await store.refs.list(folder)).map((ref) => ref.slice(folder.length).split("/"));
  const found = names.flatMap(([name = "", hex = ""]) => (hex === "latest" || (wanted !== undefined && name !== wanted) ? [] : [{ name, hex }]));
  const latest = new Map<string, string | undefined>();
  for (const { name } of found) {
    if (!latest.has(name)) latest.set(name, await latestOf(store, app, name));
  }
  return found.map(({ name, hex }) => ({ name, hex, isLatest: latest.get(name) === hex }));
}

/**
 * The index that `text` means: a name for the newest of it, the beginning of a digest, or `name@digest`; the only name there is when
 * nothing is given. Fails with INDEX_NOT_FOUND or USAGE_INVALID.
 */
export async function findNamedIndex(store: Store, app: string, text: string | undefined): Promise<StoredIndex> {
  const all = await listIndexes(store, app);
  const names = [...new Set(all.map(({ name }) => name))];
  const [only] = names;
  if (only === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${store.url} holds no index of ${app}`);
  if (text === undefined) {
    if (names.length === 1) return readIndex(store, app, only);
    throw new TwelveError("USAGE_INVALID", `${app} has ${names.length} indexes: ${names.join(", ")}`, { fix: "Name one of them" });
  }
  if (names.includes(text)) return readIndex(store, app, text);
  const [, name, digest = text] = /^([^@]+)@(.+)$/.exec(text) ?? [];
  const prefix = digestPrefix(digest);
  if (prefix === undefined || (name !== undefined && !names.includes(name))) {
    throw new TwelveError("INDEX_NOT_FOUND", `There is no index "${text}".${didYouMean(name ?? text, names)} Indexes: ${names.join(", ")}`, { fix: "Give a name, at least four hex digits of a digest, or name@digest. `twelve index list` shows all" });
  }
  const matching = all.filter((index) => index.hex.startsWith(prefix) && (name === undefined || index.name === name));
  const [match] = matching;
  if (match === undefined) throw new TwelveError("INDEX_NOT_FOUND", `No index of ${app} has a digest that begins with ${prefix}`, { fix: "`twelve index list` shows all" });
  if (matching.length > 1) throw new TwelveError("INDEX_NOT_FOUND", `${prefix} begins the digests of ${matching.length} indexes of ${app}`, { fix: "Give more digits of the digest, or name@digest" });
  return readNamedIndex(store, app, match);
}

export async function readNamedIndex(store: Store, app: string, { name, hex }: NamedIndex): Promise<StoredIndex> {
  const digest: Digest = `sha256:${hex}`;
  const pointer = await readPointer(store, indexPointerKind, refs.index(app, name, digest));
  if (pointer === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${store.url} lost the ref of index ${hex}`);
  const descriptor: Descriptor = pointer.value.index;
  return { descriptor, index: await readDocument(store, indexKind, descriptor) };
}

async function latestOf(store: Store, app: string, name: string): Promise<string | undefined> {
  const pointer = await readPointer(store, indexPointerKind, refs.latestIndex(app, name));
  return pointer === undefined ? undefined : hexOf(pointer.value.index.digest);
}

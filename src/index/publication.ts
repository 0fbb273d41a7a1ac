import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Digest, digestOf } from "../core/descriptor.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import { type Publication, publicationKind } from "./schema.ts";

/** A publication as it was read, with what a change must name. */
export interface RecordedPublication {
  readonly ref: string;
  readonly tag: string;
  readonly value: Publication;
}

interface Which {
  readonly app: string;
  readonly index: Digest;
  /** `url` of the vector service. */
  readonly url: string;
}

export async function readPublication(store: Store, which: Which): Promise<RecordedPublication | undefined> {
  const ref = refOf(which);
  const found = await readPointer(store, publicationKind, ref);
  return found && { ref, ...found };
}

/** Every publication of the application, whatever became of it. */
export async function listPublications(store: Store, app: string): Promise<readonly RecordedPublication[]> {
  const found = await Promise.all((await store.refs.list(refs.publications(app))).map(async (ref) => {
    const pointer = await readPointer(store, publicationKind, ref);
    return pointer && { ref, ...pointer };
  }));
  return found.filter((record) => record !== undefined);
}

/** Records `value` directly after what was read; undefined when another process was first. */
export async function movePublication(store: Store, which: Which, before: RecordedPublication | undefined, value: Publication): Promise<RecordedPublication | undefined> {
  const ref = before?.ref ?? refOf(which);
  const text = canonicalJson(value);
  const isMoved = before === undefined ? await store.refs.create(ref, text) : await store.refs.replace(ref, text, before.tag);
  if (!isMoved) return undefined;
  const tag = (await store.refs.read(ref))?.tag;
  return tag === undefined ? undefined : { ref, tag, value };
}

/** Changes a publication as it is now, however often others change it meanwhile; undefined when `change` wants nothing, or it is gone. */
export async function changePublication(store: Store, ref: string, change: (value: Publication) => Publication | undefined): Promise<Publication | undefined> {
  for (;;) {
    const found = await readPointer(store, publicationKind, ref);
    const value = found && change(found.value);
    if (found === undefined || value === undefined) return undefined;
    if (await store.refs.replace(ref, canonicalJson(value), found.tag)) return value;
  }
}

/** Marks a publication as used now; false when there is none, or it was dropped. */
export async function usePublication(store: Store, clock: Clock, which: Which): Promise<boolean> {
  const used = await changePublication(store, refOf(which), (value) => (value.published === null ? undefined : { ...value, usedAt: clock.now().toISOString() }));
  return used !== undefined;
}

function refOf({ app, index, url }: Which): string {
  return refs.publication(app, index, digestOf(url));
}

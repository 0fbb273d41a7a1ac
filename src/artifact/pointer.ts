import { z } from "zod";
import { canonicalJson } from "../core/canonical-json.ts";
import type { Store } from "../ports/store.ts";
import { type ArtifactKind, parseDocument } from "./document.ts";

/** Fails with ARTIFACT_INVALID when the ref holds something else than `kind`. */
export async function readPointer<Schema extends z.ZodType>(
  store: Store,
  kind: ArtifactKind<Schema>,
  name: string,
): Promise<{ readonly value: z.output<Schema>; readonly tag: string } | undefined> {
  const ref = await store.refs.read(name);
  return ref && { value: parseDocument(kind, ref.value, `Ref ${name}`), tag: ref.tag };
}

/** Points the ref at `value` whatever it said before; retries when other processes move it at the same time. */
export async function movePointer(store: Store, name: string, value: unknown): Promise<void> {
  const text = canonicalJson(value);
  for (;;) {
    const current = await store.refs.read(name);
    if (current?.value === text) return;
    const isMoved = current === undefined ? await store.refs.create(name, text) : await store.refs.replace(name, text, current.tag);
    if (isMoved) return;
  }
}

import { writeDocument } from "../artifact/document.ts";
import { movePointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import type { Descriptor } from "../core/descriptor.ts";
import type { Store } from "../ports/store.ts";
import { type Build, buildKind } from "./schema.ts";

/** Stores the build and makes it the latest one. */
export async function applyBuild(build: Build, store: Store): Promise<Descriptor> {
  const descriptor = await writeDocument(store, buildKind, build);
  await movePointer(store, refs.build(build.app, descriptor.digest), { build: descriptor });
  await movePointer(store, refs.latestBuild(build.app), { build: descriptor });
  return descriptor;
}

import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { type Descriptor, digestPrefix, hexOf, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { Store } from "../ports/store.ts";
import { type Build, buildKind, buildPointerKind } from "./schema.ts";

export interface FoundBuild {
  readonly build: Build;
  readonly buildDescriptor: Descriptor;
}

/** The build that the beginning of a digest names, or the latest one. Fails with BUILD_NOT_FOUND, naming what there is. */
export async function readBuild(store: Store, app: string, wanted?: string): Promise<FoundBuild> {
  const buildDescriptor = wanted === undefined || wanted === "latest" ? await readLatest(store, app) : await findBuild(store, app, wanted);
  return { build: await readDocument(store, buildKind, buildDescriptor), buildDescriptor };
}

async function readLatest(store: Store, app: string): Promise<Descriptor> {
  const latest = (await readPointer(store, buildPointerKind, refs.latestBuild(app)))?.value.build;
  if (latest === undefined) throw new TwelveError("BUILD_NOT_FOUND", `${store.url} has no build of ${app} yet`);
  return latest;
}

async function findBuild(store: Store, app: string, wanted: string): Promise<Descriptor> {
  const hex = digestPrefix(wanted);
  if (hex === undefined) {
    throw new TwelveError("BUILD_NOT_FOUND", `"${wanted}" names no build: expected "latest" or at least four hex digits of a build's digest`);
  }
  const prefix = refs.builds(app);
  const found = (await store.refs.list(prefix)).filter((name) => name.startsWith(prefix + hex));
  const [name, ...others] = found;
  if (name === undefined) throw new TwelveError("BUILD_NOT_FOUND", `${store.url} has no build of ${app} whose digest begins with ${hex}`);
  if (others.length > 0) {
    const candidates = found.map((candidate) => candidate.slice(prefix.length, prefix.length + 12)).join(", ");
    throw new TwelveError("BUILD_NOT_FOUND", `${found.length} builds of ${app} begin with ${hex}: ${candidates}`, { fix: "Give more digits of the one you mean" });
  }
  const pointer = await readPointer(store, buildPointerKind, name);
  if (pointer === undefined) throw new TwelveError("BUILD_NOT_FOUND", `The build ${hex} of ${app} was removed while it was looked up`);
  const { build } = pointer.value;
  if (hexOf(build.digest) !== name.slice(prefix.length)) throw new TwelveError("ARTIFACT_INVALID", `Ref ${name} points to ${shortDigest(build.digest)}, which is another build`);
  return build;
}

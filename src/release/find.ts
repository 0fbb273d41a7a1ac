import { readDocument } from "../artifact/document.ts";
import { readPointer } from "../artifact/pointer.ts";
import { refs } from "../artifact/refs.ts";
import { type Descriptor, type Digest, digestPrefix, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { type Build, buildKind, buildPointerKind } from "../build/schema.ts";
import { type Index, indexKind, indexPointerKind } from "../index/schema.ts";
import type { Store } from "../ports/store.ts";
import { type FoundRelease, listEnvironments, listNumbers, listReleases, readHistory, type RecordedActivation, readRelease } from "./read.ts";

/** What a word on the command line stands for. */
export type Found =
  | { readonly kind: "release"; readonly found: FoundRelease }
  | { readonly kind: "environment"; readonly environment: string; readonly history: readonly RecordedActivation[] }
  | { readonly kind: "build"; readonly digest: Digest; readonly build: Build }
  | { readonly kind: "index"; readonly digest: Digest; readonly index: Index };

interface Candidate {
  readonly kind: "release" | "build" | "index";
  readonly title: string;
  readonly descriptor: Descriptor;
}

/**
 * `v3`, an environment, or the beginning of a digest, in this order; the newest release where nothing is named.
 * Fails with RELEASE_NOT_FOUND, naming what there is.
 */
export async function findArtifact(store: Store, app: string, wanted: string | undefined): Promise<Found> {
  if (wanted === undefined) {
    const newest = (await listNumbers(store, app)).at(-1);
    if (newest === undefined) throw new TwelveError("RELEASE_NOT_FOUND", `${app} has no release yet`, { fix: "Run `twelve release --env development`, or name a build or an index by its digest" });
    return { kind: "release", found: await readRelease(store, app, `v${newest}`) };
  }
  if (/^v\d+$/.test(wanted)) return { kind: "release", found: await readRelease(store, app, wanted) };
  const environments = await listEnvironments(store, app);
  if (environments.includes(wanted)) return { kind: "environment", environment: wanted, history: await readHistory(store, app, wanted) };
  return readCandidate(store, app, await findByDigest(store, app, wanted, environments));
}

async function readCandidate(store: Store, app: string, { kind, descriptor }: Candidate): Promise<Found> {
  const { digest } = descriptor;
  if (kind === "build") return { kind, digest, build: await readDocument(store, buildKind, descriptor) };
  if (kind === "index") return { kind, digest, index: await readDocument(store, indexKind, descriptor) };
  return { kind, found: await readRelease(store, app, digest) };
}

async function findByDigest(store: Store, app: string, wanted: string, environments: readonly string[]): Promise<Candidate> {
  const prefix = digestPrefix(wanted);
  const all = prefix === undefined ? [] : await listCandidates(store, app, prefix);
  // Two numbers of one digest are one release.
  const matches = [...new Map(all.map((candidate) => [candidate.descriptor.digest, candidate])).values()];
  const [match] = matches;
  if (match !== undefined && matches.length === 1) return match;
  if (matches.length > 1) {
    throw new TwelveError("RELEASE_NOT_FOUND", `${wanted} names ${matches.length} artifacts: ${matches.map(({ title, descriptor }) => `${title} ${shortDigest(descriptor.digest)}`).join(", ")}`, { fix: "Give more digits of the one you mean" });
  }
  const what = prefix === undefined ? `"${wanted}" is no release number, no environment with a release and no digest.${didYouMean(wanted, environments)}` : `${store.url} has no release, build or index of ${app} whose digest begins with ${prefix}.`;
  throw new TwelveError("RELEASE_NOT_FOUND", `${what} Environments with a release: ${environments.join(", ") || "none"}`, { fix: "Run `twelve releases`, and name a release (v1), an environment, or at least four hex digits of a digest" });
}

async function listCandidates(store: Store, app: string, prefix: string): Promise<readonly Candidate[]> {
  const releases = (await listReleases(store, app)).filter(({ releaseDescriptor }) => releaseDescriptor.digest.startsWith(`sha256:${prefix}`));
  const buildNames = (await store.refs.list(refs.builds(app))).filter((name) => name.startsWith(refs.builds(app) + prefix));
  const indexNames = (await store.refs.list(refs.indexes(app))).filter((name) => name.slice(name.lastIndexOf("/") + 1).startsWith(prefix));
  const builds = await Promise.all(buildNames.map(async (name) => (await readPointer(store, buildPointerKind, name))?.value.build));
  const indexes = await Promise.all(indexNames.map(async (name) => (await readPointer(store, indexPointerKind, name))?.value.index));
  return [
    ...releases.map(({ number, releaseDescriptor }): Candidate => ({ kind: "release", title: `release v${number}`, descriptor: releaseDescriptor })),
    ...builds.flatMap((descriptor): readonly Candidate[] => (descriptor === undefined ? [] : [{ kind: "build", title: "build", descriptor }])),
    ...indexes.flatMap((descriptor): readonly Candidate[] => (descriptor === undefined ? [] : [{ kind: "index", title: "index", descriptor }])),
  ];
}

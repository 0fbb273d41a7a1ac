import type { z } from "zod";
import { type ArtifactKind, parseDocument, readDocument } from "../artifact/document.ts";
import { refs } from "../artifact/refs.ts";
import { buildKind, buildPointerKind } from "../build/schema.ts";
import { codeDataKind, codeTreeKind } from "../code/schema.ts";
import { type Descriptor, type Digest, shortDigest } from "../core/descriptor.ts";
import { evalReportKind, reportPointerKind } from "../eval/schema.ts";
import { blobsOfBatch, embeddingBatchesKind, indexDataKind, indexDataPointerKind, indexKind, indexPointerKind, ledgerKind, publicationKind } from "../index/schema.ts";
import type { Store } from "../ports/store.ts";
import { activationKind, environmentPointerKind, releaseKind, releasePointerKind } from "../release/schema.ts";

/** What something cannot do without. */
export interface Links {
  readonly blobs: readonly Descriptor[];
  readonly refs: readonly string[];
}

type Follow = (store: Store, blob: Descriptor) => Promise<Links>;

const nothing: Links = { blobs: [], refs: [] };

/** Every kind of artifact that is followed, by its media type. All other blobs are data that lead nowhere. */
const artifacts: Readonly<Record<string, { readonly noun: string; readonly follow: Follow }>> = {
  [buildKind.mediaType]: { noun: "build", follow: document(buildKind, ({ code }) => [code]) },
  // Large, and only its digest leads on.
  [codeTreeKind.mediaType]: { noun: "code tree", follow: async (_, { digest }) => ({ blobs: [], refs: [refs.codeData(digest)] }) },
  [indexKind.mediaType]: { noun: "index", follow: document(indexKind, ({ ledger }) => [ledger], (digest) => [refs.indexData(digest)]) },
  [ledgerKind.mediaType]: { noun: "ledger", follow: async () => nothing },
  [indexDataKind.mediaType]: { noun: "index data", follow: document(indexDataKind, ({ probe, files }) => [probe, ...files.map(({ blob }) => blob)]) },
  [releaseKind.mediaType]: { noun: "release", follow: document(releaseKind, ({ build, indexes }) => [build, ...Object.values(indexes)]) },
  [activationKind.mediaType]: { noun: "activation", follow: document(activationKind, ({ release, previous }) => (previous === null ? [release] : [release, previous])) },
  [evalReportKind.mediaType]: { noun: "eval report", follow: document(evalReportKind, ({ release }) => [release]) },
};

/** Every form of ref, as `src/artifact/refs.ts` names them. */
const pointers: readonly (readonly [RegExp, (name: string, value: string) => readonly Descriptor[]])[] = [
  [/^apps\/[^/]+\/builds\/[^/]+$/, pointer(buildPointerKind, ({ build }) => [build])],
  [/^apps\/[^/]+\/indexes\/[^/]+\/[^/]+$/, pointer(indexPointerKind, ({ index }) => [index])],
  [/^apps\/[^/]+\/published\/[^/]+\/[^/]+$/, pointer(publicationKind, ({ index }) => [index])],
  [/^apps\/[^/]+\/releases\/[^/]+$/, pointer(releasePointerKind, ({ release }) => [release])],
  [/^apps\/[^/]+\/environments\/[^/]+$/, pointer(environmentPointerKind, ({ activation }) => [activation])],
  [/^apps\/[^/]+\/reports\/[^/]+\/[^/]+$/, pointer(reportPointerKind, ({ report }) => [report])],
  [/^data\/code\/[^/]+$/, pointer(codeDataKind, ({ archives }) => archives)],
  [/^data\/indexes\/[^/]+$/, pointer(indexDataPointerKind, ({ data }) => [data])],
  [/^data\/embeddings\/[^/]+\/v2-[0-9a-f]+$/, pointer(embeddingBatchesKind, ({ probe, batches, dimensions }) => [probe, ...batches.flatMap((batch) => Object.values(blobsOfBatch(batch, dimensions)))])],
];

/** Fails with BLOB_NOT_FOUND, BLOB_CORRUPT or ARTIFACT_INVALID. */
export async function linksOf(store: Store, blob: Descriptor): Promise<Links> {
  const artifact = artifacts[blob.mediaType];
  return artifact === undefined ? nothing : artifact.follow(store, blob);
}

/** What the value of a ref names; undefined for a ref that this version has no use for. Fails with ARTIFACT_INVALID. */
export function linksOfRef(name: string, value: string): Links | undefined {
  const found = pointers.find(([form]) => form.test(name));
  return found && { blobs: found[1](name, value), refs: [] };
}

/** `release 0b12ab34cd56` */
export function describeBlob({ mediaType, digest }: Descriptor): string {
  return `${artifacts[mediaType]?.noun ?? "data"} ${shortDigest(digest)}`;
}

function document<Schema extends z.ZodType>(
  kind: ArtifactKind<Schema>,
  blobsOf: (document: z.output<Schema>) => readonly Descriptor[],
  refsOf: (digest: Digest) => readonly string[] = () => [],
): Follow {
  return async (store, blob) => ({ blobs: blobsOf(await readDocument(store, kind, blob)), refs: refsOf(blob.digest) });
}

function pointer<Schema extends z.ZodType>(kind: ArtifactKind<Schema>, blobsOf: (value: z.output<Schema>) => readonly Descriptor[]) {
  return (name: string, value: string): readonly Descriptor[] => blobsOf(parseDocument(kind, value, `Ref ${name}`));
}

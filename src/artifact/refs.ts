import { type Digest, hexOf } from "../core/descriptor.ts";

/**
 * Where things are in a store; the one place that knows. Names are under `apps/<application>/`, so that several
 * applications can share a store. `data/` holds what artifacts are made of physically: the same logical artifact may
 * be packed differently on two machines, so its packing is found by ref and is no part of its digest.
 */
export const refs = {
  latestBuild: (app: string) => `apps/${app}/builds/latest`,
  build: (app: string, digest: Digest) => `apps/${app}/builds/${hexOf(digest)}`,
  builds: (app: string) => `apps/${app}/builds/`,
  latestIndex: (app: string, index: string) => `apps/${app}/indexes/${index}/latest`,
  index: (app: string, index: string, digest: Digest) => `apps/${app}/indexes/${index}/${hexOf(digest)}`,
  indexes: (app: string) => `apps/${app}/indexes/`,
  /** Where an index was published to; the service is named by a digest of its URL. */
  publication: (app: string, index: Digest, service: Digest) => `apps/${app}/published/${hexOf(index)}/${hexOf(service).slice(0, 16)}`,
  publications: (app: string) => `apps/${app}/published/`,
  releases: (app: string) => `apps/${app}/releases/`,
  /** Zero-padded, so that the sorted list is in release order. */
  release: (app: string, number: number) => `apps/${app}/releases/${String(number).padStart(8, "0")}`,
  environment: (app: string, environment: string) => `apps/${app}/environments/${environment}`,
  environments: (app: string) => `apps/${app}/environments/`,
  report: (app: string, release: Digest, suite: string) => `apps/${app}/reports/${hexOf(release)}/${suite}`,
  reports: (app: string, release: Digest) => `apps/${app}/reports/${hexOf(release)}/`,
  /** Archives that hold the files of one code tree. */
  codeData: (tree: Digest) => `data/code/${hexOf(tree)}`,
  /** Engine files and probe vectors of one index. */
  indexData: (index: Digest) => `data/indexes/${hexOf(index)}`,
  /** Lists of stored batches of embeddings, below the embedder's own prefix: one for each set of weights that was seen under its name. */
  embeddings: (embedder: Digest) => `data/embeddings/${hexOf(embedder)}/`,
  embeddingList: (embedder: Digest, probe: Digest) => `data/embeddings/${hexOf(embedder)}/v2-${hexOf(probe).slice(0, 16)}`,
} as const;

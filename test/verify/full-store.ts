import { writeDocument } from "../../src/artifact/document.ts";
import { refs } from "../../src/artifact/refs.ts";
import { Build, buildKind } from "../../src/build/schema.ts";
import { archiveMediaType, codeTreeKind } from "../../src/code/schema.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { type Descriptor, digestOf } from "../../src/core/descriptor.ts";
import { EvalReport, evalReportKind } from "../../src/eval/schema.ts";
import { indexDataKind, indexKind, ledgerKind, embeddingKeysType, embeddingVectorsType } from "../../src/index/schema.ts";
import { Manifest } from "../../src/manifest/schema.ts";
import type { Store } from "../../src/ports/store.ts";
import { activationKind, releaseKind } from "../../src/release/schema.ts";

const app = "support";
const createdAt = "2026-01-01T00:00:00.000Z";

export interface FullStore {
  /** Every blob that was written, by what it is. */
  readonly blobs: Readonly<Record<string, Descriptor>>;
}

/** One of everything that the stages leave in a store: two activations of one release, its eval report, its index and its embeddings. */
export async function fillStore(store: Store): Promise<FullStore> {
  const data = (text: string, mediaType: string): Promise<Descriptor> => store.blobs.write(Buffer.from(text), mediaType);
  const point = async (name: string, value: unknown): Promise<void> => void (await store.refs.create(name, canonicalJson(value)));

  const archive = await data("a tar archive", archiveMediaType);
  const tree = await writeDocument(store, codeTreeKind, { version: 1, files: [] });
  await point(refs.codeData(tree.digest), { version: 1, archives: [archive], contentBytes: archive.size });
  const manifest = Manifest.parse({ name: app });
  const build = await writeDocument(store, buildKind, Build.parse({
    version: 1, app, source: { commit: null, dirty: true }, manifest, manifestDigest: digestOf(canonicalJson(manifest)),
    code: tree, prompts: [], promptPackages: [], lockfiles: [], models: [],
  }));
  for (const name of [refs.build(app, build.digest), refs.latestBuild(app)]) await point(name, { build });

  const embedder = { provider: "hash", model: "hash-1", dimensions: 2, normalised: true, documentTask: null, queryTask: null };
  const ledger = await writeDocument(store, ledgerKind, { version: 2, documents: [], skipped: [] });
  const index = await writeDocument(store, indexKind, {
    version: 2, app, name: "docs", embedder, chunker: { name: "structure", version: 1, tokenizer: "cl100k_base", maxTokens: 400, overlapTokens: 50 }, documents: 0, chunks: 0, ledger,
  });
  const engineFile = await data("an engine file", "application/octet-stream");
  const probe = await data("the probe", "application/octet-stream");
  const indexData = await writeDocument(store, indexDataKind, { version: 1, engine: "lance", engineVersion: "1", files: [{ path: "data.lance", blob: engineFile }], probe });
  await point(refs.indexData(index.digest), { data: indexData });
  for (const name of [refs.index(app, "docs", index.digest), refs.latestIndex(app, "docs")]) await point(name, { index });
  const keys = await data("k".repeat(64), embeddingKeysType);
  const vectors = await data("v".repeat(16), embeddingVectorsType);
  await point(refs.embeddingList(digestOf("embedder"), probe.digest), { version: 2, dimensions: 2, probe, batches: [{ count: 2, keys: keys.digest, vectors: vectors.digest }] });

  const release = await writeDocument(store, releaseKind, {
    version: 1, app, build, indexes: { docs: index }, config: {}, attachments: [], secrets: {}, models: [], agents: {}, processes: {},
  });
  await point(refs.release(app, 1), { release, createdAt });
  const shared = { version: 1, app, environment: "staging", number: 1, release, attachments: {}, secrets: {}, createdAt } as const;
  const first = await writeDocument(store, activationKind, { ...shared, reason: "release", previous: null });
  const second = await writeDocument(store, activationKind, { ...shared, reason: "rollback", previous: first });
  await point(refs.environment(app, "staging"), { activation: second });

  const report = await writeDocument(store, evalReportKind, EvalReport.parse({
    version: 1, app, suite: "smoke", suiteDigest: digestOf("suite"),
    suiteFiles: {}, release, agent: "support", model: "mock:echo", cases: [],
    passed: 0, failed: 0, errored: 0, passRate: 1, score: 1, gate: { passRate: 1 }, pass: true, createdAt,
  }));
  await point(refs.report(app, release.digest, "smoke"), { report });
  return { blobs: { archive, tree, build, ledger, index, engineFile, probe, indexData, keys, vectors, release, first, second, report } };
}

import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openEmbedder } from "../../src/adapters/registry.ts";
import { writeDocument } from "../../src/artifact/document.ts";
import { movePointer } from "../../src/artifact/pointer.ts";
import { refs } from "../../src/artifact/refs.ts";
import { type Build, buildKind, type CodeFile, codeTreeKind } from "../../src/build/schema.ts";
import { canonicalJson } from "../../src/core/canonical-json.ts";
import { type Descriptor, digestOf } from "../../src/core/descriptor.ts";
import { type EvalReport, evalReportKind } from "../../src/eval/schema.ts";
import { embedProbe, probeMediaType } from "../../src/index/probe.ts";
import { type Index, indexDataKind, indexKind, ledgerKind } from "../../src/index/schema.ts";
import { readManifest } from "../../src/manifest/read.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder } from "./context.ts";

/** A copy of the application in fixtures/release, with files of the test's own. */
export async function supportApp(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const dir = await temporaryFolder();
  await cp(join(import.meta.dirname, "../../fixtures/release/support"), dir, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text);
  return dir;
}

const prompt = (variant: string | null): Build["prompts"][number] => ({
  name: "answer",
  variant,
  path: `prompts/answer${variant === null ? "" : `.${variant}`}.prompt`,
  model: null,
  config: {},
  input: { schema: null, default: {} },
  output: { format: "text", schema: null },
  template: "{{question}}",
  partials: {},
  metadata: {},
  digest: digestOf(`answer ${variant}`),
});

/** The suites that `storeBuild` packages; reports of `storeReport` are about just these. */
const suites: readonly CodeFile[] = ["smoke", "tone"].map((suite) => ({ path: `evals/${suite}.yaml`, mode: "file", size: suite.length, digest: digestOf(suite) }));

/** Stores a build of the application in `dir` as `twelve build` would, with no code but its suites. */
export async function storeBuild(store: Store, dir: string, source: Build["source"] = { commit: "1234567890abcdef", dirty: false }): Promise<Descriptor> {
  const manifest = await readManifest(dir);
  const build: Build = {
    version: 1,
    app: manifest.name,
    source,
    manifest,
    manifestDigest: digestOf(canonicalJson(manifest)),
    code: await writeDocument(store, codeTreeKind, { version: 1, files: [...suites] }),
    prompts: [prompt(null), prompt("strict")],
    promptPackages: [],
    lockfiles: [],
    models: [],
  };
  const descriptor = await writeDocument(store, buildKind, build);
  await movePointer(store, refs.build(manifest.name, descriptor.digest), { build: descriptor });
  await movePointer(store, refs.latestBuild(manifest.name), { build: descriptor });
  return descriptor;
}

interface StoredIndexOptions {
  readonly name?: string;
  readonly embedder?: string;
  readonly maxTokens?: number;
  readonly chunks?: number;
  /** What the index holds instead of the probe vectors of its embedder. */
  readonly probe?: Uint8Array;
}

/** Stores an index of the application `support` as `twelve index` would, without engine files. */
export async function storeIndex(store: Store, { name = "docs", embedder = "hash:64", maxTokens = 100, chunks = 3, probe }: StoredIndexOptions = {}): Promise<Descriptor> {
  const opened = await openEmbedder(embedder, { dir: "/", env: {} });
  const index: Index = {
    version: 2,
    app: "support",
    name,
    embedder: opened.identity,
    chunker: { name: "structure", version: 1, tokenizer: "cl100k_base", maxTokens, overlapTokens: 10 },
    documents: 1,
    chunks,
    ledger: await writeDocument(store, ledgerKind, { version: 2, documents: [], skipped: [] }),
  };
  const descriptor = await writeDocument(store, indexKind, index);
  const stored = await store.blobs.write(probe ?? (await embedProbe(opened)), probeMediaType);
  const data = await writeDocument(store, indexDataKind, { version: 1, engine: "lance", engineVersion: "0", files: [], probe: stored });
  await movePointer(store, refs.indexData(descriptor.digest), { data });
  await movePointer(store, refs.index("support", name, descriptor.digest), { index: descriptor });
  await movePointer(store, refs.latestIndex("support", name), { index: descriptor });
  return descriptor;
}

/** Stores a report of one suite on one release as `twelve eval` would. */
export async function storeReport(store: Store, release: Descriptor, suite: string, facts: Partial<EvalReport> = {}): Promise<void> {
  const report: EvalReport = {
    version: 1,
    app: "support",
    suite,
    suiteDigest: digestOf(suite),
    suiteFiles: { [`evals/${suite}.yaml`]: digestOf(suite) },
    release,
    agent: "support",
    model: "mock:extractive",
    cases: [],
    passed: 10,
    failed: 0,
    errored: 0,
    passRate: 1,
    score: 1,
    gate: { passRate: 0.9 },
    pass: true,
    createdAt: "2026-01-02T00:00:00.000Z",
    ...facts,
  };
  await movePointer(store, refs.report("support", release.digest, suite), { report: await writeDocument(store, evalReportKind, report) });
}

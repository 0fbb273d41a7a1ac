import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { failures } from "../core/failures.ts";
import { readManifest } from "../manifest/read.ts";
import type { Manifest } from "../manifest/schema.ts";
import { defineCommand } from "../ports/command.ts";
import type { Context } from "../ports/context.ts";
import type { VectorIndex } from "../ports/vectors.ts";
import { compareIds, comparePublished, Comparison, countCompared, formatDifferences, isSound } from "./compare.ts";
import { findNamedIndex } from "./find.ts";
import { openPlace } from "./place.ts";
import { openPublication, publishFix } from "./published.ts";
import { openIndexData, type StoredIndex } from "./read.ts";
import { type Ledger, ledgerKind } from "./schema.ts";

const Published = Comparison.extend({ url: z.string(), namespace: z.string(), fix: z.string().meta({ description: "What loads it again where it differs" }) });

export default defineCommand({
  description:
    "Compares the ledger of an index with what the vector engine really holds, chunk by chunk. Every engine file is read and compared with its digest. With `--to` or " +
    "`--env` the same is asked of the vector service where the index was published, with a sample of its rows. Changes nothing. Ends with 100 when they differ.",
  input: z.strictObject({
    index: z.string().optional().meta({ description: "Name, beginning of the digest, or name@digest; the only index otherwise", positional: true }),
    to: z.string().optional().meta({ description: "Vector service where it was published", valueName: "url" }),
    env: z.string().optional().meta({ description: "Environment whose vector service is asked", valueName: "name" }),
  }),
  output: z.strictObject({
    digest: Digest,
    name: z.string(),
    engine: z.string(),
    files: z.int().meta({ description: "Engine files whose digest was checked" }),
    chunks: z.strictObject({ ledger: z.int(), held: z.int() }),
    missing: Comparison.shape.missing,
    unknown: Comparison.shape.unknown,
    published: Published.nullable().meta({ description: "What the vector service holds; null where none was asked" }),
  }),
  examples: ["twelve index verify", "twelve index verify docs --json", "twelve index verify docs --env production"],

  async run({ index: wanted, to, env }, context) {
    const manifest = await readManifest(context.dir);
    const store = await context.store();
    const found = await findNamedIndex(store, manifest.name, wanted);
    const { descriptor, index } = found;
    const ledger = await readDocument(store, ledgerKind, index.ledger);
    const { folder, data } = await openIndexData(store, descriptor, context.dir);
    for (const { blob } of data.files) {
      context.signal.throwIfAborted();
      await store.blobs.check(blob.digest);
    }
    const opened = await (await context.openVectors(`${data.engine}:`)).open(folder);
    try {
      const { held, ...differences } = await compareIds(opened, ledger);
      const published = to === undefined && env === undefined ? null : await comparePlace(context, manifest, { found, ledger, source: opened, to, env: env ?? "development" });
      return { digest: descriptor.digest, name: index.name, engine: data.engine, files: data.files.length, chunks: { ledger: index.chunks, held }, ...differences, published };
    } finally {
      opened.close();
    }
  },

  render({ digest, name, engine, files, chunks, missing, unknown, published }) {
    const title = `Index ${name} ${shortDigest(digest)}`;
    const isWhole = missing.length === 0 && unknown.length === 0;
    const own = isWhole
      ? [`${title}: ${engine} holds exactly the ${chunks.ledger.toLocaleString("en-US")} chunks of the ledger; ${files} files are intact`]
      : [`${title}: ${engine} holds ${chunks.held} chunks, the ledger lists ${chunks.ledger}`, ...formatDifferences({ missing, unknown, wrong: [] })];
    if (published === null) return own.join("\n");
    const there = isSound(published) ? "agrees with the ledger" : `differs from the ledger, which lists ${chunks.ledger}`;
    return [...own, `${published.url}, ${published.namespace}: ${countCompared(published)}; it ${there}`, ...formatDifferences(published)].join("\n");
  },

  verdict({ missing, unknown, published }) {
    const { exit, fix } = failures.INDEX_CORRUPT;
    if (missing.length + unknown.length > 0) return { exit, message: `The index does not hold what its ledger says. Fix: ${fix}  [INDEX_CORRUPT]` };
    if (published === null || isSound(published)) return undefined;
    return { exit, message: `${published.url} does not hold what the ledger says. Fix: ${published.fix}, then start its processes again  [INDEX_CORRUPT]` };
  },
});

interface Publication {
  readonly found: StoredIndex;
  readonly ledger: Ledger;
  readonly source: VectorIndex;
  readonly to: string | undefined;
  readonly env: string;
}

async function comparePlace(context: Context, manifest: Manifest, { found: { descriptor, index }, ledger, source, to, env }: Publication): Promise<z.output<typeof Published>> {
  const service = await openPlace(context, manifest, { name: index.name, env, to });
  try {
    const { url } = service;
    const place = { environment: env, to };
    const { namespace, opened } = await openPublication(await context.store(), { index, descriptor, service, place });
    try {
      return { ...(await comparePublished(opened, ledger, source)), url, namespace, fix: publishFix(index, descriptor, place, "--again") };
    } finally {
      opened.close();
    }
  } finally {
    await service.close();
  }
}

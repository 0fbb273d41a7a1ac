import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { failures } from "../core/failures.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import { findNamedIndex } from "./find.ts";
import { openIndexData } from "./read.ts";
import { ledgerKind } from "./schema.ts";

const Difference = z.strictObject({ id: z.string().meta({ description: "ID of the chunk" }), document: z.string().nullable().meta({ description: "null for a chunk that the ledger does not know" }) });
const listed = 100;

export default defineCommand({
  description:
    "Compares the ledger of an index with what the vector engine really holds, chunk by chunk. Every engine file is read and compared with its digest. Changes nothing. Ends with 100 when they differ.",
  input: z.strictObject({ index: z.string().optional().meta({ description: "Name, beginning of the digest, or name@digest; the only index otherwise", positional: true }) }),
  output: z.strictObject({
    digest: Digest,
    name: z.string(),
    engine: z.string(),
    files: z.int().meta({ description: "Engine files whose digest was checked" }),
    chunks: z.strictObject({ ledger: z.int(), held: z.int() }),
    missing: z.array(Difference).meta({ description: `Chunks that the ledger lists and the engine does not hold; at most ${listed}` }),
    unknown: z.array(Difference).meta({ description: `Chunks that the engine holds and the ledger does not list, or holds twice; at most ${listed}` }),
  }),
  examples: ["twelve index verify", "twelve index verify docs --json"],

  async run({ index: wanted }, context) {
    const { name: app } = await readManifest(context.dir);
    const store = await context.store();
    const { descriptor, index } = await findNamedIndex(store, app, wanted);
    const { documents } = await readDocument(store, ledgerKind, index.ledger);
    const { folder, data } = await openIndexData(store, descriptor, context.dir);
    for (const { blob } of data.files) {
      context.signal.throwIfAborted();
      await store.blobs.check(blob.digest);
    }
    const left = new Map(documents.flatMap(({ path, chunks }) => chunks.map(({ id }) => [id, path] as const)));
    const unknown: z.output<typeof Difference>[] = [];
    let held = 0;
    const opened = await (await context.openVectors(`${data.engine}:`)).open(folder);
    try {
      for await (const id of opened.ids()) {
        held++;
        // Each may be met once: a second one is as wrong as a stranger.
        if (!left.delete(id)) unknown.push({ id, document: null });
      }
    } finally {
      opened.close();
    }
    const missing = [...left].map(([id, document]) => ({ id, document }));
    return { digest: descriptor.digest, name: index.name, engine: data.engine, files: data.files.length, chunks: { ledger: index.chunks, held }, missing: missing.slice(0, listed), unknown: unknown.slice(0, listed) };
  },

  render({ digest, name, engine, files, chunks, missing, unknown }) {
    const title = `Index ${name} ${shortDigest(digest)}`;
    if (missing.length === 0 && unknown.length === 0) return `${title}: ${engine} holds exactly the ${chunks.ledger.toLocaleString("en-US")} chunks of the ledger; ${files} files are intact`;
    return [
      `${title}: ${engine} holds ${chunks.held} chunks, the ledger lists ${chunks.ledger}`,
      ...missing.map(({ id, document }) => `  missing  ${id} of ${document}`),
      ...unknown.map(({ id }) => `  unknown  ${id}`),
    ].join("\n");
  },

  verdict({ missing, unknown }) {
    const { exit, fix } = failures.INDEX_CORRUPT;
    return missing.length === 0 && unknown.length === 0 ? undefined : { exit, message: `The index does not hold what its ledger says. Fix: ${fix}  [INDEX_CORRUPT]` };
  },
});

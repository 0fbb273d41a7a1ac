import { z } from "zod";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { formatTable } from "../core/table.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import type { Store } from "../ports/store.ts";
import { isGone } from "./apply.ts";
import { listIndexes, readNamedIndex } from "./find.ts";
import { describeEmbedder } from "./probe.ts";
import { readIndexData } from "./read.ts";

const Row = z.strictObject({
  name: z.string(),
  digest: Digest,
  isLatest: z.boolean().meta({ description: "Whether it is the newest of its name, which a release takes" }),
  documents: z.int().nullable().meta({ description: "null for an index that this version does not read" }),
  chunks: z.int().nullable(),
  embedder: z.string().nullable(),
  sizeBytes: z.int().nullable().meta({ description: "Size of the engine's files; null where this store does not hold them" }),
  problem: z.string().nullable().meta({ description: "Why it cannot be used" }),
});

export default defineCommand({
  input: z.strictObject({ name: z.string().optional().meta({ description: "Only indexes of this name", positional: true }) }),
  output: z.strictObject({ app: z.string(), indexes: z.array(Row) }),
  examples: ["twelve index list", "twelve index list docs --json"],

  async run({ name }, context) {
    const { name: app } = await readManifest(context.dir);
    const store = await context.store();
    const named = await listIndexes(store, app, name);
    if (name !== undefined && named.length === 0) throw await unknownIndex(store, app, name);
    const indexes = await Promise.all(named.map(async (named): Promise<z.output<typeof Row>> => {
      const facts = { name: named.name, digest: `sha256:${named.hex}` as const, isLatest: named.isLatest };
      try {
        const { descriptor, index } = await readNamedIndex(store, app, named);
        const data = await readIndexData(store, descriptor).catch((error: unknown) => {
          if (isGone(error)) return undefined;
          throw error;
        });
        const sizeBytes = data === undefined ? null : data.files.reduce((sum, { blob }) => sum + blob.size, 0);
        return { ...facts, documents: index.documents, chunks: index.chunks, embedder: describeEmbedder(index.embedder), sizeBytes, problem: data === undefined ? "its engine files are not in this store" : null };
      } catch (error) {
        if (!isGone(error)) throw error;
        return { ...facts, documents: null, chunks: null, embedder: null, sizeBytes: null, problem: (error as TwelveError).message };
      }
    }));
    return { app, indexes };
  },

  render({ app, indexes }) {
    if (indexes.length === 0) return `${app} has no index yet. Make one: \`twelve index\``;
    const number = (value: number | null): string => value?.toLocaleString("en-US") ?? "-";
    const rows = indexes.map(({ digest, isLatest, documents, chunks, embedder, sizeBytes, problem, ...index }) => [
      index.name, shortDigest(digest), isLatest ? "latest" : "", number(documents), number(chunks), sizeBytes === null ? "-" : `${(sizeBytes / 1e6).toFixed(1)} MB`, embedder ?? "-", problem ?? "",
    ]);
    return formatTable(["INDEX", "DIGEST", "", "DOCUMENTS", "CHUNKS", "SIZE", "EMBEDDER", ""], rows);
  },
});

async function unknownIndex(store: Store, app: string, name: string): Promise<TwelveError> {
  const names = [...new Set((await listIndexes(store, app)).map((index) => index.name))];
  return new TwelveError("INDEX_NOT_FOUND", `${store.url} holds no index "${name}" of ${app}.${didYouMean(name, names)} It holds: ${names.join(", ") || "none"}`, { fix: "Name one of these, or make it with `twelve index`" });
}

import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { grouped } from "../core/counted.ts";
import { Digest } from "../core/descriptor.ts";
import { formatFields } from "../core/table.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import { findNamedIndex } from "./find.ts";
import { describeEmbedder } from "./probe.ts";
import { Index, type Ledger, ledgerKind, SkippedDocument } from "./schema.ts";

const Counts = z.record(z.string(), z.int());

export default defineCommand({
  input: z.strictObject({
    index: z.string().optional().meta({ description: "Name, beginning of the digest, or name@digest; the only index otherwise", positional: true }),
    documents: z.boolean().default(false).meta({ description: "List the documents, too" }),
  }),
  output: z.strictObject({
    digest: Digest,
    index: Index,
    loaders: Counts.meta({ description: "Documents by loader" }),
    languages: Counts.meta({ description: "Documents by language; ? where it is not known" }),
    tokens: z.strictObject({ total: z.int(), median: z.int(), longest: z.int() }).meta({ description: "Tokens of the chunks" }),
    skipped: z.array(SkippedDocument),
    documents: z.array(z.strictObject({ path: z.string(), digest: Digest, loader: z.string(), language: z.string().nullable(), chunks: z.int() })).optional(),
  }),
  examples: ["twelve index show", "twelve index show docs --documents", "twelve index show 3f2a9c --json"],

  async run({ index: wanted, documents }, context) {
    const { name: app } = await readManifest(context.dir);
    const store = await context.store();
    const { descriptor, index } = await findNamedIndex(store, app, wanted);
    const ledger = await readDocument(store, ledgerKind, index.ledger);
    const list = ledger.documents.map(({ path, digest, loader, language, chunks }) => ({ path, digest, loader, language, chunks: chunks.length }));
    return {
      digest: descriptor.digest,
      index,
      loaders: countBy(ledger.documents.map(({ loader }) => loader)),
      languages: countBy(ledger.documents.map(({ language }) => language ?? "?")),
      tokens: tokensOf(ledger),
      skipped: ledger.skipped,
      ...(documents ? { documents: list } : {}),
    };
  },

  render({ digest, index, loaders, languages, tokens, skipped, documents }) {
    const counts = (by: Readonly<Record<string, number>>): string => Object.entries(by).map(([key, count]) => `${key} ${grouped(count)}`).join(", ");
    const fields = formatFields([
      ["digest", digest],
      ["documents", `${grouped(index.documents)}: ${counts(loaders)}`],
      ["languages", counts(languages)],
      ["chunks", `${grouped(index.chunks)} of at most ${index.chunker.maxTokens} tokens, ${index.chunker.overlapTokens} in common (${index.chunker.name} ${index.chunker.version}, ${index.chunker.tokenizer})`],
      ["tokens", `${grouped(tokens.total)}; ${grouped(tokens.median)} in the median chunk, ${grouped(tokens.longest)} in the longest`],
      ["embedder", describeEmbedder(index.embedder)],
    ]);
    return [
      `Index ${index.name} of ${index.app}`,
      fields,
      ...(skipped.length === 0 ? [] : [`  skipped ${grouped(skipped.length)}:`, ...skipped.map(({ path, reason }) => `    ${path} ${reason}`)]),
      ...(documents ?? []).map(({ path, chunks, language }) => `  ${path}  ${chunks === 1 ? "1 chunk" : `${chunks} chunks`}${language === null ? "" : `, ${language}`}`),
    ].join("\n");
  },
});

function countBy(keys: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([left, one], [right, other]) => other - one || (left < right ? -1 : 1)));
}

function tokensOf({ documents }: Ledger): { total: number; median: number; longest: number } {
  const sizes = documents.flatMap(({ chunks }) => chunks.map(({ tokens }) => tokens)).sort((left, right) => left - right);
  return { total: sizes.reduce((sum, tokens) => sum + tokens, 0), median: sizes[Math.floor(sizes.length / 2)] ?? 0, longest: sizes.at(-1) ?? 0 };
}

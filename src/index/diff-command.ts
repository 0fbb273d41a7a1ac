import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import { planDifference } from "./diff-plan.ts";
import { findNamedIndex } from "./find.ts";
import { ledgerKind } from "./schema.ts";

const Side = z.strictObject({ name: z.string(), digest: Digest, documents: z.int(), chunks: z.int() });

export default defineCommand({
  input: z.strictObject({
    from: z.string().meta({ description: "Name, beginning of the digest, or name@digest", positional: true }),
    to: z.string().meta({ description: "The index to compare it with, named in the same way", positional: true }),
  }),
  output: z.strictObject({
    from: Side,
    to: Side,
    settings: z.array(z.strictObject({ setting: z.string(), from: z.string(), to: z.string() })).meta({ description: "Differences of embedder and chunker" }),
    added: z.array(z.string()).meta({ description: "Documents that only the second has" }),
    removed: z.array(z.string()).meta({ description: "Documents that only the first has" }),
    changed: z.array(z.strictObject({
      path: z.string(),
      what: z.enum(["content", "chunks"]).meta({ description: "content: other bytes; chunks: the same bytes read or cut in another way" }),
      chunks: z.strictObject({ added: z.int(), removed: z.int(), kept: z.int() }),
    })),
    unchanged: z.int().meta({ description: "Number of documents that are the same in both" }),
  }),
  examples: ["twelve index diff 3f2a9c docs", "twelve index diff docs@3f2a docs@81bc --json"],

  async run({ from, to }, context) {
    const { name: app } = await readManifest(context.dir);
    const store = await context.store();
    const [first, second] = await Promise.all([from, to].map(async (text) => {
      const { descriptor, index } = await findNamedIndex(store, app, text);
      return { index, ledger: await readDocument(store, ledgerKind, index.ledger), side: { name: index.name, digest: descriptor.digest, documents: index.documents, chunks: index.chunks } };
    }));
    if (first === undefined || second === undefined) throw new Error("Two indexes were asked for");
    const { settings, added, removed, changed, unchanged } = planDifference(first, second);
    return { from: first.side, to: second.side, settings: [...settings], added: [...added], removed: [...removed], changed: [...changed], unchanged };
  },

  render({ from, to, settings, added, removed, changed, unchanged }) {
    const title = ({ name, digest, documents, chunks }: z.output<typeof Side>): string => `${name}@${shortDigest(digest)} (${documents.toLocaleString("en-US")} documents, ${chunks.toLocaleString("en-US")} chunks)`;
    const isSame = settings.length + added.length + removed.length + changed.length === 0;
    return [
      `${title(from)} -> ${title(to)}`,
      ...settings.map((change) => `  ${change.setting}: ${change.from} -> ${change.to}`),
      ...added.map((path) => `  + ${path}`),
      ...removed.map((path) => `  - ${path}`),
      ...changed.map(({ path, what, chunks }) => `  ~ ${path}  ${what === "chunks" ? "cut in another way; " : ""}chunks: +${chunks.added} -${chunks.removed}, ${chunks.kept} kept`),
      isSame ? "  The same documents, chunks and settings" : `  ${unchanged.toLocaleString("en-US")} ${unchanged === 1 ? "document is" : "documents are"} unchanged`,
    ].join("\n");
  },
});

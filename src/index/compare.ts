import { z } from "zod";
import { counted } from "../core/counted.ts";
import { digestOf } from "../core/descriptor.ts";
import type { VectorIndex, VectorRow } from "../ports/vectors.ts";
import { embeddedText, joinHeadings } from "./chunk.ts";
import type { Chunk, IndexedDocument, Ledger } from "./schema.ts";

const listed = 100;
/** Chunks whose content is compared. Every ID is. */
const sampleSize = 200;
/** Of those, chunks that are looked for by their own vector. */
const searched = 3;
/** A service that compares shortened vectors gives cosines that are off in the third digit. */
const ownCosine = 0.99;

const Difference = z.strictObject({ id: z.string().meta({ description: "ID of the chunk" }), document: z.string().nullable().meta({ description: "null for a chunk that the ledger does not know" }) });

/** What an engine holds, beside what the ledger says. */
export const Comparison = z.strictObject({
  held: z.int().meta({ description: "Chunks that it holds" }),
  missing: z.array(Difference).meta({ description: `Chunks that the ledger lists and the engine does not hold; at most ${listed}` }),
  unknown: z.array(Difference).meta({ description: `Chunks that the engine holds and the ledger does not list, or holds twice; at most ${listed}` }),
  sampled: z.int().meta({ description: "Chunks whose text, metadata and vector were compared" }),
  wrong: z.array(Difference.extend({ reason: z.string() })).meta({ description: "Chunks of the sample that differ, with what differs" }),
});
export type Comparison = z.infer<typeof Comparison>;

/** Compares every ID, whatever the engine says of its count. */
export async function compareIds(opened: VectorIndex, { documents }: Ledger): Promise<Pick<Comparison, "held" | "missing" | "unknown">> {
  const left = new Map(documents.flatMap(({ path, chunks }) => chunks.map(({ id }) => [id, path] as const)));
  const unknown: Comparison["unknown"] = [];
  let held = 0;
  for await (const id of opened.ids()) {
    held++;
    // Each may be met once: a second one is as wrong as a stranger.
    if (!left.delete(id)) unknown.push({ id, document: null });
  }
  const missing = [...left].map(([id, document]) => ({ id, document }));
  return { held, missing: missing.slice(0, listed), unknown: unknown.slice(0, listed) };
}

/** Compares what was published with the ledger, and a sample of its rows with those it was loaded from. */
export async function comparePublished(published: VectorIndex, ledger: Ledger, source: VectorIndex): Promise<Comparison> {
  const ids = await compareIds(published, ledger);
  const chunks = new Map(sampleOf(ledger.documents).map(({ chunk, document }) => [chunk.id, { chunk, document }]));
  const [here, there] = await Promise.all([rowsOf(source, [...chunks.keys()]), rowsOf(published, [...chunks.keys()])]);
  const wrong: Comparison["wrong"] = [];
  for (const [id, listedAs] of chunks) {
    const row = there.get(id);
    const reason = row === undefined ? undefined : differenceOf(row, listedAs, here.get(id));
    if (reason !== undefined) wrong.push({ id, document: listedAs.document.path, reason });
  }
  for (const row of [...there.values()].filter(({ vector }) => vector.some((value) => value !== 0)).slice(0, searched)) {
    const [best] = await published.search({ mode: "vector", text: "", vector: row.vector, topK: 1 });
    if (best === undefined || best.score < ownCosine) wrong.push({ id: row.id, document: row.document, reason: "a search for its own vector does not find it" });
  }
  return { ...ids, sampled: there.size, wrong };
}

export function isSound({ missing, unknown, wrong }: Pick<Comparison, "missing" | "unknown" | "wrong">): boolean {
  return missing.length + unknown.length + wrong.length === 0;
}

/** Every difference on a line. */
export function formatDifferences({ missing, unknown, wrong }: Pick<Comparison, "missing" | "unknown" | "wrong">): readonly string[] {
  return [
    ...missing.map(({ id, document }) => `  missing  ${id} of ${document}`),
    ...unknown.map(({ id }) => `  unknown  ${id}`),
    ...wrong.map(({ id, document, reason }) => `  wrong    ${id} of ${document}: ${reason}`),
  ];
}

/** `12,000 chunks, 200 of them compared` */
export function countCompared({ held, sampled }: Pick<Comparison, "held" | "sampled">): string {
  return `${counted(held, "chunk")}, ${sampled === held ? "all" : sampled.toLocaleString("en-US")} of them compared`;
}

interface Listed {
  readonly chunk: Chunk;
  readonly document: IndexedDocument;
}

/** Evenly from all of them, the first and the last included: equal ledgers give equal samples. */
function sampleOf(documents: readonly IndexedDocument[]): readonly Listed[] {
  const all = documents.flatMap((document) => document.chunks.map((chunk) => ({ chunk, document })));
  if (all.length <= sampleSize) return all;
  return Array.from({ length: sampleSize }, (_, i) => all[Math.round((i * (all.length - 1)) / (sampleSize - 1))]).filter((listed) => listed !== undefined);
}

async function rowsOf(index: VectorIndex, ids: readonly string[]): Promise<ReadonlyMap<string, VectorRow>> {
  const found = new Map<string, VectorRow>();
  for await (const group of index.rows(ids)) for (const row of group) found.set(row.id, row);
  return found;
}

function differenceOf(row: VectorRow, { chunk, document }: Listed, source: VectorRow | undefined): string | undefined {
  if (digestOf(embeddedText(chunk.headings, row.text)) !== chunk.textDigest) return "its text has another digest";
  if (row.headings !== joinHeadings(chunk.headings)) return "its headings differ";
  if (row.document !== document.path) return `it is said to be of ${row.document}`;
  if (source === undefined) return undefined;
  if (row.language !== source.language) return `its language is ${row.language ?? "unknown"} instead of ${source.language ?? "unknown"}`;
  if (labelsOf(row) !== labelsOf(source)) return "its metadata differ";
  const isNear = row.vector.length === source.vector.length && row.vector.every((value, i) => Math.abs(value - (source.vector[i] ?? 0)) <= 1e-6 * Math.max(1, Math.abs(value)));
  return isNear ? undefined : "its vector differs";
}

function labelsOf({ metadata }: VectorRow): string {
  return JSON.stringify(Object.entries(metadata).toSorted(([left], [right]) => (left < right ? -1 : 1)));
}

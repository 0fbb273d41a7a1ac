import { openVectors } from "../../src/adapters/vectors/lance/adapter.ts";
import { labelsOf } from "../../src/adapters/vectors/lance/filter.ts";
import { TwelveError } from "../../src/core/errors.ts";
import type { VectorFilter, VectorHit, VectorIndex, VectorQuery, VectorRow, VectorService } from "../../src/ports/vectors.ts";
import { temporaryFolder } from "./context.ts";

export interface MemoryVectors extends VectorService {
  /** What it holds, for a test to look at and to damage. */
  readonly held: Map<string, VectorRow[]>;
  /** What happens meanwhile: before anything is loaded, when all of it is, and before anything is dropped. */
  readonly meanwhile: { loading?: () => Promise<void>; loaded?: (namespace: string) => void | Promise<void>; dropping?: () => void | Promise<void> };
}

/** A vector service without a server. Cosine is reckoned here; words are left to the embedded engine. */
export function memoryVectors(url = "memory-vectors:"): MemoryVectors {
  const held = new Map<string, VectorRow[]>();
  const meanwhile: MemoryVectors["meanwhile"] = {};
  return {
    url,
    held,
    meanwhile,
    check: async () => ({ version: "1", detail: `${held.size} indexes` }),
    namespaces: async () => [...held.keys()].sort(),
    holds: async (namespace) => held.has(namespace),
    async publish(namespace, { rows }) {
      await meanwhile.loading?.();
      held.delete(namespace);
      const all: VectorRow[] = [];
      for await (const group of rows) all.push(...group);
      held.set(namespace, all);
      await meanwhile.loaded?.(namespace);
    },
    async open(namespace) {
      const rows = held.get(namespace);
      if (rows === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${url} holds no index ${namespace}`);
      return openRows(rows);
    },
    async drop(namespace) {
      await meanwhile.dropping?.();
      held.delete(namespace);
    },
    async close() {},
  };
}

function openRows(rows: readonly VectorRow[]): VectorIndex {
  return {
    search: (query) => (query.mode === "vector" ? Promise.resolve(byVector(rows, query)) : byText(rows, query)),
    count: async () => rows.length,
    async *ids() {
      for (const { id } of rows) yield id;
    },
    async *rows(ids) {
      yield ids === undefined ? rows : rows.filter(({ id }) => ids.includes(id));
    },
    close() {},
  };
}

function byVector(rows: readonly VectorRow[], { vector, topK, filter }: VectorQuery): readonly VectorHit[] {
  if (vector === undefined) throw new TypeError("A vector search needs the embedded question");
  const hits = rows.filter((row) => passes(row, filter)).map((row) => ({ ...hitOf(row), score: Math.fround(cosine(row.vector, vector)) }));
  return hits.filter(({ score }) => !Number.isNaN(score)).sort((left, right) => right.score - left.score || (left.id < right.id ? -1 : 1)).slice(0, topK);
}

async function byText(rows: readonly VectorRow[], query: VectorQuery): Promise<readonly VectorHit[]> {
  const folder = await temporaryFolder();
  await openVectors().write(folder, { dimensions: rows[0]?.vector.length ?? 1, rows: streamOf(rows) });
  const index = await openVectors().open(folder);
  try {
    return await index.search(query);
  } finally {
    index.close();
  }
}

function hitOf({ id, document, headings, text, metadata }: VectorRow): Omit<VectorHit, "score"> {
  return { id, document, headings, text, metadata };
}

function passes(row: VectorRow, filter: VectorFilter = {}): boolean {
  const labels = new Set(labelsOf(row));
  return Object.entries(filter).every(([key, values]) => values.some((value) => labels.has(`${key}\u001f${value}`)));
}

function cosine(left: Float32Array, right: Float32Array): number {
  const dot = left.reduce((sum, value, i) => sum + value * (right[i] ?? 0), 0);
  return dot / (Math.hypot(...left) * Math.hypot(...right));
}

async function* streamOf(rows: readonly VectorRow[]): AsyncIterable<readonly VectorRow[]> {
  yield rows;
}

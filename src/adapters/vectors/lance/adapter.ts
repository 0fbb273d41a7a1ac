import type { Table } from "@lancedb/lancedb";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorEngine, VectorHit, VectorIndex, VectorQuery, VectorRow } from "../../../ports/vectors.ts";
import { type FoundRow, toHits, toStoredRow } from "./convert.ts";

/** The release of LanceDB this adapter is written for; a test holds it to the installed one. */
export const lanceVersion = "0.39.0";

const tableName = "chunks";
const columns = ["id", "document", "headings", "content", "metadata"];
/** Rows of one append: each append makes one file, and few large files are searched faster. */
const appendRows = 8192;
export interface LanceOptions {
  /** Up to here every vector is compared, which is exact and takes some milliseconds. */
  readonly exactRows?: number;
}
/** Words of a question beyond this are of no use to a search and cost time. */
const maxQuestionLength = 4096;

/**
 * ICU segmentation finds the words of languages that write no spaces. Stop words are Lucene's English ones:
 * the engine's own lists would drop words of every language, single digits and letters ("C") included.
 */
const fullText = {
  baseTokenizer: "icu/split",
  language: "English",
  stem: true,
  lowercase: true,
  asciiFolding: true,
  removeStopWords: true,
  customStopWords: "a an and are as at be but by for if in into is it no not of on or such that the their then there these they this to was will with".split(" "),
  withPosition: false,
} as const;

/** Embedded LanceDB: one table in one folder, vectors and BM25 in the same files. */
export function openVectors({ exactRows = 20_000 }: LanceOptions = {}): VectorEngine {
  return {
    name: "lance",
    version: lanceVersion,
    async write(folder, { rows, dimensions }) {
      try {
        await write(folder, rows, { dimensions, exactRows });
      } catch (cause) {
        // Whatever the rows themselves failed with is not the engine's failure.
        if (!(cause instanceof Error) || !cause.message.includes("lance")) throw cause;
        throw new TwelveError("SERVICE_FAILED", `LanceDB cannot write the index to ${folder}: ${reasonOf(cause)}`, { cause, fix: "Check the folder's permissions and free space, then run `twelve index` again" });
      }
    },
    open,
  };
}

async function write(folder: string, rows: AsyncIterable<readonly VectorRow[]>, { dimensions, exactRows }: { readonly dimensions: number; readonly exactRows: number }): Promise<void> {
  // In the bundle a CommonJS package has only its default export; Node gives it the same one.
  const { default: lance } = await import("@lancedb/lancedb");
  const connection = await lance.connect(folder);
  const sample = toStoredRow({ id: "", document: "", headings: "", text: "", language: null, metadata: {}, vector: new Float32Array(dimensions) });
  const table = await connection.createEmptyTable(tableName, lance.makeArrowTable([sample]).schema);
  let count = 0;
  for await (const batch of inGroups(rows, appendRows)) {
    await table.add(lance.makeArrowTable(batch.map(toStoredRow)));
    count += batch.length;
  }
  await table.createIndex("content", { config: lance.Index.fts(fullText) });
  if (count > exactRows) {
    await table.createIndex("vector", { config: lance.Index.hnswSq({ distanceType: "cosine" }) });
  }
  table.close();
  connection.close();
}

async function open(folder: string): Promise<VectorIndex> {
  // In the bundle a CommonJS package has only its default export; Node gives it the same one.
  const { default: lance } = await import("@lancedb/lancedb");
  let table: Table;
  try {
    table = await (await lance.connect(folder)).openTable(tableName);
  } catch (cause) {
    const fix = "Run `twelve index` to make the index again";
    throw new TwelveError("ARTIFACT_INVALID", `${folder} holds no index that LanceDB ${lanceVersion} can open`, { cause, fix });
  }

  async function byVector(vector: Float32Array | undefined, limit: number): Promise<readonly VectorHit[]> {
    if (vector === undefined) throw new TypeError("A vector search needs the embedded question");
    // Where there is an index of quantised vectors: look at more of them, and order the best by their exact vectors.
    const query = table.query().nearestTo(vector).distanceType("cosine").ef(Math.max(300, limit * 3)).refineFactor(3);
    return toHits((await query.select([...columns, "_distance"]).limit(limit).toArray()) as readonly FoundRow[]);
  }

  async function byText(text: string, limit: number): Promise<readonly VectorHit[]> {
    // A match query takes its text as words: operators and quotes in a question mean nothing.
    const match = new lance.MatchQuery(text.slice(0, maxQuestionLength).toWellFormed(), "content");
    const query = table.query().fullTextSearch(match);
    return toHits((await query.select([...columns, "_score"]).limit(limit).toArray()) as readonly FoundRow[]);
  }

  return {
    async search({ mode, text, vector, topK }: VectorQuery) {
      if (mode === "vector") return byVector(vector, topK);
      return byText(text, topK);
    },
    async *ids() {
      for await (const batch of table.query().select(["id"])) for (const id of batch.getChild("id") ?? []) yield String(id);
    },
    count: () => table.countRows(),
    close: () => table.close(),
  };
}

/** The engine adds places in its own source to its messages, and the causes once more. */
function reasonOf({ message }: Error): string {
  return message.replace(/\s*Caused by:[\s\S]*$/, "").replace(/,? \/\S+\.rs:[\s\S]*$/, "");
}

async function* inGroups(batches: AsyncIterable<readonly VectorRow[]>, size: number): AsyncIterable<readonly VectorRow[]> {
  let group: VectorRow[] = [];
  for await (const batch of batches) {
    group.push(...batch);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

import { constants } from "node:fs";
import { copyFile, link, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Index, IndexConfig, Table } from "@lancedb/lancedb";
import { TwelveError } from "../../../core/errors.ts";
import type { VectorBase, VectorRow, VectorWrite } from "../../../ports/vectors.ts";
import { idsIn } from "./filter.ts";
import { analyzers } from "./language.ts";
import { loadLance } from "./load.ts";
import { chunksOf, printShape, readShape, type Shape, shapePath, tableName } from "./shape.ts";
import { fieldOf, openColumns } from "./table.ts";

/** Rows of one append. Several copies of them are in memory at once; the files of all appends are joined afterwards. */
const appendRows = 2048;
/** IDs in one `IN (...)`. */
const dropAtOnce = 5000;
/** Each addition becomes a segment of its own in the vector index, and every search visits all of them. */
const maxSegments = 12;
/** Above this share of changed chunks the vector index is trained anew, so that its partitions fit what is there now. */
const maxChangedShare = 0.2;
const rowsInPartition = 1500;
/** Where all are visited, partitions only spread the work over processors. */
const rowsInExactPartition = 4000;
const leastQuantised = 256;

export interface WriteOptions {
  /** Up to here every vector is compared, which is exact and takes some milliseconds. */
  readonly exactRows: number;
  /**
   * Up to here there is no vector index: the engine reads the vectors from their files for every question. That takes a multiple of time and
   * memory where there are many, and in a bucket always; an index of unchanged vectors is read once, and is as large as they are.
   */
  readonly scannedRows: number;
}

/** Makes the table, or takes over the base's files and brings them up to date; then indexes it and leaves only what is needed now. */
export async function writeIndex(folder: string, { rows, dimensions, base, onRows }: VectorWrite, { exactRows, scannedRows }: WriteOptions): Promise<void> {
  const lance = await loadLance();
  const toTable = await openColumns();
  // Quantised to a bit a dimension, which takes a tenth of the time of a graph and loses little where there are many of them.
  const vectorIndex = (width: number, numPartitions: number, isExact: boolean): Index =>
    !isExact && width % 8 === 0 && width >= leastQuantised ? lance.Index.ivfRq({ distanceType: "cosine", numPartitions }) : lance.Index.ivfFlat({ distanceType: "cosine", numPartitions });
  const taken = base === undefined ? undefined : await takeOver(base, folder, dimensions);
  const connection = await lance.connect(folder);
  const table = base === undefined ? await connection.createEmptyTable(tableName, toTable([], dimensions).schema) : await connection.openTable(tableName);
  try {
    const dropped = base?.drop ?? new Set<string>();
    // Word statistics must be those of the chunks that are there now, so these indexes are built anew each time.
    await dropIndexes(table, (index) => !isVectorIndex(index));
    await dropRows(table, dropped);
    // One that is compared whole is made anew: what it holds is the vectors themselves.
    const partitionsToKeep = taken !== undefined && chunksOf(taken) > exactRows ? taken.partitions : null;
    // Without a vector index to bring up to date the base is put in order now, while the first rows are still being embedded.
    const isJoinedFirst = taken !== undefined && partitionsToKeep === null;
    if (isJoinedFirst) {
      await dropIndexes(table);
      if (dropped.size > 0) await moveOneRow(table);
      await prune(table);
    }
    const counts = new Map(taken === undefined ? [] : await countFields(table, Object.keys(taken.fields)));
    let [added, appends] = [0, 0];
    for await (const group of inGroups(rows, appendRows)) {
      await table.add(toTable(group, dimensions));
      for (const field of group.map(fieldOf)) counts.set(field, (counts.get(field) ?? 0) + 1);
      added += group.length;
      appends += 1;
    }
    onRows?.();
    const fields = Object.fromEntries([...counts].filter(([, count]) => count > 0).toSorted(([left], [right]) => (left < right ? -1 : 1)));
    const count = Object.values(fields).reduce((sum, each) => sum + each, 0);
    const changed = added + dropped.size;
    const kept = count > exactRows && changed <= count * maxChangedShare && (await countSegments(table)) < maxSegments ? partitionsToKeep : null;
    if (kept === null) await dropIndexes(table);
    const isLoose = !isJoinedFirst || appends > 1;
    if (isLoose) {
      if (appends === 0 && dropped.size > 0) await moveOneRow(table);
      await prune(table);
    }
    const isScanned = count <= Math.min(scannedRows, exactRows);
    const fitting = isScanned ? null : Math.ceil(count / (count > exactRows ? rowsInPartition : rowsInExactPartition));
    const partitions = kept ?? (fitting !== null && (await isTrained(table, vectorIndex(dimensions, fitting, count <= exactRows))) ? fitting : null);
    if (!isScanned) await table.createIndex("labels", { config: lance.Index.labelList() });
    for (const { column, stems, stopWords } of analyzers) {
      if (fields[column] === undefined) continue;
      await table.createIndex(column, { config: lance.Index.fts({ ...fullText, stem: stems !== null, language: stems ?? "English", customStopWords: [...stopWords] }) });
    }
    if (isLoose || !isScanned) await prune(table);
    await writeFile(shapePath(folder), printShape({ dimensions, fields, partitions }));
  } finally {
    table.close();
    connection.close();
  }
}

/** ICU segmentation finds the words of languages that write no spaces. */
const fullText = { baseTokenizer: "icu/split", lowercase: true, asciiFolding: true, removeStopWords: true, withPosition: false } as const;

/** The engine writes new files and never changes one, so the base's can be shared. Fails with ARTIFACT_INVALID when the base was laid out differently. */
async function takeOver({ folder: base }: VectorBase, folder: string, dimensions: number): Promise<Shape> {
  const shape = await readShape(base);
  if (shape?.dimensions !== dimensions) throw new TwelveError("ARTIFACT_INVALID", `${base} holds no index of ${dimensions} dimensions that this version of twelve can go on from`);
  const [from, to] = [join(base, `${tableName}.lance`), join(folder, `${tableName}.lance`)];
  const entries = await readdir(from, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name).slice(from.length + 1));
  for (const path of new Set(paths.map((each) => dirname(each)))) await mkdir(join(to, path), { recursive: true });
  await Promise.all(paths.map((path) => link(join(from, path), join(to, path)).catch(() => copyFile(join(from, path), join(to, path), constants.COPYFILE_FICLONE))));
  return shape;
}

async function dropIndexes(table: Table, isMeant: (index: IndexConfig) => boolean = () => true): Promise<void> {
  for (const index of await table.listIndices()) if (isMeant(index)) await table.dropIndex(index.name);
}

async function dropRows(table: Table, ids: ReadonlySet<string>): Promise<void> {
  const all = [...ids];
  for (let start = 0; start < all.length; start += dropAtOnce) {
    await table.delete(idsIn(all.slice(start, start + dropAtOnce)));
  }
}

/** Makes the vector index, or tells that there is none to make: where nearly all vectors are zero, which have no direction, the few others are compared as they are. */
async function isTrained(table: Table, config: Index): Promise<boolean> {
  try {
    await table.createIndex("vector", { config });
    return true;
  } catch (error) {
    if (error instanceof Error && error.message.includes("KMeans cannot train")) return false;
    throw error;
  }
}

async function countSegments(table: Table): Promise<number> {
  return (await table.listIndices()).find(isVectorIndex)?.numSegments ?? 0;
}

function isVectorIndex({ columns }: IndexConfig): boolean {
  return columns[0] === "vector";
}

/** Joins small files as the engine sees fit, brings the vector index up to date, and removes every file that only older versions need. */
async function prune(table: Table): Promise<void> {
  // Later than now, because versions of this very millisecond are meant too. No other process knows this folder yet.
  await table.optimize({ cleanupOlderThan: new Date(Date.now() + 60_000), deleteUnverified: true });
}

/** The engine writes a file anew only to join it with another. So that nothing of a dropped row is left in any, a row that stays gets a file of its own. */
async function moveOneRow(table: Table): Promise<void> {
  const [row] = (await table.query().select(["id"]).limit(1).toArray()) as readonly { readonly id: string }[];
  if (row !== undefined) await table.update({ where: idsIn([row.id]), valuesSql: { id: "id" } });
}

/** How many rows stand in each of these columns, which are all there are. */
async function countFields(table: Table, fields: readonly string[]): Promise<readonly (readonly [string, number])[]> {
  return Promise.all(fields.map(async (field) => [field, await table.countRows(fields.length === 1 ? undefined : `field = '${field}'`)] as const));
}

async function* inGroups(batches: AsyncIterable<readonly VectorRow[]>, size: number): AsyncIterable<readonly VectorRow[]> {
  let group: VectorRow[] = [];
  for await (const batch of batches) {
    for (const row of batch) {
      group.push(row);
      if (group.length < size) continue;
      yield group;
      group = [];
    }
  }
  if (group.length > 0) yield group;
}

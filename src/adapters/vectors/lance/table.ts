import type { Data, Table } from "apache-arrow";
import type { VectorRow } from "../../../ports/vectors.ts";
import { contentOf } from "./convert.ts";
import { labelsOf } from "./filter.ts";
import { analyzerFor, analyzers } from "./language.ts";

export type ToTable = (rows: readonly VectorRow[], dimensions: number) => Table;

/**
 * Gives the function that turns rows into an Arrow table. Columns are laid out here, because the engine's own conversion
 * of row objects takes three times as long as writing them. There is a column for each language the engine can stem,
 * all of them always: a language that appears later then changes no schema, and empty columns take no space.
 */
export async function openColumns(): Promise<ToTable> {
  const arrow = await import("apache-arrow");
  const utf8 = new arrow.Utf8();

  function textColumn(values: readonly (string | null)[]): Data {
    const { bytes, offsets } = packTexts(values);
    const nullCount = values.filter((value) => value === null).length;
    const validity = nullCount === 0 ? {} : { nullBitmap: bitmapOf(values) };
    return arrow.makeData({ type: utf8, length: values.length, nullCount, valueOffsets: offsets, data: bytes, ...validity });
  }

  function listColumn(lists: readonly (readonly string[])[]): Data {
    const offsets = new Int32Array(lists.length + 1);
    for (const [i, list] of lists.entries()) offsets[i + 1] = (offsets[i] ?? 0) + list.length;
    const type = new arrow.List(new arrow.Field("item", utf8, true));
    return arrow.makeData({ type, length: lists.length, nullCount: 0, valueOffsets: offsets, child: textColumn(lists.flat()) as Data<typeof utf8> });
  }

  function vectorColumn(vectors: readonly Float32Array[], dimensions: number): Data {
    const flat = new Float32Array(vectors.length * dimensions);
    for (const [i, vector] of vectors.entries()) flat.set(vector, i * dimensions);
    const child = arrow.makeData({ type: new arrow.Float32(), length: flat.length, nullCount: 0, data: flat });
    const type = new arrow.FixedSizeList(dimensions, new arrow.Field("item", new arrow.Float32(), true));
    return arrow.makeData({ type, length: vectors.length, nullCount: 0, child });
  }

  function tableOf(columns: readonly (readonly [string, Data])[], length: number): Table {
    const fields = columns.map(([name, { type }]) => new arrow.Field(name, type, true));
    const struct = arrow.makeData({ type: new arrow.Struct(fields), length, nullCount: 0, children: columns.map(([, data]) => data) });
    return new arrow.Table(new arrow.RecordBatch(new arrow.Schema(fields), struct));
  }

  return (rows, dimensions) => {
    const columnOf = rows.map(fieldOf);
    const columns: readonly (readonly [string, Data])[] = [
      ["id", textColumn(rows.map(({ id }) => id))],
      ["document", textColumn(rows.map(({ document }) => document))],
      ["headings", textColumn(rows.map(({ headings }) => headings))],
      ["metadata", textColumn(rows.map(({ metadata }) => JSON.stringify(metadata)))],
      ["labels", listColumn(rows.map(labelsOf))],
      ["field", textColumn(columnOf)],
      ...analyzers.map(({ column }) => [column, textColumn(rows.map((row, i) => (columnOf[i] === column ? contentOf(row) : null)))] as const),
      ["vector", vectorColumn(rows.map(({ vector }) => vector), dimensions)],
    ];
    return tableOf(columns, rows.length);
  };
}

/** The column that holds a row's content. */
export function fieldOf({ language }: VectorRow): string {
  return analyzerFor(language).column;
}

/** All texts in one buffer, one after the other, with the place where each begins. */
function packTexts(values: readonly (string | null)[]): { readonly bytes: Uint8Array; readonly offsets: Int32Array } {
  const offsets = new Int32Array(values.length + 1);
  for (const [i, value] of values.entries()) offsets[i + 1] = (offsets[i] ?? 0) + (value === null ? 0 : Buffer.byteLength(value));
  const bytes = Buffer.allocUnsafe(offsets[values.length] ?? 0);
  for (const [i, value] of values.entries()) if (value !== null) bytes.write(value, offsets[i] ?? 0);
  return { bytes, offsets };
}

/** One bit for each value that is there. */
function bitmapOf(values: readonly (string | null)[]): Uint8Array {
  const bitmap = new Uint8Array(Math.ceil(values.length / 8));
  for (const [i, value] of values.entries()) if (value !== null) bitmap[i >> 3] = (bitmap[i >> 3] ?? 0) | (1 << (i & 7));
  return bitmap;
}

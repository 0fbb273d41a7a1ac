import { openArchive, withoutDetail } from "../archive.ts";
import { readProperties } from "../office/properties.ts";
import { sheetBlocks } from "../office/sheet.ts";
import { repackXml } from "../repack.ts";
import type { Block, LoadedDocument } from "../schema.ts";
import { withTitle } from "../title.ts";

/** Each sheet as a heading and its tables: values as last calculated, without formulas, colours and charts. */
export async function loadXlsx(bytes: Uint8Array): Promise<LoadedDocument> {
  const archive = openArchive(bytes);
  // The reader unpacks without any limit whatever the file holds.
  const workbook = repackXml(archive, { check: refuseWideSheet });
  const { default: readSheets } = await import("read-excel-file/node");
  const sheets = await readSheets(workbook, { trim: true }).catch(withoutDetail("it holds no readable workbook"));
  const blocks = sheets.flatMap(({ sheet, data }): readonly Block[] => {
    const tables = sheetBlocks(data);
    return tables.length === 0 ? [] : [{ kind: "heading", depth: 2, text: sheet.trim() }, ...tables];
  });
  const metadata = await readProperties(archive);
  return { blocks: withTitle(blocks, metadata["title"]), metadata };
}

const maxCells = 5_000_000;

/** The reader makes every cell of the smallest rectangle that holds all values, so a value in the last corner would fill the memory. */
function refuseWideSheet(part: Uint8Array): void {
  const text = Buffer.from(part.buffer, part.byteOffset, part.byteLength).toString("latin1");
  let rows = 0;
  let columns = 0;
  for (const [, letters = "", row = ""] of text.matchAll(/<(?:\w+:)?c\s[^<>]*?\br\s*=\s*["']([A-Z]{1,3})(\d{1,7})["'][^<>]*(?<!\/)>/g)) {
    rows = Math.max(rows, Number(row));
    columns = Math.max(columns, Array.from(letters).reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0));
  }
  if (rows * columns > maxCells) throw new Error(`a sheet in it reaches over ${rows} rows and ${columns} columns; delete what stands far away from the rest`);
}

import { openArchive } from "../archive.ts";
import { readProperties } from "../office/properties.ts";
import { sheetBlocks } from "../office/sheet.ts";
import type { Block, LoadedDocument } from "../schema.ts";
import { withTitle } from "../title.ts";
import { refuseEntities } from "../xml.ts";

/** Each sheet as a heading and its tables: values as last calculated, without formulas, colours and charts. */
export async function loadXlsx(bytes: Uint8Array): Promise<LoadedDocument> {
  const archive = openArchive(bytes);
  // The reader unpacks without any limit, so everything that it reads has to pass ours first.
  for (const name of archive.names) if (/\.(?:xml|rels)$/i.test(name)) refuseEntities(archive.read(name), name);
  const { default: readSheets } = await import("read-excel-file/node");
  const sheets = await readSheets(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), { trim: true });
  const blocks = sheets.flatMap(({ sheet, data }): readonly Block[] => {
    const tables = sheetBlocks(data as readonly (readonly unknown[])[]);
    return tables.length === 0 ? [] : [{ kind: "heading", depth: 2, text: sheet.trim() }, ...tables];
  });
  const metadata = await readProperties(archive);
  return { blocks: withTitle(blocks, metadata["title"]), metadata };
}

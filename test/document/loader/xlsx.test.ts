import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../../helpers/document.ts";

type Value = string | number | boolean | null | { readonly date: number };

const main = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"';
const relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

function cell(value: Value, column: number, row: number): string {
  const at = `${String.fromCharCode(65 + column)}${row}`;
  if (value === null) return "";
  if (typeof value === "string") return `<c r="${at}" t="inlineStr"><is><t>${value}</t></is></c>`;
  if (typeof value === "boolean") return `<c r="${at}" t="b"><v>${value ? 1 : 0}</v></c>`;
  return typeof value === "number" ? `<c r="${at}"><v>${value}</v></c>` : `<c r="${at}" s="1"><v>${value.date}</v></c>`;
}

/** A workbook of these sheets; style 1 is that of dates. */
function xlsx(sheets: Readonly<Record<string, readonly (readonly Value[])[]>>): Uint8Array {
  const names = Object.keys(sheets);
  const parts: Record<string, string> = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
    "xl/workbook.xml": `<workbook ${main} xmlns:r="${relationships}"><sheets>${names.map((name, i) => `<sheet name="${name}" sheetId="${i + 1}" r:id="r${i + 1}"/>`).join("")}</sheets></workbook>`,
    "xl/_rels/workbook.xml.rels": `<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">${names.map((_, i) => `<Relationship Id="r${i + 1}" Type="${relationships}/worksheet" Target="worksheets/sheet${i + 1}.xml"/>`).join("")}</Relationships>`,
    "xl/styles.xml": `<styleSheet ${main}><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs></styleSheet>`,
  };
  for (const [i, rows] of Object.values(sheets).entries()) {
    const data = rows.map((row, r) => `<row r="${r + 1}">${row.map((value, c) => cell(value, c, r + 1)).join("")}</row>`).join("");
    parts[`xl/worksheets/sheet${i + 1}.xml`] = `<worksheet ${main}><sheetData>${data}</sheetData></worksheet>`;
  }
  return zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])));
}

describe("a workbook", () => {
  it("has a heading and tables for each sheet, with dates that people read", async () => {
    const bytes = xlsx({
      Orders: [["Number", "Paid", "Sum"], [17, { date: 45_000 }, 12.5], [18, { date: 45_000.5 }, 0.1 + 0.2], [19, null, true]],
      Empty: [],
      Notes: [["Written by &amp; for the shop"], [], [null, "Key", "Value"], [null, "a|b", "two\nlines"]],
    });
    expect(outlineOf(await documentOf("a.xlsx", bytes))).toEqual([
      "## Orders", "table: | Number | Paid | Sum |\n| --- | --- | --- |\n| 17 | 2023-03-15 | 12.5 |\n| 18 | 2023-03-15 12:00 | 0.3 |\n| 19 |  | true |",
      "## Notes", "prose: Written by & for the shop", "table: | Key | Value |\n| --- | --- |\n| a\\|b | two lines |",
    ]);
  });

  it("gives rows after a gap the head of their columns, and a new table its own", async () => {
    const bytes = xlsx({ S: [["Name", "Count"], ["a", 1], [], ["b", 2], [], ["Other", "Head"], ["c", "d"]] });
    expect((await documentOf("a.xlsx", bytes)).blocks.slice(1).map((block) => block.text)).toEqual([
      "| Name | Count |\n| --- | --- |\n| a | 1 |", "| Name | Count |\n| --- | --- |\n| b | 2 |", "| Other | Head |\n| --- | --- |\n| c | d |",
    ]);
  });

  it("gives the same document each time", async () => {
    const bytes = xlsx({ S: [["a", "b"], [1, 2]] });
    expect(await documentOf("a.xlsx", bytes)).toEqual(await documentOf("a.xlsx", bytes));
  });
});

/** The archive with an entry that its table of contents does not name. */
function withHidden(bytes: Uint8Array, name: string): Uint8Array {
  const file = Buffer.from(bytes);
  const at = file.lastIndexOf(name) - 46;
  const rest = Buffer.concat([file.subarray(0, at), file.subarray(at + 46 + name.length)]);
  const end = rest.length - 22;
  for (const place of [end + 8, end + 10]) rest.writeUInt16LE(rest.readUInt16LE(place) - 1, place);
  rest.writeUInt32LE(rest.readUInt32LE(end + 12) - 46 - name.length, end + 12);
  return rest;
}

describe("a workbook with parts that its table of contents does not name", () => {
  it("is read without them, as nothing has looked at how large they are", async () => {
    const bytes = withHidden(xlsx({ S: [["a", "b"], [1, 2]] }), "xl/worksheets/sheet1.xml");
    expect(await reasonOf("a.xlsx", bytes)).toBe("cannot be read: it holds no readable workbook");
  });
});

describe("a workbook with a value far away", () => {
  it.each([["xl/worksheets/sheet1.xml", '"'], ["xl/cells.xml", '"'], ["xl/worksheets/sheet1.xml", "'"]])("is refused whatever the part is called and however it is written: %s %s", async (name, quote) => {
    const sheet = `<sheetData><row r="1"><c r=${quote}XFD50000${quote}><v>2</v></c></row></sheetData>`;
    expect(await reasonOf("a.xlsx", zipSync({ [name]: strToU8(`<worksheet ${main}>${sheet}</worksheet>`) }))).toMatch(/a sheet in it reaches over 50000 rows and 16384 columns/);
  });

  it("is refused before it fills the memory", async () => {
    const sheet = '<sheetData><row r="1"><c r="A1"><v>1</v></c></row><row r="50000"><c r="XFD50000"><v>2</v></c></row></sheetData>';
    const bytes = zipSync({ "xl/worksheets/sheet1.xml": strToU8(`<worksheet ${main}>${sheet}</worksheet>`) });
    expect(await reasonOf("a.xlsx", bytes)).toBe("cannot be read: a sheet in it reaches over 50000 rows and 16384 columns; delete what stands far away from the rest");
  });
});

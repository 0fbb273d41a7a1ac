import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../../helpers/document.ts";

const space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"';

function paragraph(text: string, style?: string): string {
  return `<w:p>${style === undefined ? "" : `<w:pPr><w:pStyle w:val="${style}"/></w:pPr>`}<w:r><w:t xml:space="preserve">${text}</w:t></w:r></w:p>`;
}

function styleOf(id: string, name: string): string {
  return `<w:style w:type="paragraph" w:styleId="${id}"><w:name w:val="${name}"/></w:style>`;
}

/** A Word document of these paragraphs, as small as Word still reads it. */
function docx(body: string, more: Readonly<Record<string, string>> = {}): Uint8Array {
  const parts: Readonly<Record<string, string>> = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/word/document.xml" ContentType="application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/></Types>',
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
    "word/_rels/document.xml.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="s1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/styles" Target="styles.xml"/></Relationships>',
    "word/styles.xml": `<w:styles ${space}>${styleOf("Title", "Title")}${styleOf("H1", "heading 1")}${styleOf("H2", "heading 2")}</w:styles>`,
    "word/document.xml": `<w:document ${space}><w:body>${body}</w:body></w:document>`,
    ...more,
  };
  return zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])));
}

const core = (fields: string): Readonly<Record<string, string>> => ({
  "docProps/core.xml": `<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties" xmlns:dc="http://purl.org/dc/elements/1.1/">${fields}</cp:coreProperties>`,
});

const table = `<w:tbl><w:tr><w:tc>${paragraph("Size")}</w:tc><w:tc>${paragraph("Price")}</w:tc></w:tr><w:tr><w:tc>${paragraph("Small")}</w:tc><w:tc>${paragraph("4 EUR")}</w:tc></w:tr></w:tbl>`;

describe("a Word document", () => {
  it("has headings, paragraphs and tables, below its title", async () => {
    const bytes = docx(paragraph("The handbook", "Title") + paragraph("Refunds", "H1") + paragraph("Paid in &lt;five&gt; days.") + paragraph("Costs", "H2") + table);
    expect(outlineOf(await documentOf("a.docx", bytes))).toEqual(["# The handbook", "## Refunds", "prose: Paid in <five> days.", "### Costs", "table: | Size | Price |\n| --- | --- |\n| Small | 4 EUR |"]);
  });

  it("keeps its headings where it has no title, and takes that of its properties where it has no heading", async () => {
    expect(outlineOf(await documentOf("a.docx", docx(paragraph("Refunds", "H1") + paragraph("x"))))).toEqual(["# Refunds", "prose: x"]);
    const document = await documentOf("a.docx", docx(paragraph("x"), core("<dc:title>Costs &amp; more</dc:title><dc:creator>Ada</dc:creator><cp:revision>17</cp:revision>")));
    expect(document).toMatchObject({ metadata: { title: "Costs & more", author: "Ada" } });
    expect(outlineOf(document)).toEqual(["# Costs & more", "prose: x"]);
    expect((await documentOf("a.docx", docx(paragraph("x"), core("<dc:title>Microsoft Word - Document1</dc:title>")))).metadata).toEqual({});
  });

  it("leaves out what was deleted", async () => {
    expect(outlineOf(await documentOf("a.docx", docx("<w:p><w:del><w:r><w:delText>old</w:delText></w:r></w:del><w:ins><w:r><w:t>new</w:t></w:r></w:ins></w:p>")))).toEqual(["prose: new"]);
  });
});

describe("an office file that is none", () => {
  it("says what it is instead", async () => {
    expect(await reasonOf("a.docx", Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, ...new Uint8Array(100)))).toBe("cannot be read: it is encrypted, or in the format of before 2007; save it without a password in the current format");
    expect(await reasonOf("a.docx", docx(paragraph("x")).subarray(0, 500))).toBe("cannot be read: it is cut off or no such file at all");
    expect(await reasonOf("a.docx", zipSync({ "a.txt": strToU8("x") }))).toBe("cannot be read: it holds no readable Word document");
  });

  it("cannot fill the memory", async () => {
    const bomb = docx(paragraph("x"), { "word/numbering.xml": "0".repeat(25 * 1024 * 1024) });
    expect(bomb.length).toBeLessThan(200_000);
    expect(await reasonOf("a.docx", bomb)).toBe("cannot be read: word/numbering.xml in it unpacks to more than 24 MB");
  });

  it("cannot lie about the size of what it holds", async () => {
    const bomb = docx(paragraph("x"), { "word/numbering.xml": "0".repeat(25 * 1024 * 1024) });
    const view = new DataView(bomb.buffer, bomb.byteOffset);
    for (let at = 0; at < bomb.length - 46; at++) {
      if (view.getUint32(at, true) === 0x02014b50) view.setUint32(at + 24, 10, true);
      if (view.getUint32(at, true) === 0x04034b50) view.setUint32(at + 22, 10, true);
    }
    expect(await reasonOf("a.docx", bomb)).toBe("cannot be read: word/numbering.xml in it unpacks to more than 24 MB");
  });

  it("cannot hide its text from the limits behind the name of a part", async () => {
    const hidden = (text: string): Uint8Array => docx(paragraph("x"), {
      "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" Target="word/document.bin"/></Relationships>',
      "word/document.bin": text,
    });
    const text = `<w:document ${space}><w:body>${paragraph("hidden")}</w:body></w:document>`;
    expect(outlineOf(await documentOf("a.docx", hidden(text)))).toEqual(["prose: x"]);
    expect(outlineOf(await documentOf("a.docx", hidden(`<!DOCTYPE x [<!ENTITY a "a">]>${text}`)))).toEqual(["prose: x"]);
  });

  it("cannot have parts beyond the limit that are not compressed", async () => {
    const bytes = zipSync({ "word/document.xml": new Uint8Array(25 * 1024 * 1024) }, { level: 0 });
    expect(await reasonOf("a.docx", bytes)).toBe("cannot be read: word/document.xml in it has more than 24 MB");
  });

  it("cannot grow by entities of its own, nor by nesting", async () => {
    const entities = docx(paragraph("x"), { "word/styles.xml": `<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><w:styles ${space}>&b;</w:styles>` });
    expect(await reasonOf("a.docx", entities)).toBe("cannot be read: word/styles.xml in it declares entities, which is not safe to read");
    expect(await reasonOf("a.docx", docx(`${"<w:sdt><w:sdtContent>".repeat(20_000)}${"</w:sdtContent></w:sdt>".repeat(20_000)}`))).toBe("is nested too deeply to be read");
  });
});

import { strToU8, zipSync } from "fflate";
import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../../helpers/document.ts";

const spaces = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"';
const type = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

function shape(kind: string, ...paragraphs: readonly (string | readonly [string, number])[]): string {
  const body = paragraphs.map((each) => (typeof each === "string" ? `<a:p><a:r><a:t>${each}</a:t></a:r></a:p>` : `<a:p><a:pPr lvl="${each[1]}"/><a:r><a:t>${each[0]}</a:t></a:r></a:p>`));
  return `<p:sp><p:nvSpPr><p:cNvPr id="1" name="x"/><p:nvPr>${kind === "" ? "" : `<p:ph type="${kind}"/>`}</p:nvPr></p:nvSpPr><p:txBody>${body.join("")}</p:txBody></p:sp>`;
}

function slide(...shapes: readonly string[]): string {
  return `<p:sld ${spaces}><p:cSld><p:spTree>${shapes.join("")}</p:spTree></p:cSld></p:sld>`;
}

function relations(...targets: readonly (readonly [string, string, string])[]): string {
  return `<Relationships>${targets.map(([id, name, target]) => `<Relationship Id="${id}" Type="${type}/${name}" Target="${target}"/>`).join("")}</Relationships>`;
}

const table = `<p:graphicFrame><a:graphic><a:graphicData><a:tbl>${[["Month", "Sales"], ["May", "17"]].map((row) => `<a:tr>${row.map((cell) => `<a:tc><a:txBody><a:p><a:r><a:t>${cell}</a:t></a:r></a:p></a:txBody></a:tc>`).join("")}</a:tr>`).join("")}</a:tbl></a:graphicData></a:graphic></p:graphicFrame>`;

/** Shown in the order in which the presentation names them, whatever their files are called. */
function pptx(): Uint8Array {
  const parts = {
    "ppt/presentation.xml": `<p:presentation ${spaces}><p:sldIdLst><p:sldId r:id="r2" id="300"/><p:sldId id="256" r:id="r1"/><p:sldId id="257" r:id="r3"/></p:sldIdLst></p:presentation>`,
    "ppt/_rels/presentation.xml.rels": relations(["r1", "slide", "slides/slide1.xml"], ["r2", "slide", "/ppt/slides/slide2.xml"], ["r3", "slide", "slides/slide3.xml"]),
    "ppt/slides/slide1.xml": slide(shape("body", "First point", ["below it", 1], "Second point"), shape("title", "Results &amp; plans"), shape("sldNum", "2"), table),
    "ppt/slides/_rels/slide1.xml.rels": relations(["n", "notesSlide", "../notesSlides/notesSlide1.xml"]),
    "ppt/notesSlides/notesSlide1.xml": slide(shape("sldNum", "2"), shape("body", "Mention the &#8364; rate.")),
    "ppt/slides/slide2.xml": slide(shape("ctrTitle", "Lantern Shop"), shape("subTitle", "Spring")),
    "ppt/slides/slide3.xml": slide(`<p:grpSp>${shape("", "In a group")}</p:grpSp><mc:AlternateContent><mc:Choice>${shape("", "In the newer way")}</mc:Choice><mc:Fallback>${shape("", "In the older way")}</mc:Fallback></mc:AlternateContent>`),
    "ppt/slides/_rels/slide3.xml.rels": relations(["d", "diagramData", "../diagrams/data1.xml"]),
    "ppt/diagrams/data1.xml": `<dgm:dataModel ${spaces} xmlns:dgm="d"><dgm:ptLst>${["Build", "", "Index"].map((text) => `<dgm:pt><dgm:t><a:p><a:r><a:t>${text}</a:t></a:r></a:p></dgm:t></dgm:pt>`).join("")}</dgm:ptLst></dgm:dataModel>`,
    "docProps/core.xml": "<cp:coreProperties xmlns:cp='x' xmlns:dc='y'><dc:title>PowerPoint Presentation</dc:title><dc:creator>Ada</dc:creator></cp:coreProperties>",
  };
  return zipSync(Object.fromEntries(Object.entries(parts).map(([name, text]) => [name, strToU8(text)])));
}

describe("a presentation", () => {
  it("has its slides in the order in which they are shown, with tables and notes", async () => {
    const document = await documentOf("a.pptx", pptx());
    expect(document.metadata).toEqual({ author: "Ada" });
    expect(outlineOf(document)).toEqual([
      "1 ## Lantern Shop", "1 prose: Spring",
      "2 ## Results & plans", "2 list: - First point\n  - below it\n- Second point", "2 table: | Month | Sales |\n| --- | --- |\n| May | 17 |", "2 prose: Speaker notes: Mention the € rate.",
      "3 ## Slide 3", "3 prose: In a group", "3 prose: In the newer way", "3 list: - Build\n- Index",
    ]);
  });

  it("says what it lacks", async () => {
    expect(await reasonOf("a.pptx", zipSync({ "x.xml": strToU8("<x/>") }))).toBe("cannot be read: it has no ppt/presentation.xml");
  });

  it("refuses parts that are nested without end", async () => {
    const deep = `<p:presentation ${spaces}>${"<p:x>".repeat(100_000)}`;
    expect(await reasonOf("a.pptx", zipSync({ "ppt/presentation.xml": strToU8(deep) }))).toBe("is nested too deeply to be read");
  });
});

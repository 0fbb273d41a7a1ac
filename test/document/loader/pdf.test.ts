import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../../helpers/document.ts";

/** A line of text at a place on the page, in points from the lower left corner. */
type Text = readonly [x: number, y: number, text: string, size?: number];

/** A PDF written by hand: each page is a list of texts. Characters are all half as wide as they are high, as in Courier 0.6. */
function pdf(pages: readonly (readonly Text[])[], info = "", trailer = ""): Uint8Array {
  const objects = ["<< /Type /Catalog /Pages 2 0 R >>", "", "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>", `<< ${info} >>`];
  const kids: string[] = [];
  for (const page of pages) {
    const content = page.map(([x, y, text, size = 10]) => `BT /F1 ${size} Tf 1 0 0 1 ${x} ${y} Tm (${text.replaceAll(/[\\()]/g, "\\$&")}) Tj ET`).join("\n");
    objects.push(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`);
    objects.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Resources << /Font << /F1 3 0 R >> >> /Contents ${objects.length} 0 R >>`);
    kids.push(`${objects.length} 0 R`);
  }
  objects[1] = `<< /Type /Pages /Kids [${kids.join(" ")}] /Count ${kids.length} >>`;
  let file = "%PDF-1.4\n";
  const offsets = objects.map((object, i) => {
    const offset = file.length;
    file += `${i + 1} 0 obj\n${object}\nendobj\n`;
    return offset;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  file += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n<< /Size ${objects.length + 1} /Root 1 0 R /Info 4 0 R ${trailer} >>\nstartxref\n${file.length}\n%%EOF\n`;
  return Buffer.from(file, "latin1");
}

function paragraph(y: number, ...lines: readonly string[]): readonly Text[] {
  return lines.map((line, i) => [50, y - i * 12, line] as const);
}

describe("a PDF", () => {
  it("has its text in paragraphs, with the page that they begin on", async () => {
    const bytes = pdf([
      [[50, 740, "How refunds work", 18], ...paragraph(700, "A refund is paid to the card that the order was paid with, in the cur-", "rency of the order. It takes five working days, or ten in a multi-", "step refund. A multi-step refund is rare."), ...paragraph(650, "Nobody has to ask for it twice.")],
      [[50, 740, "What it costs", 18], ...paragraph(700, "It is free of charge.")],
    ], "/Title (Refunds) /Author (Ada)");
    const document = await documentOf("a.pdf", bytes);
    expect(document.metadata).toEqual({ title: "Refunds", author: "Ada" });
    expect(outlineOf(document)).toEqual([
      "1 # How refunds work",
      "1 prose: A refund is paid to the card that the order was paid with, in the currency of the order. It takes five working days, or ten in a multi-step refund. A multi-step refund is rare.",
      "1 prose: Nobody has to ask for it twice.",
      "2 # What it costs",
      "2 prose: It is free of charge.",
    ]);
  });

  it("has tables where lines have columns, empty cells too", async () => {
    const bytes = pdf([[
      ...paragraph(760, "The costs of sending a lamp back are these, by size and by country of the buyer."),
      [50, 730, "Size"], [150, 730, "Here"], [250, 730, "Abroad"], [50, 715, "Small"], [150, 715, "free"], [250, 715, "4 EUR"], [50, 700, "Large"], [250, 700, "9 EUR"],
    ]]);
    expect(outlineOf(await documentOf("a.pdf", bytes))).toEqual([
      "1 prose: The costs of sending a lamp back are these, by size and by country of the buyer.",
      "1 table: | Size | Here | Abroad |\n| --- | --- | --- |\n| Small | free | 4 EUR |\n| Large |  | 9 EUR |",
    ]);
  });

  it("has lists, and short lines as lines", async () => {
    const bytes = pdf([[...paragraph(700, "Lantern Shop", "Long Lane 7", "Bath"), ...paragraph(640, "\u0095 Pack the lamp in the box that it came in, or in another one", "that is as large", "\u0095 Send it"), ...paragraph(560, "This line is here to show how wide the lines of this page may well be.")]]);
    expect(outlineOf(await documentOf("a.pdf", bytes))).toEqual([
      "1 prose: Lantern Shop\nLong Lane 7\nBath",
      "1 list: - Pack the lamp in the box that it came in, or in another one that is as large\n- Send it",
      "1 prose: This line is here to show how wide the lines of this page may well be.",
    ]);
  });

  it("loses what is printed on every page", async () => {
    const page = (number: number): readonly Text[] => [[50, 780, "Lantern Shop - Handbook"], ...paragraph(700, `Only on page ${["one", "two", "three", "four"][number - 1]} is this.`), [300, 20, `Page ${number}`]];
    expect(outlineOf(await documentOf("a.pdf", pdf([1, 2, 3, 4].map(page))))).toEqual(["1 prose: Only on page one is this.", "2 prose: Only on page two is this.", "3 prose: Only on page three is this.", "4 prose: Only on page four is this."]);
  });

  it("of two columns is read one after the other", async () => {
    const left = paragraph(700, "The left column begins here and", "goes on in the").map(([x, y, text]) => [x, y, text] as const);
    const right = paragraph(700, "right one, where it", "ends.").map(([, y, text]) => [320, y, text] as const);
    expect(outlineOf(await documentOf("a.pdf", pdf([[...left, ...right]])))).toEqual(["1 prose: The left column begins here and goes on in the right one, where it ends."]);
  });

  it("without a text layer says so, and claims nothing of what its pages show", async () => {
    expect(await reasonOf("a.pdf", pdf([[], [], []]))).toBe("has no text layer; if its 3 pages are images, run OCR on it first");
    expect(await reasonOf("a.pdf", pdf([[]]))).toBe("has no text layer; if its page is an image, run OCR on it first");
  });

  it("that is encrypted or broken says so", async () => {
    const encrypted = pdf([paragraph(700, "secret")], "", `/ID [<00> <00>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <${"41".repeat(32)}> /U <${"42".repeat(32)}> >>`);
    expect(await reasonOf("a.pdf", encrypted)).toBe("is encrypted; save it without its password first");
    expect(await reasonOf("a.pdf", Buffer.from("%PDF-1.4\nnothing more"))).toBe("is no readable PDF: it is cut off or broken");
    expect(await reasonOf("a.pdf", Buffer.from("<html>not found</html>"))).toBe("is no readable PDF: it is cut off or broken");
  });

  it("gives the same document each time, and leaves the bytes as they are", async () => {
    const bytes = pdf([paragraph(700, "Some text.")]);
    const before = Uint8Array.from(bytes);
    expect(await documentOf("a.pdf", bytes)).toEqual(await documentOf("a.pdf", bytes));
    expect(Uint8Array.from(bytes)).toEqual(before);
  });
});

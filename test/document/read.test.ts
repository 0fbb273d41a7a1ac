import { describe, expect, it } from "vitest";
import { decodeText, endingOf, loadBlocks, loaderFor } from "../../src/document/read.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("loaders", () => {
  it.each([
    ["a.md", "markdown"], ["a.MD", "markdown"], ["x/a.b.markdown", "markdown"], ["a.mdx", "mdx"], ["a.txt", "text"], ["README", "text"], ["x/readme", "text"],
    ["LICENSE", undefined], ["a.png", undefined], ["md", undefined], [".md", undefined], ["x.md/a", undefined], ["a.constructor", undefined], ["xreadme", undefined],
  ])("%s is read by %s", (path, loader) => {
    expect(loaderFor(path)).toBe(loader);
  });

  it("know the ending of a file name, not of its folder", () => {
    expect(["a.tar.GZ", "x.y/z", ".env", "a."].map(endingOf)).toEqual([".gz", "", "", ""]);
  });

  it("take text as paragraphs without headings", () => {
    expect(loadBlocks("# no heading\nmore\n\n\n  second\n \nthird\n", "text").map(({ kind, text }) => [kind, text])).toEqual([
      ["prose", "# no heading\nmore"], ["prose", "  second"], ["prose", "third"],
    ]);
  });

  it("give the same blocks for CRLF, CR and LF", () => {
    const source = "# A\n\nOne\ntwo\n\n| a | b |\n| - | - |\n| 1 | 2 |\n";
    const blocks = loadBlocks(source, "markdown");
    expect(loadBlocks(source.replaceAll("\n", "\r\n"), "markdown")).toEqual(blocks);
    expect(loadBlocks(source.replaceAll("\n", "\r"), "markdown")).toEqual(blocks);
  });

  it("cut embedded images", () => {
    const [block] = loadBlocks(`![logo](data:image/png;base64,${"iVBORw0KGgo".repeat(1000)}==) text`, "markdown");
    expect(block?.text).toBe("![logo](data:image/png;base64,) text");
  });

  it.each([
    ["quotes", ">".repeat(100_000)],
    ["lists", "- ".repeat(100_000)],
    ["indented lists", Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i * 2)}- x`).join("\n")],
  ])("read %s inside each other beyond reason as text", (_, nested) => {
    expect(loadBlocks(`# heading\n\n${nested}\n\nlast`, "markdown").map(({ kind }) => kind)).toEqual(["prose", "prose", "prose"]);
  });

  it("do not take rules, banners and conflict markers for nesting", () => {
    const source = `# heading\n\n${"-".repeat(200)}\n\n${"* ".repeat(40)}\n\n${">".repeat(7)} theirs`;
    expect(loadBlocks(source, "markdown").map(({ kind }) => kind)).toEqual(["heading", "prose"]);
  });
});

describe("decoding", () => {
  it("strips a byte-order mark", () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toEqual({ text: "A" });
  });

  it.each([
    ["nothing", bytes("")],
    ["white space", bytes(" \n\t\u00a0")],
    ["a byte-order mark alone", Uint8Array.of(0xef, 0xbb, 0xbf)],
  ])("calls a file of %s empty", (_, content) => {
    expect(decodeText(content)).toEqual({ reason: "is empty" });
  });

  it("says what is no text", () => {
    expect(decodeText(Buffer.from("Café", "latin1"))).toEqual({ reason: "is not UTF-8" });
    expect(decodeText(bytes("a\0b"))).toEqual({ reason: "holds NUL bytes, so it is not UTF-8 text" });
    expect(decodeText(Buffer.from("text", "utf16le"))).toEqual({ reason: "holds NUL bytes, so it is not UTF-8 text" });
  });
});

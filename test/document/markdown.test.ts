import { describe, expect, it } from "vitest";
import type { Block } from "../../src/document/schema.ts";
import { markdownBlocks } from "../../src/document/markdown.ts";

function outline(source: string, dialect: "markdown" | "mdx" = "markdown"): readonly string[] {
  return markdownBlocks(source, dialect).map((block: Block) => (block.kind === "heading" ? `${"#".repeat(block.depth)} ${block.text}` : `${block.kind}: ${block.text}`));
}

describe("markdown blocks", () => {
  it("are headings, prose, lists, tables and code with their source text", () => {
    const source = ["# One", "", "Some **bold** [link](https://example.com).", "", "- first", "- second", "", "| a | b |", "| - | - |", "| 1 | 2 |", "", "```js", "# not a heading", "```", "", "Two", "---", "", "> quoted"].join("\n");
    expect(outline(source)).toEqual([
      "# One",
      "prose: Some **bold** [link](https://example.com).",
      "list: - first\n- second",
      "table: | a | b |\n| - | - |\n| 1 | 2 |",
      "code: ```js\n# not a heading\n```",
      "## Two",
      "prose: > quoted",
    ]);
  });

  it("leave out front matter", () => {
    expect(outline("---\ntitle: \"The: title\"\ntags: [a]\n---\n\n## Part\n\nText")).toEqual(["## Part", "prose: Text"]);
    expect(outline("+++\ntitle = \"x\"\n+++\n\nText")).toEqual(["prose: Text"]);
    expect(outline("---\ntitle: [broken\n\ttab\n---\n\nText")).toEqual(["prose: Text"]);
  });

  it("have headings as plain words", () => {
    expect(outline("# Use `fetch` with **care** <a id=\"x\"></a> &amp; [links](y) {#anchor}\n\n##\n\n## C# _and_ C++")).toEqual(["# Use fetch with care & links", "## ", "## C# and C++"]);
  });

  it("have the words of HTML, without tags, scripts and comments", () => {
    expect(outline("<div align=\"center\">\n<b>Bold</b> words\n</div>\n\n<!-- hidden -->\n\n<script>\nvar hidden = 1;\n</script>\n\nText <br/> here\n\nUse `<br>` here")).toEqual([
      "prose: Bold words",
      "prose: Text  here",
      "prose: Use `<br>` here",
    ]);
  });

  it("drop link definitions and rules", () => {
    expect(outline("Text\n\n---\n\n[a]: https://example.com")).toEqual(["prose: Text"]);
  });
});

describe("MDX blocks", () => {
  it("lose imports, exports, comments and plain tags, and keep what is between them", () => {
    const source = "import { Note } from \"./note\";\nimport b from 'b'\n\nexport const x = { y: 1 };\n\n{/* hidden */}\n\n<Note type=\"warning\">\n  Mind the gap.\n</Note>\n\n<Tabs items={['npm', 'yarn']}>\n\nInside\n\n</Tabs>";
    expect(outline(source, "mdx")).toEqual(["prose: Mind the gap.", "prose: Inside"]);
  });

  it("keep a component whose text is in its properties", () => {
    const source = "<Properties\n  content={[\n    { name: 'model', description: 'The model to use.' },\n  ]}\n/>";
    expect(outline(source, "mdx").join("\n")).toContain("description: 'The model to use.'");
  });

  it("take indented text for prose, and fenced imports for code", () => {
    expect(outline("<Step>\n\n    Indented words\n\n</Step>\n\n```ts\nimport x from \"x\";\n```", "mdx")).toEqual(["prose: Indented words", "code: ```ts\nimport x from \"x\";\n```"]);
  });

  it.each(["<Note", "</Note>", "<a b={", "{", "{/* open", "<A><B></A>", "<!-- open\n\ntext", "<>", "import", "< a"])("never fail on broken JSX: %j", (source) => {
    expect(() => markdownBlocks(source, "mdx")).not.toThrow();
  });
});

describe("headings", () => {
  it.each([
    ["# Title #", "Title"], ["## Title ###  ", "Title"], ["# Title#", "Title#"], ["# C#", "C#"], ["# #", ""], ["# a # b", "a # b"], ["#", ""],
    ["# Title {#anchor}", "Title"], ["# Title {#a} ", "Title"], ["# {#only}", ""], ["# {a} b {#c}", "{a} b"], ["# Title {a}", "Title {a}"], ["# Title {#a} b", "Title {#a} b"],
  ])("%j are plain words: %j", (source, text) => {
    expect(markdownBlocks(`Before.\n\n${source}`, "markdown")[1]).toMatchObject({ kind: "heading", text });
  });

  it.each([["spaces", " "], ["marks", "# "], ["anchors", "{#"], ["marks and spaces", "#  "]])("of a million %s come to an end", (_, part) => {
    // Work in the square of the length would take an hour.
    expect(markdownBlocks(`# a${part.repeat(1_000_000 / part.length)}b`, "markdown")[0]).toMatchObject({ kind: "heading" });
  });
});

import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { markdownBlocks, wholeBlocks } from "../../src/document/markdown.ts";
import { segmentsOf } from "../../src/document/segment.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

const note = withoutShared ? " (skipped: the shared test data is not beside this checkout)" : "";

const lines = [
  "", "", "", "text here", "Other words", "# Head", "## ", "#nospace", "```", "```js", "~~~", "  ```", "- item", "  more", "    code", "> quote", "1. one", "| a | b |", "| - | - |", "a | b", "--- | ---",
  "---", "***", "===", "<div>", "</div>", "<Note>", "<b>x</b> y", "<!-- c", "-->", "<script>", "</script>", "[a]: http://x", "[a](b) c", "**bold** x", "* star", "2024 was", "10) ten", "import x", "`code` x",
  "{/* c", "*/}", "\tcode", "+++", "\\# esc", "![i](u)", "e\tf  ", "- ```", "- - x", "<a", ">", "text  ",
  "- two", "* other mark", "+ plus  ", "2. two", "1) two", "-   wide", "-     code", "- **b** c", "- a | b", "  - nested", "  lazy", "-\ttab", "- [x] done", "-", "1.", "- # head", "- ---", "* * *",
];

describe("segments", () => {
  it("tell headings, prose, code and plain lists by their lines, and leave the rest to the parser", () => {
    expect(segmentsOf("# A #\n\nText.\nMore.\n\n- list\n\n  in list\n\n```js\n# code\n```\n1. One\n2. Two\n\nEnd.")).toEqual([
      { kind: "heading", depth: 1, text: "A" },
      { kind: "prose", text: "Text.\nMore." },
      { kind: "other", text: "- list\n\n  in list\n" },
      { kind: "code", text: "```js\n# code\n```", value: "# code" },
      { kind: "list", text: "1. One\n2. Two", items: ["1. One", "2. Two"] },
      { kind: "prose", text: "End." },
    ]);
  });

  it.each(["<!-- a\n\nText\n\n-->", "```\nnever closed", "- a\n  ```\nText", "<div>\n# x"])("leave all of %j to the parser", (source) => {
    expect(segmentsOf(source)).toBeUndefined();
  });

  it("leave a list to the parser that may go on below an empty line", () => {
    expect(segmentsOf("- a\n\n- b\n\nEnd.")).toEqual([{ kind: "other", text: "- a\n\n- b\n" }, { kind: "prose", text: "End." }]);
  });

  it("make the same blocks as the parser alone, whatever lines come together", () => {
    let seed = 7;
    const draw = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
      return Math.floor((seed / 0x80000000) * below);
    };
    for (let round = 0; round < 2500; round++) {
      const source = Array.from({ length: 2 + draw(9) }, () => lines[draw(lines.length)]).join("\n");
      for (const dialect of ["markdown", "mdx"] as const) expect([source, markdownBlocks(source, dialect)]).toEqual([source, wholeBlocks(source, dialect)]);
    }
  });

  it.skipIf(withoutShared).each(["fastify", "twelve-factor"])(`make the same blocks as the parser alone of the documentation of %s${note}`, async (name) => {
    const dir = await temporaryFolder();
    execFileSync("tar", ["-xzf", sharedData("docs", `${name}.tar.gz`), "-C", dir]);
    const files = (await readdir(dir, { recursive: true })).filter((file) => file.endsWith(".md"));
    const different: string[] = [];
    for (const file of files) {
      // The title that front matter gives is no block of the text.
      const source = (await readFile(join(dir, file), "utf8")).replace(/^\ufeff/, "").replaceAll("\r\n", "\n").replace(/^---\n[\s\S]*?\n---\n/, "");
      if (JSON.stringify(markdownBlocks(source, "markdown")) !== JSON.stringify(wholeBlocks(source, "markdown"))) different.push(file);
    }
    expect(different).toEqual([]);
    expect(files.length).toBeGreaterThan(40);
  });
});

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../../helpers/document.ts";

const fixtures = join(import.meta.dirname, "../../../fixtures/document");

describe("a CSV file", () => {
  it("is a table, whatever stands between its values and in whichever encoding", async () => {
    const { blocks } = await documentOf("orders.csv", await readFile(join(fixtures, "table/orders.csv")));
    expect(blocks).toEqual([{
      kind: "table",
      text: "| Nummer | Käufer | Betrag |\n| --- | --- | --- |\n| 17 | Groß; Söhne | 12,50 |\n| 18 | Zoë | 9,00 netto |",
      head: "| Nummer | Käufer | Betrag |\n| --- | --- | --- |\n",
      parts: ["| 17 | Groß; Söhne | 12,50 |", "| 18 | Zoë | 9,00 netto |"],
    }]);
  });

  it.each([
    ["a.csv", "a,b\n1,2\n"], ["a.csv", "a;b\n1;2\n"], ["a.csv", "a\tb\n1\t2\n"], ["a.csv", "a|b\n1|2\n"], ["a.tsv", "a\tb\n1\t2"], ["a.csv", "sep=;\na;b\n1;2"], ["a.csv", "\ufeffa,b\n\n1,2"], ["a.csv", "a,b,\n1,2,\n"],
  ])("tells its delimiter: %s %j", async (path, source) => {
    expect(outlineOf(await documentOf(path, source))).toEqual(["table: | a | b |\n| --- | --- |\n| 1 | 2 |"]);
  });

  it("may have loose quotes and rows of any length", async () => {
    expect(outlineOf(await documentOf("a.csv", "name,size\n5\" disk,small\nx\ny,1,2\n"))).toEqual(["table: | name | size |  |\n| --- | --- | --- |\n| 5\" disk | small |  |\n| x |  |  |\n| y | 1 | 2 |"]);
  });

  it("says where it is no table", async () => {
    expect(await reasonOf("a.csv", `a,b\n"never closed,${"x".repeat(20)}`)).toMatch(/^cannot be read: .*[Qq]uote/);
  });
});

describe("a JSON file", () => {
  it("keeps its structure", async () => {
    expect(outlineOf(await documentOf("a.json", '{"name":"x","tags":["a"],"id":12345678901234567890}'))).toEqual(['code: ```json\n{\n  "name": "x",\n  "tags": [\n    "a"\n  ],\n  "id": 12345678901234567890\n}\n```']);
  });

  it("of many records has each as a part", async () => {
    const records = Array.from({ length: 100 }, (_, i) => ({ id: i, words: "some words" }));
    const [block] = (await documentOf("a.json", JSON.stringify(records))).blocks;
    expect(block).toMatchObject({ kind: "code", head: "```json\n", tail: "\n```" });
    expect(block?.kind === "heading" ? undefined : block?.parts[7]).toBe('{\n  "id": 7,\n  "words": "some words"\n}');
  });

  it("has its large properties below their names, and small ones together", async () => {
    const document = await documentOf("a.json", JSON.stringify({ version: 1, name: "x", paths: Object.fromEntries(Array.from({ length: 3 }, (_, i) => [`/p${i}`, { text: "w".repeat(900) }])), last: true }));
    expect(outlineOf(document).map((line) => line.split("\n", 3).join("\n"))).toEqual(['code: ```json\n{\n  "version": 1,', "# paths", 'code: ```json\n{\n  "/p0": {']);
    expect(document.blocks[0]?.text).toBe('```json\n{\n  "version": 1,\n  "name": "x",\n  "last": true\n}\n```');
  });

  it("may have comments, or be none at all", async () => {
    expect(outlineOf(await documentOf("tsconfig.json", '{\n  // why\n  "a": 1,\n}\n'))).toEqual(['code: ```json\n{\n  // why\n  "a": 1,\n}\n```']);
  });

  it("may hold nothing", async () => {
    for (const source of ["{}", " [] ", "null"]) expect(await reasonOf("a.json", source)).toBe("holds no text");
  });

  it("is read however deep, or refused", async () => {
    expect(await reasonOf("a.json", `${"[".repeat(200_000)}${"]".repeat(200_000)}`)).toBe("is nested too deeply to be read");
  });

  it("of one record to a line has each as a part, and keeps what is none", async () => {
    const { blocks } = await documentOf("a.jsonl", '{"a":1}\n\nnot json\n{"b":2}\n');
    expect(blocks).toMatchObject([{ parts: ['{\n  "a": 1\n}', '"not json"', '{\n  "b": 2\n}'] }]);
  });
});

describe("a notebook", () => {
  it("has its words, its code and the beginning of what that printed", async () => {
    const document = await documentOf("sales.ipynb", await readFile(join(fixtures, "notebook/sales.ipynb")));
    expect(document.metadata).toEqual({ title: "Sales" });
    expect(outlineOf(document)).toEqual([
      "# Sales by month", "prose: Counted from the *till*.",
      "code: ```python\ntotal = sum(sales)\nprint(total)\n```", "code: ```\nOutput:\n4213\n```",
      "code: ```python\n1 / 0\n```", "code: ```\nOutput:\nZeroDivisionError: division by zero\n```",
      "code: ```\nraw words\n```",
    ]);
  });

  it("shows long outputs in part", async () => {
    const cell = { cell_type: "code", source: "x", outputs: [{ output_type: "stream", text: "line\n".repeat(500) }] };
    const [, output] = outlineOf(await documentOf("a.ipynb", JSON.stringify({ cells: [cell] })));
    expect(output).toBe(`code: \`\`\`\nOutput:\n${"line\n".repeat(20)}…\n\`\`\``);
  });

  it("may be of the older kind, or none at all", async () => {
    const old = { worksheets: [{ cells: [{ cell_type: "heading", level: 2, source: ["Old"] }, { cell_type: "code", input: ["x = 1"], outputs: [] }] }] };
    expect(outlineOf(await documentOf("a.ipynb", JSON.stringify(old)))).toEqual(["## Old", "code: ```\nx = 1\n```"]);
    expect(await reasonOf("a.ipynb", '{"a":1}')).toBe("is no notebook: it has no cells");
    expect(await reasonOf("a.ipynb", "{")).toBe("is no notebook: it has no cells");
  });
});

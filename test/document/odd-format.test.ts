import { readFile } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { documentOf, outlineOf, reasonOf } from "../helpers/document.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

const note = withoutShared ? " (skipped: the shared test data is not beside this checkout)" : "";

async function read(name: string): Promise<Uint8Array> {
  return readFile(sharedData("docs", "odd-formats", name));
}

async function textOf(name: string): Promise<string> {
  return (await documentOf(name, await read(name))).blocks.map(({ text }) => text).join("\n");
}

function wordsOf(text: string): readonly string[] {
  return text.match(/[\p{L}\p{N}$%]+(?:[-.,/:][\p{L}\p{N}]+)*/gu) ?? [];
}

/** How many of the expected words come in the same order: the longest common subsequence, as a share. */
function shareInOrder(expected: readonly string[], actual: readonly string[]): number {
  let row: readonly number[] = [0, ...actual.map(() => 0)];
  for (const word of expected) {
    const next = [0];
    for (const [i, other] of actual.entries()) next.push(word === other ? (row[i] ?? 0) + 1 : Math.max(row[i + 1] ?? 0, next[i] ?? 0));
    row = next;
  }
  return (row.at(-1) ?? 0) / expected.length;
}

describe.skipIf(withoutShared)(`a real file of an odd format${note}`, () => {
  it("that is an invoice as PDF has all the words of its expected text in order, in the same tables", async () => {
    const name = "SPARSE-2024-INV-1234_borderless_table.pdf";
    const expected = new TextDecoder().decode(await read("expected.SPARSE-2024-INV-1234_borderless_table.md"));
    const text = await textOf(name);
    expect(shareInOrder(wordsOf(expected), wordsOf(text))).toBe(1);
    const rowsOf = (markdown: string): readonly string[] => markdown.split("\n").filter((line) => line.startsWith("|") && !line.includes("---")).map((line) => line.replaceAll(/ +/g, " "));
    expect(rowsOf(text)).toEqual(rowsOf(expected));
  });

  it("that is a paper as PDF has its sentences whole", async () => {
    const text = await textOf("test.pdf");
    expect(text).toContain("While there is contemporaneous exploration of multi-agent approaches,3 we present AutoGen, a generalized multi-agent conversation framework");
    expect(text).toContain("because chat-optimized LLMs (e.g., GPT-4) show the ability to incorporate feedback");
    expect(text).toContain("frameworks with generic abstraction".replace("frameworks", "framework"));
  });

  it("that is a Word document has its headings, its table and its text", async () => {
    const lines = outlineOf(await documentOf("test.docx", await read("test.docx")));
    expect(lines.filter((line) => line.startsWith("#"))).toEqual(["# AutoGen: Enabling Next-Gen LLM Applications via Multi-Agent Conversation", "## Abstract", "## Introduction", "### d666f1f7-46cb-42bd-9a39-9a39cf2a509f"]);
    expect(lines.join("\n")).toContain("314b0a30-5b04-470b-b9f7-eed2c2bec74a");
    expect(lines.join("\n")).toContain("| 13 | 14 | 49e168b7-d2ae-407f-a055-2167576f39a1 | 15 | 16 | 17 |");
  });

  it("that is a blog post as HTML has its text and none of its menus", async () => {
    const document = await documentOf("test_blog.html", await read("test_blog.html"));
    const text = document.blocks.map((block) => block.text).join("\n");
    expect(outlineOf(document)[0]).toBe("# Does Model and Inference Parameter Matter in LLM Applications? - A Case Study for MATH");
    expect(text).toContain("Large language models (LLMs) are powerful tools that can generate natural language texts for various applications, such as chatbots, summarization, translation, and more.");
    expect(text).toContain("an example where high cost can easily prevent a generic complex task to be accomplished as it needs many LLM inference calls.");
    for (const menu of ["Recent posts", "Copyright", "Skip to main content", "Newer Post"]) expect(text).not.toContain(menu);
    expect(document.metadata).toMatchObject({ language: "en", description: "level 2 algebra" });
  });

  it("that is a notebook, a JSON file or a CSV file in Shift-JIS has all its words", async () => {
    expect(await textOf("test_notebook.ipynb")).toBe('Test Notebook\n```python\nprint("markitdown")\n```\n```\nOutput:\nmarkitdown\n```\nCode Cell Below\n```python\n# comment in code\nprint(42)\n```\n```\nOutput:\n42\n```\nEnd');
    const json = await textOf("test.json");
    expect(shareInOrder(wordsOf(new TextDecoder().decode(await read("test.json"))), wordsOf(json))).toBe(1);
    expect(await textOf("test_mskanji.csv")).toBe("| 名前 | 年齢 | 住所 |\n| --- | --- | --- |\n| 佐藤太郎 | 30 | 東京 |\n| 三木英子 | 25 | 大阪 |\n| 髙橋淳 | 35 | 名古屋 |");
  });

  it("that is none is refused, whatever it is called", async () => {
    const bytes = await read("random.bin");
    for (const path of ["a.txt", "a.md", "a.html", "a.csv"]) expect(await reasonOf(path, bytes)).toBe("is binary, not text");
  });
});

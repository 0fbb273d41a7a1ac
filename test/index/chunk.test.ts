import { describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { chunkDocument, type ChunkText } from "../../src/index/chunk.ts";
import { loadBlocks } from "../../src/document/read.ts";
import { countTokens } from "../../src/index/token.ts";

function chunk(source: string, maxTokens = 400, overlapTokens = 50): readonly ChunkText[] {
  return chunkDocument("docs/a.md", loadBlocks(source, "markdown"), { maxTokens, overlapTokens });
}
const texts = (chunks: readonly ChunkText[]): readonly string[] => chunks.map(({ text }) => text);
const words = (count: number, word = "word"): string => Array.from({ length: count }, (_, i) => `${word}${i}`).join(" ");

describe("chunks", () => {
  it("never cross a heading and know the headings above them", () => {
    const chunks = chunk("Before.\n\n# A\n\nOne.\n\n### Deep\n\nTwo.\n\n## B\n\nThree.\n\n# C\n\nFour.");
    expect(chunks.map(({ headings, text }) => [headings.join(" > "), text])).toEqual([
      ["", "Before."], ["A", "One."], ["A > Deep", "Two."], ["A > B", "Three."], ["C", "Four."],
    ]);
  });

  it("hold several blocks of a section as long as they fit", () => {
    expect(texts(chunk("# A\n\nOne.\n\n- x\n- y\n\n```\ncode\n```"))).toEqual(["One.\n\n- x\n- y\n\n```\ncode\n```"]);
  });

  it("stand for a heading without text when nothing is below it", () => {
    expect(chunk("# Title\n\n## Empty\n\n## Full\n\nText").map(({ headings, text }) => [headings.join(" > "), text])).toEqual([
      ["Title > Empty", "Empty"], ["Title > Full", "Text"],
    ]);
  });

  it("are cut between blocks before a block is cut", () => {
    const first = `${words(30)}.`;
    const second = `${words(30, "other")}.`;
    expect(texts(chunk(`${first}\n\n${second}`, 80, 0))).toEqual([first, second]);
  });

  it("repeat the last sentences of the chunk before, up to the overlap", () => {
    const sentences = Array.from({ length: 8 }, (_, i) => `Sentence ${i} has some words.`);
    const size = countTokens(sentences[0] ?? "");
    const chunks = texts(chunk(sentences.join(" "), size * 3, size));
    expect(chunks).toEqual([
      sentences.slice(0, 3).join(" "), sentences.slice(2, 5).join(" "), sentences.slice(4, 7).join(" "), sentences.slice(6, 8).join(" "),
    ]);
  });

  it("never overlap across a heading or out of a list, table or listing", () => {
    const list = Array.from({ length: 12 }, (_, i) => `- entry number ${i}`).join("\n");
    const chunks = texts(chunk(`# A\n\nText before.\n\n# B\n\n${list}`, 20, 10));
    expect(chunks.join("\n").match(/entry number/g)).toHaveLength(12);
    expect(chunks.filter((text) => text.includes("Text before."))).toHaveLength(1);
  });

  it("repeat the header of a table that is cut, and the fence of a listing", () => {
    const rows = Array.from({ length: 10 }, (_, i) => `| cell ${i} | value ${i} |`).join("\n");
    const tables = texts(chunk(`| Name | Value |\n| --- | --- |\n${rows}`, 60, 0));
    expect(tables.length).toBeGreaterThan(1);
    expect(tables.every((text) => text.startsWith("| Name | Value |\n| --- | --- |\n| cell"))).toBe(true);
    expect(tables.join("\n").match(/value \d/g)).toHaveLength(10);
    const lines = Array.from({ length: 20 }, (_, i) => `  call(${i});`).join("\n");
    const listings = texts(chunk(`\`\`\`ts\n${lines}\n\`\`\``, 40, 0));
    expect(listings.every((text) => /^```ts\n {2}call\(\d+\);[\s\S]*\n```$/.test(text))).toBe(true);
  });

  it.each([
    ["a long sentence", words(500)],
    ["a long word", "x".repeat(20_000)],
    ["Japanese without a space", "設定は環境変数に格納する".repeat(200)],
    ["Japanese sentences", "設定は環境変数に格納する。".repeat(200)],
    ["emoji", "👍🏽".repeat(1000)],
    ["rare ideographs", "𠮷".repeat(1000)],
    ["a table with a long row", `| a | b |\n| - | - |\n| ${words(300)} | y |`],
    ["a listing with a long line", `\`\`\`\n${words(300)}\n\`\`\``],
    ["a list with a long item", `- ${words(300)}\n- short`],
    ["a long quote", `> ${words(300)}`],
  ])("of %s are never longer than the limit, well formed, and lose nothing", (_, source) => {
    const signs = (text: string): number => text.replaceAll(/[\s`|-]/g, "").length;
    for (const overlap of [0, 20, 64]) {
      const chunks = texts(chunk(source, 64, overlap));
      expect(Math.max(...chunks.map(countTokens))).toBeLessThanOrEqual(64);
      expect(chunks.every((text) => text.isWellFormed() && text.trim() !== "")).toBe(true);
      expect(signs(chunks.join(""))).toBeGreaterThanOrEqual(signs(source));
    }
  });
});

describe("chunk IDs", () => {
  const source = "# A\n\nFirst.\n\n## B\n\nSecond.\n\n## C\n\nThird.";

  it("change only in the section that was edited", () => {
    const before = chunk(source);
    const after = chunk(source.replace("Second.", "Second, edited."));
    expect(after.map(({ id }, i) => id === before[i]?.id)).toEqual([true, false, true]);
    expect(after.map(({ textDigest }, i) => textDigest === before[i]?.textDigest)).toEqual([true, false, true]);
  });

  it("stay when a section is put in front", () => {
    const ids = new Set(chunk(source).map(({ id }) => id));
    const after = chunk(source.replace("## B", "## New\n\nText.\n\n## B"));
    expect(after.filter(({ id }) => ids.has(id))).toHaveLength(3);
  });

  it("differ for the same text under the same heading, twice in one document", () => {
    const [first, second] = chunk("# A\n\nSame.\n\n# A\n\nSame.");
    expect(first?.textDigest).toBe(second?.textDigest);
    expect(first?.id).not.toBe(second?.id);
  });

  it("differ between documents, while the text to embed is the same", () => {
    const blocks = loadBlocks(source, "markdown");
    const sizes = { maxTokens: 400, overlapTokens: 50 };
    const [here, there] = [chunkDocument("a.md", blocks, sizes), chunkDocument("b.md", blocks, sizes)];
    expect(here[0]?.id).not.toBe(there[0]?.id);
    expect(here[0]?.textDigest).toBe(there[0]?.textDigest);
  });

  it("rest on the digest of headings and text, which is what gets embedded", () => {
    expect(chunk(source)[1]?.textDigest).toBe(digestOf("A > B\n\nSecond."));
  });
});

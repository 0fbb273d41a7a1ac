import { beforeAll, describe, expect, it } from "vitest";
import { digestOf } from "../../src/core/descriptor.ts";
import { markdownBlocks } from "../../src/document/markdown.ts";
import { type Block, proseBlock } from "../../src/document/schema.ts";
import { chunkDocument, type ChunkText, embeddedText } from "../../src/index/chunk.ts";
import { openTokenizer, type Tokenizer } from "../../src/index/tokenizer.ts";
import { withoutShared } from "../helpers/shared.ts";
import { documentArchives, sharedDocuments } from "../helpers/shared-documents.ts";

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await openTokenizer();
});

const countTokens = (text: string): number => tokenizer.count(text);
function chunkBlocks(blocks: readonly Block[], maxTokens = 400, overlapTokens = 50): readonly ChunkText[] {
  return chunkDocument("docs/a.md", blocks, { maxTokens, overlapTokens, tokenizer });
}
function chunk(source: string, maxTokens?: number, overlapTokens?: number): readonly ChunkText[] {
  return chunkBlocks(markdownBlocks(source, "markdown"), maxTokens, overlapTokens);
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
    // With the space before it.
    const size = countTokens(sentences[0] ?? "") + 1;
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
    for (const overlap of [0, 20, 64]) {
      const chunks = chunk(source, 64, overlap);
      expect(tooLong(chunks, 64)).toEqual([]);
      expect(chunks.every(({ text }) => text.isWellFormed() && text.trim() !== "")).toBe(true);
      const [found, wanted] = compared(markdownBlocks(source, "markdown"), chunk(source, 64, 0));
      expect(found).toBe(wanted);
    }
  });
});

/** Chunks above the limit, with their headings, by the real tokenizer; and what the ledger says of them must not be less. */
function tooLong(chunks: readonly ChunkText[], maxTokens: number): readonly string[] {
  const found = chunks.map(({ headings, text, tokens }) => ({ real: countTokens(embeddedText(headings, text)), tokens, text }));
  return found.filter(({ real, tokens }) => real > maxTokens || tokens > maxTokens || tokens < real).map(({ real, tokens, text }) => `${real} tokens (${tokens} in the ledger): ${text.slice(0, 60)}`);
}

/** Every character of the text, without white space (which may change) and without the heads and fences, which are repeated. */
function allText(texts: readonly string[], blocks: readonly Block[]): string {
  const frames = new Set(blocks.flatMap((block) => (block.kind === "heading" ? [] : [block.head ?? "", block.tail ?? ""])).map((frame) => frame.replaceAll(/\s/g, "")));
  const all = texts.join("\n").replaceAll(/\s/g, "");
  return [...frames].filter((frame) => frame !== "").sort((left, right) => right.length - left.length).reduce((text, frame) => text.replaceAll(frame, ""), all);
}

/** A heading with nothing below it is a chunk of its own. */
function isAlone(depth: number, next: Block | undefined): boolean {
  return next === undefined || (next.kind === "heading" && next.depth <= depth);
}

/** What stands in the chunks (cut without overlap), and what should. */
function compared(blocks: readonly Block[], chunks: readonly ChunkText[]): readonly [found: string, wanted: string] {
  const wanted = blocks.filter((block, i) => block.kind !== "heading" || block.text.length > 200 || isAlone(block.depth, blocks[i + 1]));
  return [allText(chunks.map(({ text }) => text), blocks), allText(wanted.map(({ text }) => text), blocks)];
}

/** Where two texts begin to differ, short enough to read. */
function differenceOf(found: string, wanted: string): readonly string[] | undefined {
  if (found === wanted) return undefined;
  let at = 0;
  while (found[at] === wanted[at]) at++;
  return [found, wanted].map((text) => text.slice(Math.max(0, at - 40), at + 40));
}

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
    const blocks = markdownBlocks(source, "markdown");
    const sizes = { maxTokens: 400, overlapTokens: 50, tokenizer };
    const [here, there] = [chunkDocument("a.md", blocks, sizes), chunkDocument("b.md", blocks, sizes)];
    expect(here[0]?.id).not.toBe(there[0]?.id);
    expect(here[0]?.textDigest).toBe(there[0]?.textDigest);
  });

  it("rest on the digest of headings and text, which is what gets embedded", () => {
    expect(chunk(source)[1]?.textDigest).toBe(digestOf("A > B\n\nSecond."));
  });
});

describe("headings", () => {
  it("take no more than half of a chunk: the nearest ones stay", () => {
    const blocks: readonly Block[] = [1, 2, 3, 4].map((depth): Block => ({ kind: "heading", depth, text: `Heading ${depth} ${words(10, "long")}` }));
    const chunks = chunkBlocks([...blocks, proseBlock(words(100))], 120, 0);
    expect(tooLong(chunks, 120)).toEqual([]);
    expect(chunks[0]?.headings.at(-1)).toBe(`Heading 4 ${words(10, "long")}`);
    expect(chunks[0]?.headings.length).toBeLessThan(4);
  });

  it.each([16, 24, 64, 400])("of any length leave every chunk below %i tokens", (maxTokens) => {
    for (const text of [words(60, "heading"), "設定は環境変数に格納する".repeat(15), "x".repeat(200), "👩‍👩‍👧".repeat(60)]) {
      const blocks: readonly Block[] = [{ kind: "heading", depth: 1, text }, { kind: "heading", depth: 2, text }, proseBlock(words(50))];
      const chunks = chunkBlocks(blocks, maxTokens, 10);
      expect(tooLong(chunks, maxTokens)).toEqual([]);
      expect(chunks[0]?.headings.length).toBeGreaterThan(0);
      expect(chunks.every(({ headings }) => headings.every((heading) => heading.isWellFormed() && heading !== ""))).toBe(true);
    }
  });

  it("that are whole paragraphs are text as well, so that no word of them is lost", () => {
    const chunks = chunk(`# ${words(200, "title")}\n\nBody.`);
    expect(chunks.map(({ text }) => text).join(" ")).toContain("title199");
    expect(chunks[0]?.headings[0]).toMatch(/^title0 title1 /);
    expect(chunks[0]?.headings[0]?.length).toBeLessThanOrEqual(200);
  });
});

describe("pages", () => {
  it("are those on which a chunk begins", () => {
    const onPage = (text: string, page: number): Block => ({ ...proseBlock(text), page });
    const chunks = chunkBlocks([onPage(`${words(50)}.`, 1), onPage(`${words(50, "other")}.`, 2), onPage("Last.", 3)], 200, 0);
    expect(chunks.map(({ page, text }) => [page, text.slice(0, 5)])).toEqual([[1, "word0"], [2, "other"]]);
    expect(chunks[1]?.text).toContain("Last.");
  });

  it("of a chunk that repeats the end of another is the page of what it repeats", () => {
    const chunks = chunkBlocks([{ ...proseBlock(`${words(50)}. A last sentence.`), page: 1 }, { ...proseBlock(words(50, "other")), page: 2 }], 180, 20);
    expect(chunks[1]).toMatchObject({ page: 1, text: expect.stringMatching(/^A last sentence\.\n\nother0 /) as string });
  });

  it("stand on lone headings too, and nowhere where there are none", () => {
    expect(chunkBlocks([{ kind: "heading", depth: 1, text: "Alone", page: 4 }])).toMatchObject([{ page: 4, text: "Alone" }]);
    expect(chunk("# A\n\nText")[0]).not.toHaveProperty("page");
  });
});

describe("odd text", () => {
  it("gets a form that can be stored: lone surrogates are replaced", () => {
    const chunks = chunkBlocks([{ kind: "heading", depth: 1, text: "A \ud800 b" }, proseBlock("c \udc00 d")]);
    expect(chunks).toMatchObject([{ headings: ["A \ufffd b"], text: "c \ufffd d" }]);
  });

  it("gives no chunk where there is nothing to read", () => {
    expect(chunkBlocks([])).toEqual([]);
    expect(chunkBlocks([{ kind: "heading", depth: 1, text: "" }, proseBlock(" \n "), { kind: "list", text: "", parts: [] }])).toEqual([]);
  });
});

/** Documents of headings, prose, lists, tables and code in several scripts; the same ones every time. */
function randomDocument(seed: number): readonly Block[] {
  let state = seed * 7919 + 1;
  const below = (limit: number): number => (state = (state * 48_271) % 2_147_483_647) % limit;
  const pick = <Item>(items: readonly Item[]): Item => items[below(items.length)] as Item;
  const vocabulary = ["config", "the", "Umgebungsvariable", "設定", "環境変数に格納する。", "การตั้งค่า", "متغيرات", "👩‍👩‍👧", "e\u0301\u0323", "3.14", "a,b;c", "fn(x)", "https://example.com/a?b=c", "x".repeat(below(300)), "𠮷"];
  const sentence = (): string => `${Array.from({ length: 1 + below(40) }, () => pick(vocabulary)).join(pick([" ", " ", ""]))}${pick([". ", "。", "! ", "\n", " "])}`;
  const text = (): string => Array.from({ length: 1 + below(12) }, sentence).join("").trim();
  const line = (): string => text().replaceAll("\n", " ");
  return Array.from({ length: 1 + below(14) }, (): Block => {
    const kind = pick(["heading", "prose", "prose", "list", "table", "code"] as const);
    if (kind === "heading") return { kind, depth: 1 + below(4), text: line().slice(0, 10 + below(100)).toWellFormed().trim() };
    if (kind === "prose") return proseBlock(text());
    const parts = Array.from({ length: 1 + below(20) }, line);
    const [head, tail] = kind === "table" ? [`| ${line().slice(0, 80).toWellFormed()} |\n| --- |\n`, ""] : kind === "code" ? ["```ts\n", "\n```"] : ["", ""];
    return { kind, text: `${head}${parts.join("\n")}${tail}`, parts, head, tail };
  });
}

describe("whatever a document is made of", () => {
  it.each([[16, 0], [40, 10], [120, 60], [400, 50], [1000, 999]])("no chunk is longer than %i tokens (overlap %i), nothing is lost, every ID is its own", (maxTokens, overlapTokens) => {
    for (let seed = 1; seed <= 10; seed++) {
      const blocks = randomDocument(seed);
      const chunks = chunkBlocks(blocks, maxTokens, overlapTokens);
      expect([seed, tooLong(chunks, maxTokens)]).toEqual([seed, []]);
      const [found, wanted] = compared(blocks, chunkBlocks(blocks, maxTokens, 0));
      expect([seed, differenceOf(found, wanted)]).toEqual([seed, undefined]);
      expect(new Set(chunks.map(({ id }) => id)).size).toBe(chunks.length);
      expect(chunks.every(({ text, headings }) => text.isWellFormed() && headings.every((heading) => heading.isWellFormed()))).toBe(true);
      expect(chunkBlocks(blocks, maxTokens, overlapTokens)).toEqual(chunks);
    }
  });

  it("an edit in one section changes no ID of another", () => {
    for (let seed = 1; seed <= 15; seed++) {
      const before = randomDocument(seed);
      const edited = before.findIndex(({ kind }) => kind === "prose");
      if (edited < 0) continue;
      const after = before.with(edited, proseBlock("Something else stands here now."));
      const path = (blocks: readonly Block[], at: number): number => blocks.slice(0, at + 1).findLastIndex(({ kind }) => kind === "heading");
      const start = path(before, edited);
      const next = before.findIndex(({ kind }, i) => i > edited && kind === "heading");
      const others = chunkBlocks(before).map(({ id }) => id);
      const alone = new Set(chunkBlocks(before.slice(Math.max(0, start), next < 0 ? undefined : next)).map(({ text }) => text));
      const kept = new Set(chunkBlocks(after).map(({ id }) => id));
      const gone = chunkBlocks(before).filter(({ id }) => !kept.has(id));
      expect(others.length).toBeGreaterThan(0);
      expect(gone.filter(({ text }) => !alone.has(text))).toEqual([]);
    }
  });
});

const note = withoutShared ? " (skipped: the shared test data is not beside this checkout)" : "";

describe.skipIf(withoutShared)(`real documentation${note}`, () => {
  it.each(documentArchives)("is cut within the limit and without loss: %s", (archive) => {
    const sizes = archive.startsWith("vercel") ? ([[400, 50]] as const) : ([[400, 50], [100, 30]] as const);
    for (const [maxTokens, overlapTokens] of sizes) {
      for (const { path, text } of sharedDocuments(archive)) {
        const blocks = markdownBlocks(text.replace(/^\ufeff/, ""), path.endsWith("x") ? "mdx" : "markdown");
        const chunks = chunkDocument(path, blocks, { maxTokens, overlapTokens, tokenizer });
        expect([path, tooLong(chunks, maxTokens)]).toEqual([path, []]);
        const [found, wanted] = compared(blocks, chunkDocument(path, blocks, { maxTokens, overlapTokens: 0, tokenizer }));
        expect([path, differenceOf(found, wanted)]).toEqual([path, undefined]);
        expect(chunks.filter((each) => !each.text.isWellFormed() || /^\p{M}/u.test(each.text))).toEqual([]);
      }
    }
  });

  it("in Japanese and Chinese is cut at sentence marks wherever a sentence fits", () => {
    const documents = sharedDocuments("twelve-factor.tar.gz").filter(({ path }) => /\/(ja|zh_cn|zh_tw|zh)\//.test(path));
    expect(documents.length).toBeGreaterThan(10);
    for (const { path, text } of documents) {
      const blocks = markdownBlocks(text.replace(/^\ufeff/, ""), "markdown").filter(({ kind }) => kind === "prose");
      const longest = Math.max(...blocks.flatMap((block) => block.text.split(/(?<=[。！？])|\n/).map(countTokens)));
      const chunks = chunkDocument(path, blocks, { maxTokens: Math.max(80, longest + 8), overlapTokens: 0, tokenizer });
      const ends = new Set(blocks.flatMap((block) => block.text.split(/(?<=[。！？])|\n/).map((sentence) => sentence.trim().slice(-6))));
      expect([path, chunks.map(({ text: each }) => each.slice(-6)).filter((end) => ![...ends].some((known) => known.endsWith(end) || end.endsWith(known)))]).toEqual([path, []]);
    }
  });
});

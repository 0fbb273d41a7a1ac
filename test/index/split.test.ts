import { beforeAll, describe, expect, it } from "vitest";
import { proseBlock, type TextBlock } from "../../src/document/schema.ts";
import { type Count, splitBlock, splitProse } from "../../src/index/split.ts";
import { openTokenizer } from "../../src/index/tokenizer.ts";

let count: Count;
beforeAll(async () => {
  const tokenizer = await openTokenizer();
  count = (text) => tokenizer.count(text);
});

const textsOf = (block: TextBlock, maxTokens: number): readonly string[] => splitBlock(block, { maxTokens, count }).map(({ text }) => text);
const words = (length: number, word = "word"): string => Array.from({ length }, (_, i) => `${word}${i}`).join(" ");
const withoutSpace = (text: string): string => text.replaceAll(/\s/g, "");

describe("a block that fits", () => {
  it.each(["prose", "list", "table", "code"] as const)("is one piece: %s", (kind) => {
    const block: TextBlock = { kind, text: "as it\n\n  stands ", parts: ["as it", "stands"], head: "head", tail: "tail" };
    expect(splitBlock(block, { maxTokens: 20, count })).toEqual([{ text: block.text, tokens: count(block.text) + 1, gap: "\n\n", isProse: kind === "prose" }]);
  });

  it("fits with the gap before it, to the token", () => {
    const text = words(30);
    expect(textsOf(proseBlock(text), count(text) + 1)).toHaveLength(1);
    expect(textsOf(proseBlock(text), count(text)).length).toBeGreaterThan(1);
  });

  it("keeps its page, whole or in pieces", () => {
    const block: TextBlock = { ...proseBlock(`${words(40)}. ${words(40)}.`), page: 7 };
    for (const maxTokens of [1000, 30]) expect(new Set(splitBlock(block, { maxTokens, count }).map(({ page }) => page))).toEqual(new Set([7]));
    expect(splitBlock(proseBlock("no page"), { maxTokens: 30, count })[0]).not.toHaveProperty("page");
  });
});

describe("long prose", () => {
  it.each([
    ["English", "One two three. Four five six! Seven eight nine? Ten.", ["One two three.", "Four five six!", "Seven eight nine?", "Ten."]],
    ["quoted", 'He said "one." She said (two.) Then “three.” End.', ['He said "one."', "She said (two.)", "Then “three.”", "End."]],
    ["numbers", "Version 1.5 is out. Pi is 3.14 here.", ["Version 1.5 is out.", "Pi is 3.14 here."]],
    ["Japanese", "設定を格納する。環境変数に！本当？はい。", ["設定を格納する。", "環境変数に！", "本当？", "はい。"]],
    ["Hindi", "पहला वाक्य। दूसरा वाक्य।", ["पहला वाक्य।", "दूसरा वाक्य।"]],
    ["Urdu", "پہلا جملہ۔ دوسرا جملہ۔", ["پہلا جملہ۔", "دوسرا جملہ۔"]],
    ["lines", "first line\nsecond line\n\nthird", ["first line", "second line", "third"]],
    ["dots", "Wait… More…", ["Wait…", "More…"]],
  ])("is cut between sentences: %s", (_, text, sentences) => {
    expect(splitProse(text, { maxTokens: 400, count }).map((piece) => piece.text)).toEqual(sentences);
  });

  it("is cut between words where a sentence is too long, and every piece but the last is nearly full", () => {
    const pieces = splitBlock(proseBlock(words(300)), { maxTokens: 50, count });
    expect(pieces.map(({ text }) => text).join(" ")).toBe(words(300));
    expect(Math.min(...pieces.slice(0, -1).map(({ tokens }) => tokens))).toBeGreaterThan(45);
    expect(Math.max(...pieces.map(({ tokens }) => tokens))).toBeLessThanOrEqual(50);
  });

  it("of short sentences among a long one keeps the short ones whole", () => {
    expect(textsOf(proseBlock(`Short one. ${words(60)}. Short two.`), 40)).toEqual(expect.arrayContaining(["Short one.", "Short two."]));
  });
});

describe("words without an end", () => {
  it.each([
    ["letters", "x".repeat(5000)],
    ["Japanese", "設定は環境変数に格納する".repeat(100)],
    ["Thai", "เก็บการตั้งค่าไว้ในสภาพแวดล้อมน้ำ".repeat(60)],
    ["Burmese", "မြန်မာဘာသာစကားပြော".repeat(60)],
    ["rare ideographs", "𠮷野家".repeat(300)],
    ["letters with marks", "e\u0301\u0323a\u0300".repeat(400)],
    ["Devanagari", "परिवर्तनशीलतासंग्रहण".repeat(60)],
  ])("are cut between characters, and never before a mark or inside a pair: %s", (_, text) => {
    for (const maxTokens of [20, 33, 64]) {
      const pieces = splitBlock(proseBlock(text), { maxTokens, count });
      expect(Math.max(...pieces.map(({ tokens }) => tokens))).toBeLessThanOrEqual(maxTokens);
      expect(withoutSpace(pieces.map((piece) => piece.text).join(""))).toBe(text);
      const parts = pieces.flatMap((piece) => piece.text.split(" "));
      expect(parts.filter((part) => !part.isWellFormed() || /^\p{M}/u.test(part))).toEqual([]);
    }
  });

  it.each([
    ["families", "👨‍👩‍👧‍👦", 400],
    ["skin tones", "👍🏽", 600],
    ["hearts with a style", "❤️‍🔥", 400],
  ])("keep an emoji in one piece: %s", (_, emoji, times) => {
    const pieces = splitBlock(proseBlock(emoji.repeat(times)), { maxTokens: 64, count });
    expect(pieces.flatMap(({ text }) => text.split(" ")).filter((part) => part.replaceAll(emoji, "") !== "")).toEqual([]);
    expect(Math.max(...pieces.map(({ tokens }) => tokens))).toBeLessThanOrEqual(64);
  });

  it.each([
    ["one letter under a thousand marks", `a${"\u0301".repeat(1000)}`],
    ["many letters before a thousand marks", `${"abcdefgh".repeat(100)}${"\u0301".repeat(1000)}`],
    ["a chain of joiners", `👨${"\u200d".repeat(1000)}`],
    ["nothing but low surrogates", "\udc00".repeat(500)],
  ])("are cut all the same where there is no better place: %s", (_, text) => {
    const pieces = splitBlock(proseBlock(text), { maxTokens: 32, count });
    expect(Math.max(...pieces.map(({ tokens }) => tokens))).toBeLessThanOrEqual(32);
    expect(withoutSpace(pieces.map((piece) => piece.text).join(""))).toBe(text);
  });
});

describe("tables, lists and code", () => {
  const rows = Array.from({ length: 30 }, (_, i) => `| cell ${i} | value ${i} |`);
  const head = "| Name | Value |\n| --- | --- |\n";
  const table = (header: string, body: readonly string[]): TextBlock => ({ kind: "table", text: `${header}${body.join("\n")}`, parts: body, head: header });

  it("are cut between their parts, as many to a piece as fit", () => {
    const pieces = splitBlock({ kind: "list", text: rows.join("\n"), parts: rows }, { maxTokens: 60, count });
    expect(pieces.map(({ text }) => text).join("\n")).toBe(rows.join("\n"));
    expect(Math.min(...pieces.slice(0, -1).map(({ tokens }) => tokens))).toBeGreaterThan(40);
    expect(pieces.every(({ isProse }) => !isProse)).toBe(true);
    expect(pieces.map(({ gap }) => gap)).toEqual(["\n\n", ...pieces.slice(1).map(() => "\n")]);
  });

  it("repeat a table's header in every piece, and each row comes once", () => {
    const texts = textsOf(table(head, rows), 80);
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.every((text) => text.startsWith(head))).toBe(true);
    expect(texts.map((text) => text.slice(head.length)).join("\n")).toBe(rows.join("\n"));
  });

  it("repeat a listing's fence and language in every piece, and keep the indentation", () => {
    const lines = Array.from({ length: 40 }, (_, i) => `${"  ".repeat(i % 3)}call(${i});`);
    const texts = textsOf({ kind: "code", text: `\`\`\`ts\n${lines.join("\n")}\n\`\`\``, parts: lines, head: "```ts\n", tail: "\n```" }, 60);
    expect(texts.length).toBeGreaterThan(2);
    expect(texts.every((text) => text.startsWith("```ts\n") && text.endsWith("\n```"))).toBe(true);
    expect(texts.map((text) => text.slice("```ts\n".length, -"\n```".length)).join("\n")).toBe(lines.join("\n"));
  });

  it("say a header once, in front, where repeating it would take too much of each piece", () => {
    const wide = `| ${Array.from({ length: 12 }, (_, i) => `Long column name ${i}`).join(" | ")} |\n| ${Array.from({ length: 12 }, () => "---").join(" | ")} |\n`;
    const texts = textsOf(table(wide, rows), 120);
    expect(withoutSpace(texts.join(""))).toBe(withoutSpace(wide + rows.join("")));
    expect(Math.max(...texts.map((text) => count(text)))).toBeLessThan(120);
  });

  it("lose nothing of a row, item or line that is too long for a piece", () => {
    const long = `| ${words(200)} | end |`;
    const texts = textsOf(table(head, ["| a | b |", long, "| c | d |"]), 60);
    expect(withoutSpace(texts.map((text) => text.slice(head.length)).join(""))).toBe(withoutSpace(`| a | b |${long}| c | d |`));
    expect(Math.max(...texts.map((text) => count(text)))).toBeLessThan(60);
  });

  it("leave out pieces that would hold nothing but empty lines", () => {
    const lines = ["first();", ...Array.from({ length: 400 }, () => ""), "last();"];
    const texts = textsOf({ kind: "code", text: lines.join("\n"), parts: lines }, 40);
    expect(texts.every((text) => text.trim() !== "")).toBe(true);
    expect(withoutSpace(texts.join(""))).toBe("first();last();");
  });
});

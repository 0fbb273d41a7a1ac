import { countTokens } from "gpt-tokenizer/encoding/cl100k_base";
import { beforeAll, describe, expect, it } from "vitest";
import { openTokenizer, type Tokenizer } from "../../src/index/tokenizer.ts";
import { withoutShared } from "../helpers/shared.ts";
import { documentArchives, sharedDocuments } from "../helpers/shared-documents.ts";

const note = withoutShared ? " (skipped: the shared test data is not beside this checkout)" : "";
const asText = { disallowedSpecial: new Set<string>() };

let tokenizer: Tokenizer;
beforeAll(async () => {
  tokenizer = await openTokenizer();
});

const samples: Readonly<Record<string, string>> = {
  English: "It's what they'd said: we'll see, they've gone, I'M here, DON'T. Words-with-hyphens, e.g. \"quoted\".",
  German: "Straßenbahnhaltestelle, Größe, ÄÖÜ, naïve Übergänge – und so weiter …",
  Greek: "Αποθήκευση ρυθμίσεων στο περιβάλλον",
  Russian: "Журнал событий пишется в стандартный поток вывода.",
  Arabic: "يخزن التطبيق إعداداته في متغيرات البيئة.",
  Hebrew: "האפליקציה שומרת את ההגדרות במשתני סביבה",
  Hindi: "एप्लिकेशन अपनी सेटिंग्स को पर्यावरण में रखता है।",
  Thai: "เก็บการตั้งค่าไว้ในสภาพแวดล้อม",
  Burmese: "မြန်မာဘာသာ စကားပြော",
  Japanese: "アプリケーションの設定は環境変数に格納する。ｶﾀｶﾅ",
  Chinese: "应用程序的配置应当存储在环境变量中。𠮷野家",
  Korean: "애플리케이션 설정을 환경 변수에 저장한다.",
  "combining marks": "e\u0301a\u0300\u0323 ͅι ᾳ ﬃ ſtop it'ſ",
  emoji: "👩‍👩‍👧‍👦 👍🏽 🇦🇹 ☕️ 1️⃣",
  "lone surrogates": "a\ud800b \udc00\udc00 \ud83d",
  "control tokens": "<|endoftext|> <|im_start|>user<|im_end|> <|fim_prefix|> <|notone|>",
  code: "const port = Number(process.env.PORT ?? 3000); // 0.0.0.0\n\tif (a&&b||!c) { return `x${y}`; }\r\n",
  digits: "1 12 123 1234 12345 3.14159 2024-02-29 ٣٤٥ ½ Ⅷ",
  "runs of white space": "a  b   c\n\n\nd \n \t e\r\n\r\n  f\u00a0g\u3000h \n",
  "nothing but white space": " \n\t \r\n  ",
  signs: "!!!??? ---- ==== **bold** | a | b |\n|---|---|\n«…»",
  URLs: "https://example.com/a%20b?c=d&e=f#g user@example.com C:\\temp\\x.md",
  "control characters": "\u0000\u0007\u001b[31mred\u001b[0m\ufeff\u200b",
};

/** Texts of pieces that meet in unlikely ways; the same ones every time. */
function randomTexts(count: number): readonly string[] {
  const pieces = ["a", "Be", "'s", "'LL", "'", "1", "4711", " ", "  ", "\n", "\r\n", "\t", "\u3000", ".", "!!", "é", "語", "😀", "\u0301", "\ud800", "ภา", "م", "<|endoftext|>", "_", "ſ"];
  let state = 42;
  const next = (below: number): number => (state = (state * 48_271) % 2_147_483_647) % below;
  return Array.from({ length: count }, () => Array.from({ length: 1 + next(10) }, () => pieces[next(pieces.length)] ?? "").join(""));
}

describe("the tokenizer", () => {
  it("has the name that stands in every index", () => {
    expect(tokenizer.name).toBe("cl100k_base");
  });

  it.each(Object.entries(samples))("counts %s as the library does", (_, text) => {
    expect(tokenizer.count(text)).toBe(countTokens(text, asText));
    // A second time, from what it has remembered.
    expect(tokenizer.count(text)).toBe(countTokens(text, asText));
  });

  it("counts any mixture of these as the library does", () => {
    expect(randomTexts(5000).filter((text) => tokenizer.count(text) !== countTokens(text, asText))).toEqual([]);
  });

  it("counts nothing as nothing, and one word as the tokens that OpenAI bills", () => {
    expect(tokenizer.count("")).toBe(0);
    expect(tokenizer.count("tiktoken is great!")).toBe(6);
  });

  it.each([
    ["letters", "x".repeat(100_000)],
    ["mixed letters", "qzjxkvbw".repeat(12_500)],
    ["signs", "=-+*".repeat(25_000)],
    ["Japanese", "設定は環境変数に".repeat(12_500)],
    ["rare ideographs", "𠮷".repeat(50_000)],
    ["spaces", " ".repeat(100_000)],
    ["lines", "\n".repeat(100_000)],
  ])("takes 100,000 characters of %s without a break in pieces: as many tokens as these have one by one, save a few", (_, text) => {
    // A word is merged in the square of its length: pieces of 256 characters are what keeps this from taking minutes.
    const pieces = text.match(/[\s\S]{1,256}/g) ?? [];
    const byPieces = pieces.reduce((sum, piece) => sum + countTokens(piece, asText), 0);
    expect(Math.abs(tokenizer.count(text) - byPieces)).toBeLessThanOrEqual(pieces.length);
  });

  it("counts the same whatever it has counted before", async () => {
    const texts = Object.values(samples);
    const forwards = texts.map((text) => tokenizer.count(text));
    const fresh = await openTokenizer();
    expect(texts.toReversed().map((text) => fresh.count(text)).toReversed()).toEqual(forwards);
  });

  it.skipIf(withoutShared).each(documentArchives)(`counts every line of real documentation as the library does: %s${note}`, (archive) => {
    const lines = sharedDocuments(archive).flatMap(({ text }) => text.split("\n"));
    // Every fifth line is enough of the larger sets.
    const some = lines.length > 20_000 ? lines.filter((_, i) => i % 5 === 0) : lines;
    expect(some.length).toBeGreaterThan(3000);
    expect(some.filter((line) => tokenizer.count(line) !== countTokens(line, asText) && !/\S{257}/.test(line)).slice(0, 5)).toEqual([]);
  });
});

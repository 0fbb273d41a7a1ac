import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { extractAnswer, noAnswer } from "../../../../src/adapters/model/mock/extract.ts";
import { sentencesOf } from "../../../../src/adapters/model/mock/sentences.ts";
import { stem, termsOf } from "../../../../src/adapters/model/mock/terms.ts";
import { sharedData, withoutShared } from "../../../helpers/shared.ts";

const numbered = (texts: readonly string[]) => texts.map((text, index) => ({ number: index + 1, text }));

describe("sentencesOf", () => {
  it.each([
    ["plain sentences", "It is late. Go home! Why? Because.", ["It is late.", "Go home!", "Why?", "Because."]],
    ["paragraphs over several lines", "It is\nlate. Go\nhome.", ["It is late.", "Go home."]],
    ["abbreviations and numbers", "Use e.g. Redis, version 3.14 of it. See Dr. Who.", ["Use e.g. Redis, version 3.14 of it.", "See Dr. Who."]],
    ["lists, each item by itself", "- First one\n- Second\n  goes on\n1. Third", ["First one", "Second goes on", "Third"]],
    ["headings, tables, rules, HTML and code", "# Title\n\nOld title\n=========\n\n| a | b |\n|---|---|\n\n---\n<div>\nText here.\n```js\nconst x = 'No. Not this.';\n```\nAfter.", ["Text here.", "After."]],
    ["a fence that never ends", "Before.\n~~~\nThis. Is. Code.", ["Before."]],
    ["links, images, emphasis", "See [the **docs**](https://x.y/z) and ![pic](a.png) `code_x` *now*.", ["See the docs and `code_x` now."]],
    ["quotations", '> He said "No." Then he left.', ['He said "No."', "Then he left."]],
    ["full-width marks", "设置很重要。真的吗？「是。」好", ["设置很重要。", "真的吗？", "「是。」", "好"]],
    ["windows line ends", "One.\r\nTwo.\r\n\r\n# H\r\n", ["One.", "Two."]],
    ["nothing", "", []],
  ])("reads %s", (_what, text, sentences) => {
    expect(sentencesOf(text)).toEqual(sentences);
  });
});

describe("termsOf", () => {
  it("leaves out words without a topic and joins the forms of a word", () => {
    expect(termsOf("What are the limits of stored requests?")).toEqual(termsOf("limit: store, request"));
    expect(termsOf("后端服务")).toEqual(["后端", "端服", "服务"]);
  });

  it.each([["policies", "policy"], ["processes", "process"], ["running", "run"], ["logging", "logs"], ["stopped", "stops"], ["caches", "cache"], ["statuses", "status"]])("gives %s and %s one stem", (left, right) => {
    expect(stem(left)).toBe(stem(right));
  });

  it.each([["bus", "bu"], ["thing", "the"], ["string", "str"]])("keeps %s apart from %s", (left, right) => {
    expect(stem(left)).not.toBe(stem(right));
  });
});

describe("extractAnswer", () => {
  const passages = numbered([
    "# Refunds\n\nWe pay a refund within 5 working days. Sensors are calibrated in Utrecht.",
    "The shop opens at ten. It is closed on Sundays.",
    "A refund goes to the account that paid. The shop opens at ten.",
  ]);

  it("answers with the sentences that match, in reading order, each with its passage", () => {
    expect(extractAnswer("What about a refund?", passages)).toBe("We pay a refund within 5 working days. [1] A refund goes to the account that paid. [3]");
    expect(extractAnswer("Is the shop closed on Sunday?", passages)).toBe("It is closed on Sundays. [2]");
  });

  it("says a sentence of two overlapping passages once", () => {
    expect(extractAnswer("When does the shop open?", passages)).toBe("The shop opens at ten. [2]");
  });

  it("prefers a sentence with a number where an amount is asked for", () => {
    const returns = numbered(["You can return any sensor within 45 days of delivery, for any reason. Replacement parts and gift cards cannot be returned."]);
    expect(extractAnswer("How long is the return period?", returns)).toBe("You can return any sensor within 45 days of delivery, for any reason. [1]");
    expect(extractAnswer("Which parts can be returned?", returns)).toBe("Replacement parts and gift cards cannot be returned. [1]");
  });

  it("says plainly that the documents do not answer", () => {
    for (const question of ["What is the capital of France?", "", "the of and", "???"]) expect(extractAnswer(question, passages)).toBe(noAnswer);
    expect(extractAnswer("When is a refund paid?", [])).toBe(noAnswer);
    expect(extractAnswer("x", numbered(["", "# Only a heading", "```\ncode\n```"]))).toBe(noAnswer);
  });

  it.skipIf(withoutShared)("finds the answers in the twelve-factor documents (needs the shared data)", () => {
    const folder = mkdtempSync(join(tmpdir(), "twelve-extract-"));
    try {
      execFileSync("tar", ["xzf", sharedData("docs", "twelve-factor.tar.gz"), "-C", folder]);
      const read = (language: string) => {
        const pages = join(folder, "twelve-factor", "content", language);
        return numbered(readdirSync(pages).sort().map((name) => readFileSync(join(pages, name), "utf8")));
      };
      const english = read("en");
      expect(extractAnswer("What is a backing service?", english)).toContain("A backing service is any service the app consumes over the network");
      expect(extractAnswer("Where should config be stored?", english)).toContain("stores config in environment variables");
      expect(extractAnswer("What is the capital of France?", english)).toBe(noAnswer);
      const chinese = read("zh_cn");
      expect(extractAnswer("日志应该如何处理", chinese)).toContain("日志应该是 事件流 的汇总");
      expect(extractAnswer("法国的首都是什么？", chinese)).toBe(noAnswer);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

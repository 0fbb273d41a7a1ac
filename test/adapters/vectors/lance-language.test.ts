import { describe, expect, it } from "vitest";
import { analyzerFor, analyzers, withoutStopWords } from "../../../src/adapters/vectors/lance/language.ts";

describe("analyzerFor", () => {
  it.each([
    ["de", "content_de"],
    ["pt-BR", "content_pt"],
    ["nb", "content_no"],
    ["EN", "content_en"],
    ["ja", "content_plain"],
    ["constructor", "content_plain"],
    [null, "content_en"],
  ])("puts %s into %s", (language, column) => {
    expect(analyzerFor(language).column).toBe(column);
  });

  it("has columns of different names", () => {
    expect(new Set(analyzers.map(({ column }) => column)).size).toBe(19);
  });
});

describe("withoutStopWords", () => {
  const columns = ["content_de", "content_en", "content_fr"];

  it.each([
    ["où stocker les journaux ?", "stocker journaux"],
    ["Wie werden die Häuser für das Lager gebaut?", "wie häuser lager gebaut"],
    ["How do I cast a die?", "cast die"],
    ["C'est l'API de l'application", "c api application"],
  ])("leaves of %j what it is about", (question, left) => {
    expect(withoutStopWords(question, columns)).toBe(left);
  });

  it.each(["", "🙂", "kubernetes ingress", "設定を環境変数に", "what is it?"])("leaves %j as it is", (question) => {
    expect(withoutStopWords(question, columns)).toBe(question);
  });

  it("knows only the languages that are there, and leaves all to the engine where there is one", () => {
    expect(withoutStopWords("où stocker les journaux ?", ["content_de", "content_it"])).toBe("où stocker les journaux ?");
    expect(withoutStopWords("où stocker les journaux ?", ["content_fr"])).toBe("où stocker les journaux ?");
  });
});

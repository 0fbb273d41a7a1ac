import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { declaredLanguage, openLanguageDetector } from "../../src/document/language.ts";
import type { Metadata } from "../../src/ports/document.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { documentOf } from "../helpers/document.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

const note = withoutShared ? " (skipped: the shared test data is not beside this checkout)" : "";
const detect = openLanguageDetector();

async function languageOf(path: string, source: string): Promise<string | null> {
  return detect(await documentOf(path, source));
}

describe("the language of a document", () => {
  it.each([
    ["en", "A refund is paid to the card that the order was paid with."], ["de", "Das Geld kommt auf die Karte zurück, mit der bezahlt wurde."], ["fr", "Le remboursement est versé sur la carte qui a servi au paiement."], ["ja", "返金は五日以内に行われます。"],
    ["zh", "退款将在五天内支付到您的银行卡。"], ["ko", "환불은 오 일 이내에 카드로 지급됩니다."], ["ru", "Деньги вернутся на карту, которой был оплачен заказ."], ["ar", "يتم دفع المبلغ المسترد إلى البطاقة خلال خمسة أيام."],
  ])("is %s by its words", async (code, text) => {
    expect(await languageOf("a.txt", text)).toBe(code);
  });

  it("is told by its prose, not by its code", async () => {
    const code = "```js\nfor (const value of values) console.log(value.name, value.length);\n```\n\n".repeat(20);
    expect(await languageOf("a.md", `${code}Das Geld kommt auf die Karte zurück, mit der \`value.length\` bezahlt wurde.`)).toBe("de");
  });

  it("is not taken for English for a few of its words", async () => {
    expect(await languageOf("a.txt", "De terugbetaling wordt binnen vijf dagen gedaan op de kaart waarmee is betaald. It is of the for and to, maar dan in het Nederlands en niet anders dan zo, want dit is Nederlands.")).toBe("nl");
    expect(await languageOf("a.md", "Die Funktion `for` and the `while` Schleife werden in diesem Kapitel erklärt, damit alle Leser sie verstehen und nutzen können, wenn sie das wollen.")).toBe("de");
  });

  it("is unknown where nothing tells", async () => {
    expect(await languageOf("a.md", "Hi there")).toBeNull();
    expect(await languageOf("a.md", "```js\nconst value = 1;\n```")).toBeNull();
    expect(await languageOf("a.csv", "a,b\n1,2")).toBeNull();
    expect(await languageOf("a.txt", "1234 5678 9012 3456 7890")).toBeNull();
  });

  it("is what the document says it is", async () => {
    expect(await languageOf("a.md", "---\nlang: de-AT\n---\n\nA refund is paid to the card that the order was paid with.")).toBe("de");
    expect(await languageOf("a.html", "<html lang=fr><body><p>A refund is paid to the card that the order was paid with.</body>")).toBe("fr");
  });

  it.each<[Metadata, string | undefined]>([
    [{ language: "en-US" }, "en"], [{ lang: "EN_gb" }, "en"], [{ language: "pt" }, "pt"], [{ language: "zh-Hant-TW" }, "zh"], [{ language: "none", lang: "fr" }, "fr"],
    [{ language: "english" }, undefined], [{ language: "xx" }, undefined], [{ language: "" }, undefined], [{ language: 1 }, undefined], [{ language: ["de"] }, undefined], [{}, undefined],
  ])("declared as %j is %s", (metadata, code) => {
    expect(declaredLanguage({ blocks: [], metadata })).toBe(code);
  });

  it.skipIf(withoutShared)(`is right of all but one of the files in 19 languages${note}`, async () => {
    const dir = await temporaryFolder();
    execFileSync("tar", ["-xzf", sharedData("docs", "twelve-factor.tar.gz"), "-C", dir]);
    const files = (await readdir(dir, { recursive: true })).filter((file) => /content\/[a-z]{2}\/.*\.md$/.test(file));
    const wrong: string[] = [];
    for (const file of files) {
      const document = await documentOf(file, await readFile(join(dir, file)));
      const code = /content\/([a-z]{2})\//.exec(file)?.[1];
      const found = await detect(document);
      if (found !== code) wrong.push(`${file.replace(/^.*content\//, "")} is ${found}`);
    }
    // This one has never been translated.
    expect(wrong).toEqual(["sk/background.md is en"]);
    expect(files.length).toBeGreaterThan(250);
  });
});

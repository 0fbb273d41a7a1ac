import { readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { decodeText } from "../../src/document/decode.ts";
import { bytesOf } from "../helpers/document.ts";

const fixtures = join(import.meta.dirname, "../../fixtures/document/encoding");
const names = readdirSync(fixtures).filter((name) => name.endsWith(".txt")).map((name) => name.replace(/\.txt$/, ""));

describe("decoding", () => {
  it.each(names)("knows %s by its bytes", async (name) => {
    const bytes = await readFile(join(fixtures, `${name}.txt`));
    expect(decodeText(bytes)).toEqual({ text: await readFile(join(fixtures, `${name}.expected`), "utf8") });
  });

  it("strips a byte-order mark", () => {
    expect(decodeText(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41))).toEqual({ text: "A" });
    expect(decodeText(Uint8Array.of(0xfe, 0xff, 0, 0x41))).toEqual({ text: "A" });
    expect(decodeText(Uint8Array.of(0, 0, 0xfe, 0xff, 0, 0, 0, 0x41))).toEqual({ text: "A" });
  });

  it("takes a few accented letters for those of Western Europe, however few", () => {
    for (const text of ["Café", "Cafés", "naïve", "ß"]) expect(decodeText(Buffer.from(text, "latin1"))).toEqual({ text });
  });

  it("believes what a file declares only where it is no UTF-8", () => {
    expect(decodeText(Buffer.from("Ïðàâèëà", "latin1"), "windows-1251")).toEqual({ text: "Правила" });
    expect(decodeText(bytesOf("Grüße"), "iso-8859-1")).toEqual({ text: "Grüße" });
    expect(decodeText(Buffer.from("Café", "latin1"), "no-such-encoding")).toEqual({ text: "Café" });
  });

  it("keeps a long text with one torn character", () => {
    const bytes = bytesOf("Grüße aus Köln, schöne Tage. ".repeat(20));
    const torn = Buffer.concat([bytes, Buffer.from([0xc3])]);
    expect(decodeText(torn)).toEqual({ text: `${"Grüße aus Köln, schöne Tage. ".repeat(20)}\ufffd` });
  });

  it.each([
    ["nothing", bytesOf("")],
    ["white space", bytesOf(" \n\t\u00a0")],
    ["a byte-order mark alone", Uint8Array.of(0xef, 0xbb, 0xbf)],
  ])("calls a file of %s empty", (_, content) => {
    expect(decodeText(content)).toEqual({ reason: "is empty" });
  });

  it.each([
    ["text with NUL", bytesOf("a\0b")],
    ["control characters", bytesOf("\u0001\u0002\u0003abc")],
    ["the start of a PNG", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 0x0d)],
    ["the start of a program", Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0, 0, 0, 0, 0)],
    ["bytes of every value", Uint8Array.from({ length: 1024 }, (_, i) => (i * 167) % 256)],
    ["bytes of every value but NUL", Uint8Array.from({ length: 1024 }, (_, i) => ((i * 167) % 255) + 1)],
  ])("calls %s binary", (_, content) => {
    expect(decodeText(content)).toEqual({ reason: "is binary, not text" });
  });
});

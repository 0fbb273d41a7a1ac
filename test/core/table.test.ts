import { describe, expect, it } from "vitest";
import { fitTable, formatFields, formatTable, formatValue } from "../../src/core/table.ts";

describe("formatTable", () => {
  it("makes every column as wide as its widest cell and ends no line in spaces", () => {
    expect(formatTable(["A", "LONG", "C"], [["12345", "x", ""], ["", "y", "z"]])).toBe("A      LONG  C\n12345  x\n       y     z");
  });
});

describe("fitTable", () => {
  const rows = [["embedder of index docs", "https://embeddings.example/v1#bge-m3"], ["store", "file:.twelve"]];

  it("is an ordinary table where that fits", () => {
    expect(fitTable(["SERVICE", "URL"], rows, Number.POSITIVE_INFINITY)).toBe(formatTable(["SERVICE", "URL"], rows));
    expect(fitTable(["SERVICE", "URL"], rows, 60)).toBe(formatTable(["SERVICE", "URL"], rows));
  });

  it("goes on in further lines, at a space where there is one, and loses nothing", () => {
    expect(fitTable(["SERVICE", "URL"], rows, 34)).toBe(["SERVICE      URL", "embedder of  https://embeddin", "index docs   gs.example/v1#bg", "             e-m3", "store        file:.twelve"].join("\n"));
  });

  it("gets no narrower than can be read", () => {
    const lines = fitTable(["SERVICE", "URL"], rows, 1).split("\n");
    expect(Math.max(...lines.map((line) => line.length))).toBe(20);
  });
});

describe("formatFields", () => {
  it("aligns values and leaves out fields without one", () => {
    expect(formatFields([["a", "1"], ["none", undefined], ["empty", ""], ["long", "2"]])).toBe("  a     1\n  long  2");
  });
});

describe("formatValue", () => {
  it.each([
    [null, "not set"],
    [0, "0"],
    [false, "false"],
    ["plain text", "plain text"],
    ["", '""'],
    ["two\nlines", String.raw`"two\nlines"`],
    ["\u001B[31mred", String.raw`"\u001b[31mred"`],
    ["back\u202Ewards", String.raw`"back\u{202e}wards"`],
  ])("shows %j in one harmless line", (value, expected) => {
    expect(formatValue(value)).toBe(expected);
  });
});

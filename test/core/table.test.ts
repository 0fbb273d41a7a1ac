import { describe, expect, it } from "vitest";
import { formatFields, formatTable, formatValue } from "../../src/core/table.ts";

describe("formatTable", () => {
  it("makes every column as wide as its widest cell and ends no line in spaces", () => {
    expect(formatTable(["A", "LONG", "C"], [["12345", "x", ""], ["", "y", "z"]])).toBe("A      LONG  C\n12345  x\n       y     z");
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

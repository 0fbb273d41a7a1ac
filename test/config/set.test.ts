import { describe, expect, it } from "vitest";
import { parseSets } from "../../src/config/set.ts";
import { parseManifest } from "../../src/manifest/read.ts";

const manifest = parseManifest("name: a\nconfig: { TOP_K: { type: integer, default: 5 }, STYLE: { default: x } }");

describe("parseSets", () => {
  it("takes everything after the first equals sign, and the last value of a key", () => {
    expect(parseSets(["STYLE=a=b", "TOP_K=1", "TOP_K=2"], manifest)).toEqual({ STYLE: "a=b", TOP_K: "2" });
  });

  it("takes an empty value", () => {
    expect(parseSets(["STYLE="], manifest)).toEqual({ STYLE: "" });
  });

  it.each(["TOP_K", "=5", ""])("refuses %j", (text) => {
    expect(() => parseSets([text], manifest)).toThrow(expect.objectContaining({ code: "USAGE_INVALID", message: "--set expects KEY=VALUE" }));
  });

  it.each(["TOPK", "constructor", "__proto__"])("refuses the undeclared key %s", (key) => {
    expect(() => parseSets([`${key}=hush`], manifest)).toThrow(expect.objectContaining({ code: "CONFIG_UNKNOWN" }));
  });

  it("names the nearest key", () => {
    const problems = [{ path: "--set TOPK", message: 'There is no configuration key "TOPK". Did you mean "TOP_K"? Declared: TOP_K, STYLE' }];
    expect(() => parseSets(["TOPK=hush"], manifest)).toThrow(expect.objectContaining({ problems }));
  });
});

import { describe, expect, it } from "vitest";
import { flattenMetadata } from "../../src/document/metadata.ts";
import { documentOf, outlineOf } from "../helpers/document.ts";

describe("front matter", () => {
  it.each([
    ["YAML", "---\ntitle: 'The: title'\ntags: [a, b]\ndate: 2024-05-01\nversion: 1.50\ndraft: false\nseo:\n  og: { image: x.png }\nempty:\nnothing: null\n---\n\nText"],
    ["TOML", "+++\ntitle = 'The: title'\ntags = ['a', 'b']\ndate = 2024-05-01\nversion = 1.50\ndraft = false\n[seo.og]\nimage = 'x.png'\n+++\n\nText"],
  ])("of %s is metadata, and its title a heading", async (_, source) => {
    for (const path of ["a.md", "a.mdx"]) {
      const document = await documentOf(path, source);
      expect(document.metadata).toEqual({ title: "The: title", tags: ["a", "b"], date: "2024-05-01", version: 1.5, draft: false, "seo.og.image": "x.png" });
      expect(outlineOf(document)).toEqual(["# The: title", "prose: Text"]);
    }
  });

  it("that has a title gives way to a heading of the text", async () => {
    expect(outlineOf(await documentOf("a.md", "---\ntitle: Other\n---\n\n# Own\n\nText"))).toEqual(["# Own", "prose: Text"]);
  });

  it.each([
    ["broken YAML", "---\ntitle: [broken\n\ttab\n---\n\nText"], ["broken TOML", "+++\ntitle = \n+++\n\nText"], ["no fields", "---\njust words\n---\n\nText"], ["nothing", "---\n---\n\nText"], ["rules further down", "Text\n\n---\n\ntitle: x\n\n---"],
    ["aliases that grow", `---\na: &a [x,x,x,x,x,x,x,x,x]\n${Array.from("bcdefgh", (name, i) => `${name}: &${name} [${`*${"abcdefg"[i]},`.repeat(9)}]`).join("\n")}\n---\n\nText`],
    ["lists without end", `---\na: ${"[".repeat(20_000)}\n---\n\nText`],
  ])("of %s is no metadata", async (_, source) => {
    const { blocks, metadata } = await documentOf("a.md", source);
    expect(metadata).toEqual({});
    expect(blocks[0]?.text).toBe("Text");
  });
});

describe("metadata", () => {
  it("is flat, with dates as text and without what is empty", () => {
    expect(flattenMetadata({ a: { b: { c: 1 } }, day: new Date("2024-05-01"), moment: new Date("2024-05-01T10:00:00Z"), no: null, blank: " ", none: undefined, nan: Number.NaN, list: [1, null, "x", ""], big: 10n ** 20n })).toEqual({
      "a.b.c": 1, day: "2024-05-01", moment: "2024-05-01T10:00:00.000Z", list: [1, "x"], big: "100000000000000000000",
    });
  });

  it("numbers the records of a list", () => {
    expect(flattenMetadata({ authors: [{ name: "Ada" }, { name: "Ben" }] })).toEqual({ "authors.0.name": "Ada", "authors.1.name": "Ben" });
  });

  it("is cut where it would grow without bound", () => {
    const many = flattenMetadata(Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i])));
    expect(Object.keys(many)).toHaveLength(64);
    expect(flattenMetadata({ long: "🎈".repeat(3000), list: Array.from({ length: 500 }, (_, i) => i) })).toEqual({ long: "🎈".repeat(1000), list: Array.from({ length: 64 }, (_, i) => i) });
    const loop: Record<string, unknown> = { a: 1 };
    loop["self"] = loop;
    expect(Object.keys(flattenMetadata(loop)).length).toBeLessThan(64);
  });

  it("has no key that changes objects", () => {
    expect(Object.getPrototypeOf(flattenMetadata(JSON.parse('{"__proto__":{"x":1},"a":1}')))).toBe(Object.prototype);
    expect(flattenMetadata(JSON.parse('{"__proto__":{"x":1},"a":1}'))).toEqual({ a: 1 });
  });

  it("is nothing of what is no object", () => {
    for (const value of [null, undefined, 1, "text", [1, 2]]) expect(flattenMetadata(value)).toEqual({});
  });
});

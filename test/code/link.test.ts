import { describe, expect, it } from "vitest";
import { linkTarget } from "../../src/code/link.ts";

const cases: readonly (readonly [string, Readonly<Record<string, string>>, string])[] = [
  ["a link to a neighbour", { "a/link": "file" }, "inside"],
  ["a link up and down again", { "a/link": "../b/file" }, "inside"],
  ["a link to the folder itself", { "a/link": ".." }, "inside"],
  ["a link that leaves the folder", { "a/link": "../../etc/passwd" }, "outside"],
  ["an absolute link", { "a/link": "/etc/passwd" }, "outside"],
  ["a Windows path", { "a/link": "C:\\Windows" }, "outside"],
  ["a link that goes up after another link led up", { "a/link": "up/../x", "a/up": ".." }, "outside"],
  ["a link out through another link", { "a/link": "b", "a/b": "../../x" }, "outside"],
  ["a link to itself", { "a/link": "link" }, "loop"],
  ["two links to each other", { "a/link": "other", "a/other": "link" }, "loop"],
];

describe("the target of a link", () => {
  it.each(cases)("%s", (_, links, expected) => {
    expect(linkTarget("a/link", new Map(Object.entries(links)))).toBe(expected);
  });
});

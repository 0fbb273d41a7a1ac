import { describe, expect, it } from "vitest";
import { wantedBy } from "../../src/index/wanted.ts";

const paths = ["a.md", "de/a.md", "de/a.txt", "en/a.md", "en/draft-b.md", ".hidden/c.md"];

describe("globs below a source", () => {
  it.each([
    [{}, paths],
    [{ include: ["*.md"], exclude: ["draft-*"] }, ["a.md", "de/a.md", "en/a.md", ".hidden/c.md"]],
    [{ include: ["en/**"] }, ["en/a.md", "en/draft-b.md"]],
    [{ exclude: ["de/**"] }, ["a.md", "en/a.md", "en/draft-b.md", ".hidden/c.md"]],
    [{ include: ["/a.md", "*/a.txt"] }, ["de/a.txt"]],
    [{ include: [] }, []],
  ])("%j", (globs, wanted) => {
    expect(paths.filter(wantedBy(globs))).toEqual(wanted);
  });
});

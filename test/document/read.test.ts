import { describe, expect, it } from "vitest";
import { endingOf, knownEndings, loadDocument, loaderFor, loaderIdentity, maxDocumentBytes } from "../../src/document/read.ts";
import { bytesOf, documentOf, outlineOf, reasonOf } from "../helpers/document.ts";

describe("loaders", () => {
  it.each([
    ["a.md", "markdown"], ["a.MD", "markdown"], ["x/a.b.markdown", "markdown"], ["a.mdx", "mdx"], ["a.txt", "text"], ["README", "text"], ["x/readme", "text"], ["a.htm", "html"], ["a.PDF", "pdf"], ["a.docx", "docx"],
    ["a.pptx", "pptx"], ["a.xlsx", "xlsx"], ["a.tsv", "csv"], ["a.json", "json"], ["a.ndjson", "jsonl"], ["a.ipynb", "notebook"], ["a.epub", "epub"], ["a.d.ts", "code"], ["a.yaml", "code"], ["a.min.json", "json"],
    ["LICENSE", undefined], ["a.png", undefined], ["md", undefined], [".md", undefined], ["x.md/a", undefined], ["a.constructor", undefined], ["xreadme", undefined], [".env", undefined], ["x.min.js", undefined],
  ])("%s is read by %s", (path, loader) => {
    expect(loaderFor(path)).toBe(loader);
  });

  it("know the ending of a file name, not of its folder", () => {
    expect(["a.tar.GZ", "x.y/z", ".env", "a."].map(endingOf)).toEqual([".gz", "", "", ""]);
  });

  it("share no ending", () => {
    expect(new Set(knownEndings).size).toBe(knownEndings.length);
    expect(knownEndings.every((ending) => loaderFor(`a${ending}`) !== undefined)).toBe(true);
  });

  it("are known by name and version", () => {
    expect(loaderIdentity("markdown")).toMatch(/^markdown@\d+$/);
  });

  it("take text as paragraphs without headings", async () => {
    expect(outlineOf(await documentOf("a.txt", "# no heading\nmore\n\n\n  second\n \nthird\n"))).toEqual(["prose: # no heading\nmore", "prose:   second", "prose: third"]);
  });

  it("cut embedded images", async () => {
    expect(outlineOf(await documentOf("a.md", `![logo](data:image/png;base64,${"iVBORw0KGgo".repeat(1000)}==) text`))).toEqual(["prose: ![logo](data:image/png;base64,) text"]);
  });

  it.each([
    ["quotes", ">".repeat(100_000)],
    ["lists", "- ".repeat(100_000)],
    ["indented lists", Array.from({ length: 1000 }, (_, i) => `${" ".repeat(i * 2)}- x`).join("\n")],
  ])("read %s inside each other beyond reason as text", async (_, nested) => {
    const { blocks } = await documentOf("a.md", `# heading\n\n${nested}\n\nlast`);
    expect(blocks.map(({ kind }) => kind)).toEqual(["prose", "prose", "prose"]);
  });

  it.each([
    ["many lists", `${"- ".repeat(5)}x\n`.repeat(3000), 1],
    ["lists below HTML that is not closed", `<pre>\n\n</pre>\n\n${`${"- ".repeat(5)}x\n`.repeat(3000)}`, 3],
  ])("read %s that would take the parser too long as text", async (_, nested, paragraphs) => {
    const { blocks } = await documentOf("a.md", nested);
    expect(blocks.map(({ kind }) => kind)).toEqual(Array.from({ length: paragraphs }, () => "prose"));
    expect(blocks.at(-1)?.text.endsWith("x")).toBe(true);
  });

  it("still have the lists and quotes of a long document", async () => {
    const { blocks } = await documentOf("a.md", "# heading\n\n- one\n  - two\n\n> quote\n\n".repeat(500));
    expect(blocks.map(({ kind, text }) => `${kind} ${text}`)).toEqual(Array.from({ length: 500 }, () => ["heading heading", "list - one\n  - two", "prose > quote"]).flat());
  });

  it("do not take rules, banners and conflict markers for nesting", async () => {
    const { blocks } = await documentOf("a.md", `# heading\n\n${"-".repeat(200)}\n\n${"* ".repeat(40)}\n\n${">".repeat(7)} theirs`);
    expect(blocks.map(({ kind }) => kind)).toEqual(["heading", "prose"]);
  });
});

describe("loading", () => {
  it.each([
    ["a.md", "# A\n\nOne\ntwo\n\n| a | b |\n| - | - |\n| 1 | 2 |\n"], ["a.mdx", "---\ntitle: A\n---\n\n<Note>\n\nOne\n\n</Note>\n"], ["a.txt", "One\ntwo\n\nthree\n"], ["a.html", "<h1>A</h1>\n<p>One\ntwo</p>\n<pre>x\n  y</pre>\n"],
    ["a.csv", "a,b\n1,\"x\ny\"\n"], ["a.json", "{\n \"a\": 1\n}\n"], ["a.jsonl", "{\"a\":1}\n{\"a\":2}\n"], ["a.py", "def a():\n    pass\n\n\ndef b():\n    pass\n"],
  ])("gives the same document of %s with line ends of any kind, and each time", async (path, source) => {
    const document = await documentOf(path, source);
    expect(await documentOf(path, source)).toEqual(document);
    expect(await documentOf(path, source.replaceAll("\n", "\r\n"))).toEqual(document);
    expect(await documentOf(path, source.replaceAll("\n", "\r"))).toEqual(document);
  });

  it.each(["a.md", "a.html", "a.pdf", "a.docx", "a.csv", "a.py"])("calls an empty %s empty", async (path) => {
    expect(await reasonOf(path, "")).toBe("is empty");
    expect(await loadDocument(new Uint8Array(), { path, loader: "text" })).toEqual({ reason: "is empty" });
  });

  it.each([["a.html", "<title>x</title><body><script>1</script></body>", "# x"], ["a.md", "---\ntitle: Only this\n---\n", "# Only this"]])("takes %s with a title alone for a document", async (path, source, line) => {
    expect(outlineOf(await documentOf(path, source))).toEqual([line]);
  });

  it.each(["Array buffer allocation failed", "Invalid string length", "Invalid typed array length: 99999999999"])("tells a lack of memory from nesting: %s", async (message) => {
    const bytes = Object.defineProperty(new Uint8Array(100), "buffer", { get: () => { throw new RangeError(message); } });
    expect(await reasonOf("a.docx", bytes)).toBe("needs more memory to be read than there is");
  });

  it("says where there is nothing to read", async () => {
    expect(await reasonOf("a.html", "<body><script>1</script><img src=x></body>")).toBe("holds no text");
    expect(await reasonOf("a.md", "[a]: https://example.com")).toBe("holds no text");
  });

  it("refuses more text than anybody reads, and files in proportion", async () => {
    const many = bytesOf("word ".repeat(4 * 1024 * 1024 + 300_000));
    expect(await reasonOf("a.txt", many)).toBe("has 21.4 MB of text; at most 20 MB are read");
    expect(maxDocumentBytes).toBeGreaterThan(many.length);
  });

  it.each(["a.pdf", "a.docx", "a.pptx", "a.xlsx", "a.epub", "a.html", "a.csv", "a.json", "a.ipynb", "a.md", "a.py"])("gives a reason for random bytes called %s", async (path) => {
    let seed = 11;
    const random = Uint8Array.from({ length: 4096 }, () => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) >> 16);
    expect(await reasonOf(path, random)).toMatch(/^(?:is binary, not text|is no readable PDF: it is cut off or broken|cannot be read: it is cut off or no such file at all)$/);
  });
});

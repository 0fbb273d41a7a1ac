import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { readDocuments } from "../../src/index/documents.ts";
import { walkSources } from "../../src/document/walk.ts";
import { temporaryFolder } from "../helpers/context.ts";

async function folderOf(files: Readonly<Record<string, string | Uint8Array>>): Promise<string> {
  const folder = await temporaryFolder();
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

async function pathsOf(dir: string, settings: Partial<Parameters<typeof walkSources>[1]> = {}): Promise<readonly string[]> {
  return (await walkSources(dir, { source: ["docs"], ...settings })).files.map(({ path }) => path);
}

const never = new AbortController().signal;

describe("a walk of sources", () => {
  it("lists known formats sorted by path, and counts the others", async () => {
    const dir = await folderOf({ "docs/b.md": "b", "docs/a/z.mdx": "z", "docs/a.md": "a", "docs/README": "r", "docs/x.png": "", "docs/y.PNG": "", "docs/LICENSE": "" });
    const { files, ignored, skipped } = await walkSources(dir, { source: ["docs"] });
    expect(files.map(({ path, loader }) => [path, loader])).toEqual([["docs/README", "text"], ["docs/a.md", "markdown"], ["docs/a/z.mdx", "mdx"], ["docs/b.md", "markdown"]]);
    expect(ignored).toEqual({ "": 1, ".png": 2 });
    expect(skipped).toEqual([]);
  });

  it("leaves out .git, node_modules and .twelve at any depth", async () => {
    const dir = await folderOf({ "docs/a.md": "", "docs/.git/a.md": "", "docs/x/node_modules/p/a.md": "", "docs/.twelve/a.md": "", "docs/.hidden/a.md": "" });
    expect(await pathsOf(dir)).toEqual(["docs/.hidden/a.md", "docs/a.md"]);
  });

  it("includes and excludes by globs below the source; one without a slash matches names anywhere", async () => {
    const dir = await folderOf({ "docs/a.md": "", "docs/en/a.md": "", "docs/en/draft-b.md": "", "docs/de/a.md": "", "docs/de/a.txt": "" });
    expect(await pathsOf(dir, { include: ["*.md"], exclude: ["draft-*"] })).toEqual(["docs/a.md", "docs/de/a.md", "docs/en/a.md"]);
    expect(await pathsOf(dir, { include: ["en/**"] })).toEqual(["docs/en/a.md", "docs/en/draft-b.md"]);
    expect(await pathsOf(dir, { exclude: ["de/**"] })).toEqual(["docs/a.md", "docs/en/a.md", "docs/en/draft-b.md"]);
  });

  it("takes sources outside the application, single files, and each file once", async () => {
    const dir = await folderOf({ "app/docs/a.md": "", "app/NOTES.md": "", "other/b.md": "" });
    expect(await pathsOf(join(dir, "app"), { source: ["docs", "docs/a.md", "NOTES.md", "../other", join(dir, "other")] })).toEqual(["../other/b.md", "NOTES.md", "docs/a.md"]);
  });

  it("follows no link and says where each one leads", async () => {
    const dir = await folderOf({ "docs/real/a.md": "", "secret.md": "", "outside/b.md": "" });
    const links = { "docs/real/loop": "..", "docs/self": "self", "docs/alias.md": "real/a.md", "docs/twin": "real", "docs/out.md": "../secret.md", "docs/away": "../outside", "docs/dead.md": "nothing.md" };
    for (const [path, target] of Object.entries(links)) await symlink(target, join(dir, path));
    const { files, skipped } = await walkSources(dir, { source: ["docs"] });
    expect(files.map(({ path }) => path)).toEqual(["docs/real/a.md"]);
    expect(Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]))).toEqual({
      "docs/alias.md": "is a symbolic link; its target is read as docs/real/a.md",
      "docs/away": "is a symbolic link out of the source",
      "docs/dead.md": "is a symbolic link to nothing (ENOENT)",
      "docs/out.md": "is a symbolic link out of the source",
      "docs/real/loop": "is a symbolic link to a folder that it is in",
      "docs/self": "is a symbolic link to itself",
      "docs/twin": "is a symbolic link; its target is read as docs/real",
    });
  });

  it("reads a source that is itself a link", async () => {
    const dir = await folderOf({ "real/a.md": "", "real/sub/b.md": "" });
    await symlink("real", join(dir, "docs"));
    await symlink("a.md", join(dir, "real/c.md"));
    const { files, skipped } = await walkSources(dir, { source: ["docs"] });
    expect(files.map(({ path }) => path)).toEqual(["docs/a.md", "docs/sub/b.md"]);
    expect(skipped.map(({ path }) => path)).toEqual(["docs/c.md"]);
  });

  it.each([
    ["nothing there", "dosc", "There is no source folder dosc"],
    ["a file of another kind", "logo.png", "neither a folder nor a document"],
  ])("refuses a source with %s", async (_, source, message) => {
    const dir = await folderOf({ "docs/a.md": "", "logo.png": "" });
    await expect(walkSources(dir, { source: [source] })).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringContaining(message) });
  });
});

describe("reading documents", () => {
  it("skips what cannot be used, with the reason, and goes on", async () => {
    const dir = await folderOf({
      "docs/a.md": "text", "docs/bom.md": "\ufeff# Title", "docs/empty.md": "", "docs/latin.md": Buffer.from("Café", "latin1"), "docs/nul.md": "a\0b",
      "docs/large.md": Buffer.alloc(20 * 1024 * 1024 + 1, "word "), "docs/full.md": Buffer.alloc(20 * 1024 * 1024, "word "),
    });
    const { documents, skipped } = await readDocuments(dir, { source: ["docs"] }, never);
    expect(documents.map(({ path, text }) => [path, text.slice(0, 7)])).toEqual([["docs/a.md", "text"], ["docs/bom.md", "# Title"], ["docs/full.md", "word wo"]]);
    expect(skipped).toEqual([
      { path: "docs/empty.md", reason: "is empty" },
      { path: "docs/large.md", reason: "has 20.0 MB; at most 20 MB are read" },
      { path: "docs/latin.md", reason: "is not UTF-8" },
      { path: "docs/nul.md", reason: "holds NUL bytes, so it is not UTF-8 text" },
    ]);
  });

  it.skipIf(process.getuid?.() === 0)("skips a file that may not be read (skipped for root, who may read everything)", async () => {
    const dir = await folderOf({ "docs/a.md": "text", "docs/locked.md": "text" });
    await chmod(join(dir, "docs/locked.md"), 0);
    expect((await readDocuments(dir, { source: ["docs"] }, never)).skipped).toEqual([{ path: "docs/locked.md", reason: "cannot be read: EACCES" }]);
  });

  it("refuses sources without any document, and says what was there", async () => {
    const dir = await folderOf({ "docs/a.png": "", "docs/b.png": "", "docs/empty.md": "" });
    const failure = readDocuments(dir, { source: ["docs"], include: ["**"] }, never);
    await expect(failure).rejects.toMatchObject({ code: "SOURCE_INVALID", message: expect.stringMatching(/No document was found in docs\..* 2 \.png.* docs\/empty\.md is empty/) });
  });

  it("stops when it is interrupted", async () => {
    const dir = await folderOf({ "docs/a.md": "text" });
    const reason = new Error("interrupted");
    await expect(readDocuments(dir, { source: ["docs"] }, AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});

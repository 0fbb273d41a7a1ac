import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openSource } from "../../../src/adapters/registry.ts";
import { patternBelow } from "../../../src/adapters/source/folder/ignore-pattern.ts";
import type { SourceOptions } from "../../../src/ports/document.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { type Contents, git, writeFiles } from "../../helpers/git-app.ts";
import { listAll } from "../../ports/source.contract.ts";

async function listed(dir: string, reference: string, options?: SourceOptions): Promise<readonly string[]> {
  return (await listAll(await openSource(reference, { dir, env: {} }, options))).files.map(({ path }) => path).sort();
}

async function repositoryOf(files: Contents): Promise<string> {
  const dir = await temporaryFolder();
  git(dir, "init", "--quiet");
  writeFiles(dir, files);
  return dir;
}

/** What git itself would add: the files that no ignore file names. */
function wantedByGit(dir: string, folder: string): readonly string[] {
  return git(dir, "ls-files", "-z", "--others", "--exclude-standard", "--", folder).split("\0").filter((path) => path !== "").sort();
}

describe("ignore files", () => {
  it("leave out what git leaves out, from every level", async () => {
    const dir = await repositoryOf({
      ".gitignore": "\uFEFF# comment\n*.log\r\nbuild/\n/docs/top.md\n/only-here.md\ndocs/*/deep.md\n**/any/**/x.md\ntrail  \nspace\\ \n\\#hash.md\n\\!bang.md\n!docs/keep.log\nq[0-9].md\nfoo*bar.md\n",
      "docs/.gitignore": "*.tmp.md\n!build/\n/own.md\nsub/inner.md\n",
      "docs/sub/.gitignore": "!a.tmp.md\n*\n!*.md\n!*/\nnot.md",
      "docs/we [ird] !#*/.gitignore": "/x.md\nsub/\n*.txt\n",
      "docs/we [ird] !#*/x.md": "", "docs/we [ird] !#*/y.md": "", "docs/we [ird] !#*/sub/x.md": "", "docs/we [ird] !#*/deep/z.txt": "", "docs/we i/x.md": "",
      "docs/a.md": "", "docs/a.log": "", "docs/keep.log": "", "docs/top.md": "", "docs/sub/top.md": "", "docs/only-here.md": "", "docs/own.md": "", "docs/sub/own.md": "",
      "docs/build/a.md": "", "docs/build/sub/b.md": "", "docs/sub/build/c.md": "", "docs/one/deep.md": "", "docs/one/two/deep.md": "", "docs/any/x.md": "", "docs/any/b/c/x.md": "",
      "docs/trail": "", "docs/space ": "", "docs/#hash.md": "", "docs/!bang.md": "", "docs/q1.md": "", "docs/qa.md": "", "docs/fooXbar.md": "", "docs/A.LOG": "",
      "docs/a.tmp.md": "", "docs/sub/a.tmp.md": "", "docs/sub/inner.md": "", "docs/sub/a.txt": "", "docs/sub/not.md": "", "docs/sub/sub/inner.md": "", "build/a.md": "",
    });
    const expected = wantedByGit(dir, "docs");
    expect(expected).toContain("docs/build/sub/b.md");
    expect(expected).not.toContain("docs/own.md");
    expect(await listed(dir, "docs")).toEqual(expected);
    expect(await listed(dir, ".")).toEqual(wantedByGit(dir, "."));
  });

  it("count from the top of the repository down to a source anywhere in it, and .git/info/exclude with them", async () => {
    const dir = await repositoryOf({ ".gitignore": "*.log", ".git/info/exclude": "private.md\n", "app/.gitignore": "/docs/draft.md\n", "app/docs/draft.md": "", "app/docs/private.md": "", "app/docs/a.log": "", "app/docs/a.md": "" });
    expect(await listed(join(dir, "app"), "docs")).toEqual(["docs/a.md"]);
    expect(await listed(dir, "app/docs")).toEqual(["app/docs/a.md"]);
  });

  it("are found in a further worktree of the repository", async () => {
    const dir = await repositoryOf({ "main/.gitignore": "*.log" });
    git(dir, "add", "-A");
    git(dir, "commit", "-qm", "First");
    writeFiles(dir, { ".git/info/exclude": "private.md\n" });
    git(dir, "worktree", "add", "-q", "other");
    writeFiles(dir, { "other/main/a.md": "", "other/main/a.log": "", "other/main/private.md": "" });
    expect(await listed(dir, "other/main")).toEqual(["other/main/.gitignore", "other/main/a.md"]);
  });

  it("count inside a folder that is in no repository", async () => {
    const dir = await temporaryFolder();
    writeFiles(dir, { ".gitignore": "*.md", "docs/.gitignore": "*.log\n", "docs/a.md": "", "docs/a.log": "" });
    expect(await listed(dir, "docs")).toEqual(["docs/.gitignore", "docs/a.md"]);
  });

  it("do not leave out a source that is named although they name it", async () => {
    const dir = await repositoryOf({ ".gitignore": "generated/\n*.log\n", "generated/docs/a.md": "", "generated/docs/.gitignore": "draft.md", "generated/docs/draft.md": "" });
    expect(await listed(dir, "generated/docs")).toEqual(["generated/docs/.gitignore", "generated/docs/a.md"]);
    expect(await listed(dir, "generated")).toEqual(["generated/docs/.gitignore", "generated/docs/a.md"]);
  });

  it("called .twelveignore count last, and bring back what .gitignore leaves out", async () => {
    const dir = await repositoryOf({ ".gitignore": "*.generated.md", "docs/.twelveignore": "draft.md\n!*.generated.md\n", "docs/a.md": "", "docs/draft.md": "", "docs/sub/draft.md": "", "docs/api.generated.md": "" });
    expect(await listed(dir, "docs")).toEqual(["docs/.twelveignore", "docs/a.md", "docs/api.generated.md"]);
  });

  it("of git do not count with `gitignore: false`; .twelveignore still does", async () => {
    const dir = await repositoryOf({ ".gitignore": "*.log", "docs/.gitignore": "b.md", "docs/.twelveignore": "c.md", "docs/a.log": "", "docs/b.md": "", "docs/c.md": "" });
    expect(await listed(dir, "docs", { gitignore: false })).toEqual(["docs/.gitignore", "docs/.twelveignore", "docs/a.log", "docs/b.md"]);
  });

  it("count through a source that is a link, and are not read through a link themselves", async () => {
    const dir = await repositoryOf({ "real/.gitignore": "a.md", "real/a.md": "", "real/b.md": "", "patterns": "b.md" });
    await symlink("real", join(dir, "docs"));
    await mkdir(join(dir, "real/sub"));
    await symlink("../../patterns", join(dir, "real/sub/.gitignore"));
    writeFiles(dir, { "real/sub/b.md": "" });
    expect(await listed(dir, "docs")).toEqual(["docs/.gitignore", "docs/b.md", "docs/sub/b.md"]);
  });
});

describe("a pattern of a folder further down", () => {
  it.each([
    ["*.md", "/docs/**/*.md"],
    ["!*.md", "!/docs/**/*.md"],
    ["build/", "/docs/**/build/"],
    ["/a.md", "/docs/a.md"],
    ["a/b.md", "/docs/a/b.md"],
    ["**/b.md", "/docs/**/b.md"],
    ["# note", undefined],
    ["  ", undefined],
  ])("%s is %s from the top", (line, pattern) => {
    expect(patternBelow("docs/", line)).toBe(pattern);
  });

  it("means a folder's name as it is", () => {
    expect(patternBelow("a [b] *!/", "x")).toBe("/a\\ \\[b\\]\\ \\*\\!/**/x");
  });
});

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { systemProcesses } from "../../src/adapters/system/process.ts";
import { openGit } from "../../src/code/git.ts";
import { readRepository } from "../../src/code/repository.ts";
import { selectFiles, type Selection, type SelectionRules } from "../../src/code/select-plan.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { git, gitApp, writeFiles } from "../helpers/git-app.ts";

const everything: SelectionRules = { include: ["**"], exclude: [], watched: ["twelve.yaml"] };

async function select(dir: string, rules: Partial<SelectionRules> = {}, env: Readonly<Record<string, string | undefined>> = process.env): Promise<Selection> {
  return selectFiles(await readRepository(openGit(systemProcesses, dir, env)), { ...everything, ...rules });
}
const paths = ({ files }: Selection): readonly string[] => files.map(({ path }) => path);

describe("the files of a build", () => {
  it("are the tracked ones, sorted by code unit", async () => {
    const dir = await gitApp({ "twelve.yaml": "", "b.txt": "b", "B.txt": "B", "a/c.txt": "c", ".env.example": "x" });
    writeFiles(dir, { "untracked.txt": "x" });
    expect(paths(await select(dir))).toEqual([".env.example", "B.txt", "a/c.txt", "b.txt", "twelve.yaml"]);
  });

  it("are those below the application folder when it is a part of the repository", async () => {
    const dir = await gitApp({ "other/x.txt": "x", "apps/shop/twelve.yaml": "", "apps/shop/src/main.py": "" });
    writeFiles(dir, { "other/x.txt": "changed" });
    const selection = await select(join(dir, "apps/shop"));
    expect({ paths: paths(selection), isDirty: selection.isDirty }).toEqual({ paths: ["src/main.py", "twelve.yaml"], isDirty: false });
  });

  it("are what include and exclude leave, and never our own folder", async () => {
    const dir = await gitApp({ "src/a.py": "", "src/a_test.py": "", "docs/x.md": "", ".twelve/store/blob": "" });
    expect(paths(await select(dir, { include: ["src/**", ".twelve/**"], exclude: ["**/*_test.py"] }))).toEqual(["src/a.py"]);
  });

  it("keep names with spaces, quotes, newlines and other scripts", async () => {
    const names = ["a b.txt", "it's \"so\".txt", "new\nline.txt", "tab\t.txt", "Größe/日本語.txt"];
    const dir = await gitApp(Object.fromEntries(names.map((name) => [name, "x"])));
    expect(paths(await select(dir))).toEqual([...names].sort());
  });

  it("know the commit's content by git's name, and changed content not", async () => {
    const dir = await gitApp({ "a.txt": "a\n", "b.txt": "b\n" });
    writeFiles(dir, { "b.txt": "changed\n" });
    const { files } = await select(dir);
    expect(files.map(({ oid }) => oid)).toEqual(["78981922613b2afb6025042ff6bd878ac1994e85", undefined]);
  });

  it("do not trust what git was told not to look at", async () => {
    const dir = await gitApp({ "a.txt": "a\n", "b.txt": "b\n" });
    git(dir, "update-index", "--assume-unchanged", "a.txt");
    git(dir, "update-index", "--skip-worktree", "b.txt");
    writeFiles(dir, { "a.txt": "changed\n" });
    expect((await select(dir)).files.map(({ oid }) => oid)).toEqual([undefined, undefined]);
  });

  it("have the modes of the disk", async () => {
    const dir = await gitApp({ "run.sh": "#!/bin/sh\n" });
    git(dir, "update-index", "--chmod=+x", "run.sh");
    git(dir, "commit", "--quiet", "--message", "Executable");
    git(dir, "checkout", "--quiet", "--force", "HEAD", "--", ".");
    expect((await select(dir)).files).toMatchObject([{ path: "run.sh", mode: "executable" }]);
  });
});

describe("a dirty build", () => {
  const changes: readonly (readonly [string, (dir: string) => void, boolean])[] = [
    ["nothing changed", () => {}, false],
    ["a packaged file changed", (dir) => writeFiles(dir, { "src/a.py": "changed" }), true],
    ["a packaged file changed and was staged", (dir) => (writeFiles(dir, { "src/a.py": "changed" }), git(dir, "add", ".")), true],
    ["a new packaged file was staged", (dir) => (writeFiles(dir, { "src/new.py": "new" }), git(dir, "add", ".")), true],
    ["a packaged file was removed from the index", (dir) => git(dir, "rm", "--cached", "--quiet", "src/a.py"), true],
    ["the manifest changed", (dir) => writeFiles(dir, { "twelve.yaml": "name: other" }), true],
    ["a file that is left out changed", (dir) => writeFiles(dir, { "docs/x.md": "changed" }), false],
    ["an untracked file appeared", (dir) => writeFiles(dir, { "src/new.py": "new" }), false],
    ["a file was touched", (dir) => writeFiles(dir, { "src/a.py": "a" }), false],
  ];
  it.each(changes)("%s", async (_, change, isDirty) => {
    const dir = await gitApp({ "twelve.yaml": "name: shop", "src/a.py": "a", "docs/x.md": "x" });
    change(dir);
    expect((await select(dir, { include: ["src/**"] })).isDirty).toBe(isDirty);
  });

  it("comes before the first commit too", async () => {
    const dir = await temporaryFolder();
    git(dir, "init", "--quiet");
    writeFiles(dir, { "a.txt": "a" });
    git(dir, "add", ".");
    const repository = await readRepository(openGit(systemProcesses, dir, process.env));
    expect({ commit: repository.commit, isDirty: selectFiles(repository, everything).isDirty }).toEqual({ commit: null, isDirty: true });
  });
});

describe("what cannot be packaged", () => {
  it("is a file that was deleted without telling git", async () => {
    const dir = await gitApp({ "it's.txt": "a" });
    rmSync(join(dir, "it's.txt"));
    expect((await select(dir)).problems).toEqual([
      { file: "it's.txt", message: String.raw`is tracked by git but missing on disk. Restore it with ${"`"}git restore -- 'it'\''s.txt'${"`"}, or remove it with ${"`"}git rm --cached -- 'it'\''s.txt'${"`"}` },
    ]);
  });

  it("is a submodule, unless it is excluded", async () => {
    const library = await gitApp({ "x.txt": "x" });
    const dir = await gitApp({ "a.txt": "a" });
    git(dir, "submodule", "--quiet", "add", library, "vendor/library");
    const selection = await select(dir);
    expect(selection.problems).toEqual([{ file: "vendor/library", message: "is a submodule; its files are not tracked by this repository. Exclude it with `code.exclude`, or copy its files in" }]);
    expect((await select(dir, { exclude: ["vendor/library"] })).problems).toEqual([]);
  });

  it("is a file with a merge conflict, named once", async () => {
    const dir = await gitApp({ "a.txt": "a\n" });
    git(dir, "checkout", "--quiet", "-b", "other");
    writeFiles(dir, { "a.txt": "other\n" });
    git(dir, "commit", "--quiet", "--all", "--message", "Other");
    git(dir, "checkout", "--quiet", "main");
    writeFiles(dir, { "a.txt": "main\n" });
    git(dir, "commit", "--quiet", "--all", "--message", "Main");
    expect(() => git(dir, "merge", "other")).toThrow("Command failed");
    expect((await select(dir)).problems).toEqual([{ file: "a.txt", message: "has a merge conflict. Resolve it and `git add` the file" }]);
  });
});

describe("git itself", () => {
  it("is said to be missing where it is not on the PATH", async () => {
    const run = openGit(systemProcesses, await temporaryFolder(), { PATH: "/nowhere" }).run(["status"]);
    await expect(run).rejects.toMatchObject({ code: "GIT_MISSING", message: expect.stringContaining("git cannot be started") });
  });

  it("is said to have no repository where there is none", async () => {
    const dir = await temporaryFolder();
    await expect(select(dir)).rejects.toMatchObject({ code: "GIT_MISSING", message: `${dir} is not in a git repository; a build packages the files that git tracks` });
  });

  it("starts no program that the repository's own settings name", async () => {
    const dir = await gitApp({ "a.txt": "a" });
    const proof = join(await temporaryFolder(), "ran");
    mkdirSync(join(dir, ".git", "hooks"), { recursive: true });
    const script = `#!/bin/sh\ntouch ${proof}\n`;
    for (const name of ["monitor", "hooks/post-index-change"]) writeFileSync(join(dir, ".git", name), script, { mode: 0o755 });
    git(dir, "config", "core.fsmonitor", join(dir, ".git", "monitor"));
    writeFiles(dir, { "a.txt": "changed" });
    await select(dir);
    expect(() => rmSync(proof)).toThrow("ENOENT");
  });

  it("looks at the application's own index inside a hook of another repository", async () => {
    const dir = await gitApp({ "a.txt": "a" });
    const other = await gitApp({ "b.txt": "b" });
    const env = { ...process.env, GIT_DIR: join(other, ".git"), GIT_INDEX_FILE: join(other, ".git/index"), GIT_WORK_TREE: other, GIT_PREFIX: "x/" };
    expect(paths(await select(dir, {}, env))).toEqual(["a.txt"]);
  });
});

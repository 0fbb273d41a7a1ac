import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import init from "../../src/init/command.ts";
import { appNameFrom } from "../../src/init/plan.ts";
import { readManifest } from "../../src/manifest/read.ts";
import type { Processes } from "../../src/ports/process.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";

const run = promisify(execFile);
const git = async (cwd: string, ...args: readonly string[]): Promise<string> => (await run("git", args, { cwd })).stdout.trim();

/** What `init` answers and tells in a folder, by default one that is in no repository. */
async function initIn(dir: string, input: { folder?: string; template?: string } = {}, processes?: Processes) {
  const context = await testContext({ dir });
  const answer = await init.run({ folder: ".", template: "rag", ...input }, { ...context, ...(processes && { processes }) });
  return { answer, told: context.told, text: init.render(answer, { folder: ".", template: "rag", ...input }) };
}

const noGit: Processes = { run: () => Promise.resolve({ exitCode: undefined, stdout: Buffer.alloc(0), stderr: "" }) };

describe("twelve init", () => {
  it.each(["rag", "chat", "agent"])("makes a repository with one commit that holds every file of the template %s but the ignored ones", async (template) => {
    const parent = await temporaryFolder();
    const { answer } = await initIn(parent, { folder: "support", template });
    const folder = join(parent, "support");
    expect(answer).toMatchObject({ app: "support", folder, template, repository: "created", commit: await git(folder, "rev-parse", "HEAD") });
    expect(await git(folder, "status", "--porcelain")).toBe("");
    const tracked = (await git(folder, "ls-files")).split("\n");
    expect(tracked).toEqual(answer.files.filter((path) => !path.startsWith(".twelve/")));
    expect(tracked).toEqual(expect.arrayContaining([".env.example", ".gitignore", "README.md", "evals/smoke.yaml", "twelve.yaml"]));
    expect(await readdir(parent)).toEqual(["support"]);
  });

  it.each(["rag", "chat", "agent"])("writes a manifest that is valid, has the name, and names its schema for editors (%s)", async (template) => {
    const parent = await temporaryFolder();
    await initIn(parent, { folder: "support", template });
    expect((await readManifest(join(parent, "support"))).name).toBe("support");
    const [firstLine = ""] = (await readFile(join(parent, "support", "twelve.yaml"), "utf8")).split("\n");
    expect(firstLine).toBe("# yaml-language-server: $schema=./.twelve/twelve.schema.json");
    const schema: unknown = JSON.parse(await readFile(join(parent, "support", ".twelve/twelve.schema.json"), "utf8"));
    expect(schema).toMatchObject({ title: "twelve.yaml", type: "object" });
  });

  it("gives the folder the permissions that any new folder gets", async () => {
    const parent = await temporaryFolder();
    await mkdir(join(parent, "other"));
    await initIn(parent, { folder: "support" });
    expect((await stat(join(parent, "support"))).mode).toBe((await stat(join(parent, "other"))).mode);
  });

  it("uses the current folder when it is empty, without replacing it", async () => {
    const dir = await temporaryFolder();
    const before = (await stat(dir)).ino;
    const { answer } = await initIn(dir);
    expect(answer.folder).toBe(dir);
    expect((await stat(dir)).ino).toBe(before);
    expect(await git(dir, "rev-parse", "--show-toplevel")).toMatch(/twelve-test-[^/]*$/);
    expect((await readdir(dir)).filter((name) => name.startsWith(".twelve-init"))).toEqual([]);
  });

  it("derives a valid application name from the folder and says so", async () => {
    const parent = await temporaryFolder();
    const { answer, told } = await initIn(parent, { folder: "Kundendienst (Köln)" });
    expect(answer.app).toBe(appNameFrom("Kundendienst (Köln)"));
    expect(told).toContain("note The application is called kundendienst-koln: names have lower-case letters, digits and hyphens");
    expect((await readManifest(answer.folder)).name).toBe("kundendienst-koln");
  });

  it("makes no repository inside a repository, and gives the commit line instead", async () => {
    const parent = await temporaryFolder();
    await git(parent, "init", "--quiet");
    const { answer, text, told } = await initIn(parent, { folder: "apps/support" });
    expect(answer).toMatchObject({ repository: "enclosing", commit: null });
    expect(await readdir(join(parent, "apps/support"))).not.toContain(".git");
    expect(told).toEqual(["note The folder is inside a git repository, so none was made: commit the new files there"]);
    expect(text).toContain(`cd ${relative("", join(parent, "apps/support"))}\n  git add -A . && git commit -m "First version"\n  twelve build`);
  });

  it("fills a fresh clone, which holds nothing but .git", async () => {
    const dir = await temporaryFolder();
    await git(dir, "init", "--quiet");
    const { answer } = await initIn(dir);
    expect(answer).toMatchObject({ repository: "enclosing", commit: null });
    expect(await readdir(dir)).toEqual(expect.arrayContaining([".git", "twelve.yaml"]));
  });

  it("makes a repository of its own in a folder that the enclosing one ignores", async () => {
    const parent = await temporaryFolder();
    await git(parent, "init", "--quiet");
    await writeFile(join(parent, ".gitignore"), "scratch/\n");
    expect((await initIn(parent, { folder: "scratch" })).answer.repository).toBe("created");
  });

  it("still writes the files where git is not installed, and says what is missing", async () => {
    const parent = await temporaryFolder();
    const { answer, told, text } = await initIn(parent, { folder: "support" }, noGit);
    expect(answer).toMatchObject({ repository: "missing", commit: null });
    expect(told).toEqual(["warn Git is not installed. A build takes its files from git: install it, then run `git init` in the folder"]);
    expect(text).toContain("git init\n  git add -A .");
    expect(await readdir(answer.folder)).toContain("twelve.yaml");
  });

  it("keeps the files and repeats git's words when git refuses the commit", async () => {
    const parent = await temporaryFolder();
    const { processes } = await testContext({ dir: parent });
    const refusing: Processes = {
      run: (file, args, options) => args.includes("commit")
        ? Promise.resolve({ exitCode: 128, stdout: Buffer.alloc(0), stderr: "error: gpg failed to sign the data\n" })
        : processes.run(file, args, options),
    };
    const { answer, told } = await initIn(parent, { folder: "support" }, refusing);
    expect(answer).toMatchObject({ repository: "created", commit: null });
    expect(told).toEqual(["warn Git could not make the first commit: error: gpg failed to sign the data. Run `git add -A && git commit` in the folder"]);
  });

  it("refuses a folder that holds something and leaves it alone", async () => {
    const dir = await temporaryFolder();
    for (const name of ["a", "b", "c", "d"]) await writeFile(join(dir, name), "");
    await expect(initIn(dir)).rejects.toMatchObject({ code: "FOLDER_NOT_EMPTY", message: `${dir} is not empty: it holds a, b, c and 1 more` });
    expect(await readdir(dir)).toEqual(["a", "b", "c", "d"]);
  });

  it("refuses a target that is a file", async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, "support"), "");
    await expect(initIn(dir, { folder: "support" })).rejects.toMatchObject({ code: "FOLDER_NOT_EMPTY", message: `${join(dir, "support")} is a file` });
  });

  it("leaves nothing behind when it fails halfway, not even new parents", async () => {
    const parent = await temporaryFolder();
    const failing: Processes = { run: () => Promise.reject(new Error("out of processes")) };
    await expect(initIn(parent, { folder: "apps/support" }, failing)).rejects.toThrow("out of processes");
    expect(await readdir(parent)).toEqual([]);
    await expect(initIn(parent, {}, failing)).rejects.toThrow("out of processes");
    expect(await readdir(parent)).toEqual([]);
  });

  it("says which folder cannot be written", async () => {
    const parent = await temporaryFolder();
    await symlink(join(parent, "nowhere"), join(parent, "link"));
    await expect(initIn(parent, { folder: "link/support" })).rejects.toMatchObject({ code: "FOLDER_UNUSABLE" });
    expect(await readdir(parent)).toEqual(["link"]);
  });

  it.each([
    ["rga", "There is no template \"rga\". Did you mean \"rag\"? Templates: agent, chat, rag"],
    ["../src", "There is no template \"../src\". Templates: agent, chat, rag"],
  ])("names the templates there are when asked for %s", async (template, message) => {
    const parent = await temporaryFolder();
    await expect(initIn(parent, { folder: "support", template })).rejects.toMatchObject({ code: "TEMPLATE_UNKNOWN", message });
    expect(await readdir(parent)).toEqual([]);
  });
});

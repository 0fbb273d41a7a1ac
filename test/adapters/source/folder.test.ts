import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openSource } from "../../../src/adapters/registry.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { type Contents, writeFiles } from "../../helpers/git-app.ts";
import { describeSource, listAll, textOf } from "../../ports/source.contract.ts";

async function folderOf(files: Contents): Promise<string> {
  const dir = await temporaryFolder();
  writeFiles(dir, files);
  return dir;
}

async function listed(dir: string, reference = "docs"): Promise<{ readonly paths: readonly string[]; readonly skips: Readonly<Record<string, string>> }> {
  const { files, skips } = await listAll(await openSource(reference, { dir, env: {} }));
  return { paths: files.map(({ path }) => path).sort(), skips: Object.fromEntries(skips.map(({ path, reason }) => [path, reason])) };
}

describeSource("folder", {
  async open(documents) {
    const dir = await temporaryFolder();
    await mkdir(join(dir, "docs"));
    writeFiles(join(dir, "docs"), documents);
    return { source: await openSource("docs", { dir, env: {} }), pathOf: (name) => `docs/${name}` };
  },
  openMissing: async () => openSource("dosc", { dir: await folderOf({ "docs/a.md": "" }), env: {} }),
});

describe("a folder as a source", () => {
  it("leaves out .git, node_modules and .twelve at any depth", async () => {
    const dir = await folderOf({ "docs/a.md": "", "docs/.git/a.md": "", "docs/x/node_modules/p/a.md": "", "docs/.twelve/a.md": "", "docs/.hidden/a.md": "" });
    expect((await listed(dir)).paths).toEqual(["docs/.hidden/a.md", "docs/a.md"]);
  });

  it("may lie outside the application, by a relative or an absolute path", async () => {
    const dir = await folderOf({ "app/twelve.yaml": "", "other/b.md": "" });
    expect((await listed(join(dir, "app"), "../other")).paths).toEqual(["../other/b.md"]);
    expect((await listed(join(dir, "app"), join(dir, "other"))).paths).toEqual(["../other/b.md"]);
  });

  it("names the local file of each document", async () => {
    const dir = await folderOf({ "docs/a.md": "text" });
    const { files } = await listAll(await openSource("docs", { dir, env: {} }));
    expect(files.map(({ path, file, sizeBytes }) => ({ path, file, sizeBytes }))).toEqual([{ path: "docs/a.md", file: join(dir, "docs/a.md"), sizeBytes: 4 }]);
  });

  it("tells by the version that a file has changed, and gives none while it is so young that another change might not show", async () => {
    const dir = await folderOf({ "docs/a.md": "one", "docs/b.md": "two" });
    const versions = async (): Promise<readonly (string | undefined)[]> => (await listAll(await openSource("docs", { dir, env: {} }))).files.toSorted((left, right) => (left.path < right.path ? -1 : 1)).map(({ version }) => version);
    expect(await versions()).toEqual([undefined, undefined]);
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
    onTestFinished(() => void vi.useRealTimers());
    const [a, b] = await versions();
    expect([a, b]).toEqual([expect.any(String), expect.any(String)]);
    writeFiles(dir, { "docs/a.md": "six" });
    expect(await versions()).toEqual([expect.any(String), b]);
    expect((await versions())[0]).not.toBe(a);
  });

  it("may be one file, which no glob and no ignore file leaves out", async () => {
    const dir = await folderOf({ ".git/HEAD": "", ".gitignore": "NOTES.md", "NOTES.md": "notes" });
    const { files } = await listAll(await openSource("NOTES.md", { dir, env: {} }), () => false);
    expect([files.map(({ path }) => path), await textOf(files[0])]).toEqual([["NOTES.md"], "notes"]);
  });

  it("takes names with a colon for paths where no scheme follows", async () => {
    const dir = await folderOf({ "notes:2026/a.md": "", "c:/b.md": "" });
    expect((await listed(dir, "notes:2026")).paths).toEqual(["notes:2026/a.md"]);
    expect((await listed(dir, "c:/b.md")).paths).toEqual(["c:/b.md"]);
    await expect(openSource("ftp://host/docs", { dir, env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: "This version has no document source for ftp:. Supported: s3:, and folders and files, which are named without a scheme" });
  });

  it("follows no link and says where each one leads", async () => {
    const dir = await folderOf({ "docs/real/a.md": "", "secret.md": "", "outside/b.md": "" });
    const links = { "docs/real/loop": "..", "docs/self": "self", "docs/alias.md": "real/a.md", "docs/twin": "real", "docs/out.md": "../secret.md", "docs/away": "../outside", "docs/dead.md": "nothing.md" };
    for (const [path, target] of Object.entries(links)) await symlink(target, join(dir, path));
    expect(await listed(dir)).toEqual({
      paths: ["docs/real/a.md"],
      skips: {
        "docs/alias.md": "is a symbolic link; its target is read as docs/real/a.md",
        "docs/away": "is a symbolic link out of the source",
        "docs/dead.md": "is a symbolic link to nothing (ENOENT)",
        "docs/out.md": "is a symbolic link out of the source",
        "docs/real/loop": "is a symbolic link to a folder that it is in",
        "docs/self": "is a symbolic link to itself",
        "docs/twin": "is a symbolic link; its target is read as docs/real",
      },
    });
  });

  it("may itself be a link, and keeps the names that lead through it", async () => {
    const dir = await folderOf({ "real/a.md": "", "real/sub/b.md": "" });
    await symlink("real", join(dir, "docs"));
    await symlink("a.md", join(dir, "real/c.md"));
    expect(await listed(dir)).toEqual({ paths: ["docs/a.md", "docs/sub/b.md"], skips: { "docs/c.md": "is a symbolic link; its target is read as docs/a.md" } });
  });

  it("skips what is neither a file nor a folder", async () => {
    // A socket's path may have about 100 bytes.
    const dir = await mkdtemp(join(tmpdir(), "tw-"));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    writeFiles(dir, { "docs/a.md": "" });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(dir, "docs/socket.md"), resolve));
    onTestFinished(() => void server.close());
    expect(await listed(dir)).toEqual({ paths: ["docs/a.md"], skips: { "docs/socket.md": "is neither a file nor a folder" } });
  });

  it.skipIf(process.getuid?.() === 0)("goes on where a folder may not be read (skipped for root, who may read everything)", async () => {
    const dir = await folderOf({ "docs/a.md": "", "docs/locked/b.md": "" });
    await chmod(join(dir, "docs/locked"), 0);
    onTestFinished(() => chmod(join(dir, "docs/locked"), 0o700));
    expect(await listed(dir)).toEqual({ paths: ["docs/a.md"], skips: { "docs/locked": "cannot be listed: EACCES" } });
  });

  it("says of a file that went away which one it was", async () => {
    const dir = await folderOf({ "docs/a.md": "text" });
    const { files } = await listAll(await openSource("docs", { dir, env: {} }));
    await rm(join(dir, "docs/a.md"));
    await expect(files[0]?.read()).rejects.toMatchObject({ code: "SOURCE_INVALID", message: "docs/a.md cannot be read: ENOENT" });
  });

  it("is refused where there is nothing of its name, with the whole path", async () => {
    const dir = await folderOf({ "docs/a.md": "" });
    await expect(listed(dir, "dosc")).rejects.toMatchObject({ code: "SOURCE_INVALID", message: `There is no source folder dosc (${join(dir, "dosc")})` });
    await writeFile(join(dir, "file"), "");
    await expect(listed(dir, "file/docs")).rejects.toMatchObject({ code: "SOURCE_INVALID", message: `The source ${join(dir, "file/docs")} cannot be read: ENOTDIR` });
  });
});

import { chmodSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { zstdCompressSync, zstdDecompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { systemProcesses } from "../../src/adapters/system/process.ts";
import { openStore as openMemory } from "../../src/adapters/store/memory/adapter.ts";
import { movePointer, readPointer } from "../../src/artifact/pointer.ts";
import { writeDocument } from "../../src/artifact/document.ts";
import { refs } from "../../src/artifact/refs.ts";
import { packCode, type PackedCode } from "../../src/code/apply.ts";
import { readCache, writeCache } from "../../src/code/cache.ts";
import { openGit } from "../../src/code/git.ts";
import { layOutCode } from "../../src/code/layout.ts";
import { maxArchiveBytes } from "../../src/code/read-batch.ts";
import { archiveMediaType, codeDataKind, type CodeFile, codeTreeKind, compressedArchiveMediaType } from "../../src/code/schema.ts";
import { readRepository } from "../../src/code/repository.ts";
import { selectFiles } from "../../src/code/select-plan.ts";
import { endBytes, fileHeader, linkHeader, paddedSize } from "../../src/code/tar.ts";
import { assertUnchanged, nextCache } from "../../src/code/unchanged.ts";
import { type Descriptor, type Digest, digestOf } from "../../src/core/descriptor.ts";
import type { Store } from "../../src/ports/store.ts";
import { fixedClock, temporaryFolder } from "../helpers/context.ts";
import { type Contents, git, gitApp, writeFiles } from "../helpers/git-app.ts";

const options = (dir: string) => ({ dir, signal: new AbortController().signal, update: () => {} });

async function pack(dir: string, store: Store, earlier?: Descriptor): Promise<PackedCode> {
  const repository = await readRepository(openGit(systemProcesses, dir, process.env));
  const { files } = selectFiles(repository, { include: ["**"], exclude: [], watched: [] });
  const cache = readCache(dir);
  const code = await packCode(files, cache, store, earlier, options(dir));
  writeCache(dir, nextCache(cache, files, code.facts), fixedClock());
  return code;
}
const memory = (): Promise<Store> => openStore("memory:", { dir: "/", env: {} });
async function archivesOf(store: Store, { descriptor }: PackedCode): Promise<readonly Descriptor[]> {
  return (await readPointer(store, codeDataKind, refs.codeData(descriptor.digest)))?.value.archives ?? [];
}
/** Every path below a folder with its content, or the target of a link. */
function contents(folder: string, below = ""): Record<string, string> {
  const entries = readdirSync(join(folder, below), { withFileTypes: true }).map((entry): Record<string, string> => {
    const path = below + entry.name;
    if (entry.isDirectory()) return contents(folder, `${path}/`);
    return { [path]: entry.isSymbolicLink() ? `-> ${readlinkSync(join(folder, path))}` : readFileSync(join(folder, path), "utf8") };
  });
  return Object.assign({}, ...entries) as Record<string, string>;
}

const odd: Contents = { "a b/it's\n.txt": "one", "Größe.txt": "", [`${"deep/".repeat(30)}x`]: "two", "run.sh": "#!/bin/sh\n", "big.bin": Buffer.alloc(300_000, 7) };

describe("packaged code", () => {
  it("is laid out as it was, with odd names, modes, empty files and links", async () => {
    const dir = await gitApp(odd);
    chmodSync(join(dir, "run.sh"), 0o755);
    symlinkSync("../run.sh", join(dir, "a b", "link"));
    git(dir, "add", ".");
    const store = await memory();
    const { descriptor } = await pack(dir, store);
    const folder = join(await temporaryFolder(), "code");
    await layOutCode(store, descriptor, folder);
    expect(contents(folder)).toEqual({ ...Object.fromEntries(Object.entries(odd).map(([path, content]) => [path, String(content)])), "a b/link": "-> ../run.sh" });
    expect(lstatSync(join(folder, "run.sh")).mode & 0o777).toBe(0o755);
    expect(lstatSync(join(folder, "big.bin")).mode & 0o777).toBe(0o644);
  });

  it("has one digest for equal files in another folder, with other times, owners' masks and orders", async () => {
    const first = await gitApp({ "a.txt": "a", "b/c.txt": "c", "z.txt": "z" });
    const second = await gitApp({ "z.txt": "z", "b/c.txt": "c", "a.txt": "a" });
    chmodSync(join(second, "a.txt"), 0o600);
    utimesSync(join(second, "z.txt"), 1, 1);
    const [one, two] = await Promise.all([first, second].map(async (dir) => pack(dir, await memory())));
    expect(one?.descriptor).toEqual(two?.descriptor);
  });

  it("has the same digest however many builds it took to store it", async () => {
    const dir = await gitApp({ "a.txt": "a", "b.txt": "b" });
    const store = await memory();
    const first = await pack(dir, store);
    writeFiles(dir, { "b.txt": "changed" });
    const second = await pack(dir, store, first.descriptor);
    const whole = await pack(dir, await memory());
    expect(second.descriptor).toEqual(whole.descriptor);
  });

  it("is stored as the files that changed, after the archives of the build before", async () => {
    const dir = await gitApp({ "a.txt": "a".repeat(100_000), "b.txt": "b" });
    const store = await memory();
    const first = await pack(dir, store);
    writeFiles(dir, { "b.txt": "changed" });
    const second = await pack(dir, store, first.descriptor);
    const [added, ...others] = (await archivesOf(store, second)).slice((await archivesOf(store, first)).length);
    if (added === undefined) throw new Error("No archive was added");
    expect([others, added.mediaType, added.size]).toEqual([[], compressedArchiveMediaType, second.storedBytes]);
    const tar = zstdDecompressSync(await store.blobs.read(added));
    expect([tar.length, tar.toString("utf8", 0, 5)]).toEqual([512 + 512 + endBytes, "b.txt"]);
    const folder = join(await temporaryFolder(), "code");
    await layOutCode(store, second.descriptor, folder);
    expect(contents(folder)["b.txt"]).toBe("changed");
  });

  it("reads nothing and stores nothing when nothing changed", async () => {
    const dir = await gitApp({ "a.txt": "a", "b.txt": "b" });
    const store = await memory();
    const first = await pack(dir, store);
    const second = await pack(dir, store, first.descriptor);
    expect(second).toMatchObject({ descriptor: first.descriptor, readFiles: 0, storedBytes: 0 });
  });

  it("is stored again when the store lost an archive", async () => {
    const dir = await gitApp({ "a.txt": "a" });
    const first = await pack(dir, await memory());
    const store = await memory();
    await writeDocument(store, codeTreeKind, first.tree);
    const second = await pack(dir, store, first.descriptor);
    expect(second).toMatchObject({ descriptor: first.descriptor, storedBytes: first.storedBytes });
    expect(second.storedBytes).toBeGreaterThan(0);
  });

  it("is stored again when only the list of its archives is left", async () => {
    const dir = await gitApp({ "a.txt": "a" });
    const full = await memory();
    const first = await pack(dir, full);
    const store = await memory();
    await writeDocument(store, codeTreeKind, first.tree);
    await store.refs.create(refs.codeData(first.descriptor.digest), JSON.stringify({ version: 1, archives: await archivesOf(full, first), contentBytes: 0 }));
    await pack(dir, store, first.descriptor);
    const folder = join(await temporaryFolder(), "code");
    await layOutCode(store, first.descriptor, folder);
    expect(contents(folder)).toEqual({ "a.txt": "a" });
  });

  it("is stored again when what an earlier build left cannot be read", async () => {
    const dir = await gitApp({ "a.txt": "a" });
    const blobs = new Map<Digest, Uint8Array>();
    const store = openMemory(blobs);
    const { descriptor } = await pack(dir, store);
    await movePointer(store, refs.codeData(descriptor.digest), { version: 0 });
    expect(await pack(dir, store, descriptor)).toMatchObject({ descriptor });
    expect(await readPointer(store, codeDataKind, refs.codeData(descriptor.digest))).toBeDefined();
    writeFiles(dir, { "a.txt": "changed" });
    blobs.get(descriptor.digest)?.fill(0);
    const folder = join(await temporaryFolder(), "code");
    await layOutCode(store, (await pack(dir, store, descriptor)).descriptor, folder);
    expect(contents(folder)).toEqual({ "a.txt": "changed" });
  });

  it("is refused when a file changed between git's look at it and ours", async () => {
    const dir = await gitApp({ "a.txt": "a", "b.txt": "b" });
    const access = openGit(systemProcesses, dir, process.env);
    const { files } = selectFiles(await readRepository(access), { include: ["**"], exclude: [], watched: [] });
    writeFiles(dir, { "b.txt": "changed" });
    await expect(assertUnchanged(access, files)).rejects.toMatchObject({ code: "CODE_CHANGED", message: "b.txt changed while the code was packaged" });
  });

  it("is packed anew when more than half of its archives is out of date", async () => {
    const dir = await gitApp({ "a.bin": Buffer.alloc(3 << 20, 1), "b.txt": "b" });
    const store = await memory();
    let code = await pack(dir, store);
    const counts: number[] = [];
    for (const turn of [2, 3, 4]) {
      writeFiles(dir, { "a.bin": Buffer.alloc(3 << 20, turn) });
      code = await pack(dir, store, code.descriptor);
      counts.push((await archivesOf(store, code)).length);
    }
    expect(counts).toEqual([2, 1, 2]);
  });

  it("reads files again when the cache is damaged", async () => {
    const dir = await gitApp({ "a.txt": "a", "b.txt": "b" });
    const store = await memory();
    const first = await pack(dir, store);
    const cache = join(dir, ".twelve/cache/code-facts");
    writeFileSync(cache, readFileSync(cache, "utf8").replace(/ 1\n$/, " 2\n"));
    expect(await pack(dir, store, first.descriptor)).toMatchObject({ descriptor: first.descriptor, readFiles: 2 });
  });

  it("refuses links that lead out of the application's folder", async () => {
    const dir = await gitApp({ "a.txt": "a" });
    symlinkSync("../outside", join(dir, "link"));
    git(dir, "add", ".");
    await expect(memory().then((store) => pack(dir, store))).rejects.toMatchObject({
      code: "CODE_INVALID",
      problems: [{ file: "link", message: 'is a link to "../outside", which is outside of the application\'s folder. Replace it with the file, or leave it out with `code.exclude`' }],
    });
  });

  it("comes out the same through threads, which many files are read with", async () => {
    const files = Object.fromEntries(Array.from({ length: 1100 }, (_, i) => [`src/${i}.txt`, `file ${i}`]));
    const store = await memory();
    const { descriptor } = await pack(await gitApp(files), store);
    const folder = join(await temporaryFolder(), "code");
    await layOutCode(store, descriptor, folder);
    expect(contents(folder)).toEqual(files);
  });
});

describe("a laid-out folder", () => {
  async function laidOut(): Promise<{ store: Store; descriptor: Descriptor; folder: string }> {
    const store = await memory();
    const { descriptor } = await pack(await gitApp({ "a.txt": "a", "b/c.txt": "c" }), store);
    const folder = join(await temporaryFolder(), "code");
    await layOutCode(store, descriptor, folder);
    return { store, descriptor, folder };
  }
  const whole = { "a.txt": "a", "b/c.txt": "c" };

  const damage: readonly (readonly [string, (folder: string) => void])[] = [
    ["a file was changed", (folder) => writeFileSync(join(folder, "a.txt"), "x")],
    ["a file is missing", (folder) => rmSync(join(folder, "b/c.txt"))],
    ["a folder has become a file", (folder) => (rmSync(join(folder, "b"), { recursive: true }), writeFileSync(join(folder, "b"), "x"))],
    ["a file has become a folder", (folder) => (rmSync(join(folder, "a.txt")), mkdirSync(join(folder, "a.txt/x"), { recursive: true }))],
    ["a folder was replaced by a link to elsewhere", (folder) => (renameSync(join(folder, "b"), `${folder}.elsewhere`), symlinkSync(`${folder}.elsewhere`, join(folder, "b")))],
  ];
  it.each(damage)("is put right when %s", async (_, change) => {
    const { store, descriptor, folder } = await laidOut();
    change(folder);
    await layOutCode(store, descriptor, folder);
    expect(contents(folder)).toEqual(whole);
  });

  it("needs no archive when it is whole", async () => {
    const { store, descriptor, folder } = await laidOut();
    const read = (blob: Descriptor): Promise<Uint8Array> => {
      if (blob.digest !== descriptor.digest) throw new Error("an archive was read");
      return store.blobs.read(blob);
    };
    await layOutCode({ ...store, blobs: { ...store.blobs, read } }, descriptor, folder);
    expect(contents(folder)).toEqual(whole);
  });

  it("is served also where nothing can be noted beside it, as on a read-only disk", async () => {
    const { store, descriptor, folder } = await laidOut();
    rmSync(`${folder}.intact`);
    mkdirSync(`${folder}.intact`);
    await layOutCode(store, descriptor, folder);
    expect(contents(folder)).toEqual(whole);
  });

  it("keeps what programs wrote beside the code", async () => {
    const { store, descriptor, folder } = await laidOut();
    writeFileSync(join(folder, "cache.tmp"), "x");
    rmSync(join(folder, "a.txt"));
    await layOutCode(store, descriptor, folder);
    expect(contents(folder)).toEqual({ ...whole, "cache.tmp": "x" });
  });

  it("is whole when ten callers make it at the same time", async () => {
    const { store, descriptor } = await laidOut();
    const parent = await temporaryFolder();
    await Promise.all(Array.from({ length: 10 }, () => layOutCode(store, descriptor, join(parent, "code"))));
    expect(contents(join(parent, "code"))).toEqual(whole);
    expect(readdirSync(parent).sort()).toEqual(["code", "code.intact"]);
  });
});

describe("a hostile store", () => {
  const file = (path: string, content = "x", mode: CodeFile["mode"] = "file"): CodeFile => ({ path, mode, size: Buffer.byteLength(content), digest: digestOf(content) });
  const entry = (path: string): Buffer => Buffer.concat([fileHeader({ path, isExecutable: false, size: 1 }), Buffer.from("x"), Buffer.alloc(paddedSize(1) - 1)]);
  /** A link's header with the type changed, and its checksum with it. */
  const hardLink = (path: string, target: string): Buffer => {
    const header = linkHeader(path, target);
    header.write("1", 156);
    header.write((Number.parseInt(header.toString("latin1", 148, 154), 8) - 1).toString(8).padStart(6, "0"), 148);
    return header;
  };
  const plain = { mediaType: archiveMediaType, pack: (tar: Buffer): Buffer => tar };
  async function layOut(files: readonly CodeFile[], entries: readonly Buffer[], { mediaType, pack } = plain): Promise<string> {
    const store = await memory();
    const tree = await writeDocument(store, codeTreeKind, { version: 1, files: [...files] });
    const archive = await store.blobs.write(pack(Buffer.concat([...entries, Buffer.alloc(endBytes)])), mediaType);
    await store.refs.create(refs.codeData(tree.digest), JSON.stringify({ version: 1, archives: [archive], contentBytes: archive.size }));
    const folder = join(await temporaryFolder(), "inner", "code");
    mkdirSync(join(folder, ".."));
    await layOutCode(store, tree, folder);
    return folder;
  }

  const refusals: readonly (readonly [string, readonly CodeFile[], readonly Buffer[], string])[] = [
    ["an absolute path", [file("/tmp/evil")], [entry("/tmp/evil")], '"/tmp/evil", which is not below it'],
    ["a path that goes up", [file("../evil")], [entry("../evil")], '"../evil", which is not below it'],
    ["a path through a link", [file("link", "/tmp", "symlink"), file("link/evil")], [linkHeader("link", "/tmp"), entry("link/evil")], "leads through the symlink"],
    ["a path listed twice", [file("a"), file("a")], [entry("a")], "a path that is listed twice"],
    ["a link that leads out", [file("link", "../../evil", "symlink")], [linkHeader("link", "../../evil")], 'the link "link" to "../../evil"'],
    ["a hard link", [file("a")], [hardLink("a", "/etc/passwd")], 'an archive entry that is neither file nor link: "a"'],
    ["an archive that is damaged", [file("a")], [entry("a").fill("b", 0, 1)], "an archive that is damaged: the header at byte 0"],
  ];
  it.each(refusals)("cannot lay out %s", async (_, files, entries, message) => {
    await expect(layOut(files, entries)).rejects.toThrow(message);
  });

  it("cannot fill memory with an archive that unpacks to more than any archive holds", async () => {
    const bomb = (tar: Buffer): Buffer => zstdCompressSync(Buffer.concat([tar, Buffer.alloc(maxArchiveBytes)]));
    const laidOut = layOut([file("a")], [entry("a")], { mediaType: compressedArchiveMediaType, pack: bomb });
    await expect(laidOut).rejects.toMatchObject({ code: "ARTIFACT_INVALID", message: expect.stringContaining("cannot be unpacked") });
  });

  it("cannot pass off other content as a file of the tree", async () => {
    await expect(layOut([file("a.txt", "y")], [entry("a.txt")])).rejects.toMatchObject({ code: "BLOB_NOT_FOUND", message: expect.stringContaining("lacks 1 files of the code") });
  });

  it("writes nothing of what the tree does not name", async () => {
    const folder = await layOut([file("a.txt")], [entry("a.txt"), entry("../evil"), entry("b.txt")]);
    expect(contents(folder)).toEqual({ "a.txt": "x" });
    expect(existsSync(join(folder, "..", "evil"))).toBe(false);
  });
});

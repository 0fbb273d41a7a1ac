import { chmod, link, mkdir, readdir, readFile, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";
import { digestOf } from "../../../../src/core/descriptor.ts";
import { temporaryFolder } from "../../../helpers/context.ts";
import { blobFile } from "./damage.ts";
import { canMount, mountSmall } from "./mount.ts";

const content = Buffer.from("content");
const digest = digestOf("content");

it("takes relative paths from the application's folder, absolute ones and file URLs as they are", () => {
  expect(openStore("file:.twelve/store", "/apps/support").url).toBe("file:/apps/support/.twelve/store");
  expect(openStore("file:/srv/store", "/apps/support").url).toBe("file:/srv/store");
  expect(openStore(pathToFileURL("/srv/my store").href, "/apps/support").url).toBe("file:/srv/my store");
});

it.each(["file:", "file://server/share", "file:///a%2Fb"])("refuses %s", (reference) => {
  expect(() => openStore(reference, "/apps/support")).toThrow(expect.objectContaining({ code: "CONFIG_INVALID" }));
});

it("makes nothing before the first write", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  await store.refs.read("ref");
  await store.blobs.has(digest);
  expect(await readdir(folder)).toEqual([]);
});

it("keeps a blob as a read-only file under its digest, and a ref's values beside each other", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  await store.blobs.write(content, "text/plain");
  await store.refs.create("apps/a/Latest", "one");
  await store.refs.replace("apps/a/Latest", "two", "1");
  const { mode } = await stat(blobFile(folder, digest));
  expect(mode & 0o777 & ~0o444).toBe(0);
  expect(await readFile(blobFile(folder, digest), "utf8")).toBe("content");
  expect((await readdir(join(folder, "store/refs/apps/a"))).sort()).toEqual(["+latest@1", "+latest@2"]);
  for (const area of ["blobs", "refs"]) expect(await readdir(join(folder, "store", area, ".tmp"))).toEqual([]);
});

it("moves a file that it is given, and links a blob to where it is wanted", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  await writeFile(join(folder, "given"), content);
  const { ino } = await stat(join(folder, "given"));
  const blob = await store.blobs.writeFile(join(folder, "given"), "text/plain");
  await store.blobs.readFile(blob, join(folder, "wanted"));
  expect((await stat(blobFile(folder, digest))).ino).toBe(ino);
  expect((await stat(join(folder, "wanted"))).ino).toBe(ino);
});

it("copies a file that has other names, so that nobody can change the blob through them", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  await writeFile(join(folder, "linked"), "linked content");
  await link(join(folder, "linked"), join(folder, "given"));
  await writeFile(join(folder, "pointed"), "pointed content");
  await symlink(join(folder, "pointed"), join(folder, "pointer"));
  const linked = await store.blobs.writeFile(join(folder, "given"), "text/plain");
  const pointed = await store.blobs.writeFile(join(folder, "pointer"), "text/plain");
  for (const name of ["linked", "pointed"]) await writeFile(join(folder, name), "changed afterwards");
  expect((await store.blobs.read(linked)).toString()).toBe("linked content");
  expect((await store.blobs.read(pointed)).toString()).toBe("pointed content");
  expect((await readdir(folder)).sort()).toEqual(["linked", "pointed", "store"]);
});

it.skipIf(!canMount)("copies between filesystems, both ways (needs the right to mount)", async () => {
  const folder = await temporaryFolder();
  const elsewhere = mountSmall("1m");
  const store = openStore("file:store", folder);
  await writeFile(join(elsewhere, "given"), content);
  const blob = await store.blobs.writeFile(join(elsewhere, "given"), "text/plain");
  await store.blobs.readFile(blob, join(elsewhere, "wanted"));
  expect(await readFile(join(elsewhere, "wanted"), "utf8")).toBe("content");
  expect((await stat(join(elsewhere, "wanted"))).mode & 0o222).toBe(0);
  expect((await stat(blobFile(folder, digest))).mode & 0o222).toBe(0);
  await store.blobs.readFile(blob, join(elsewhere, "wanted"));
  expect(await readdir(elsewhere)).toEqual(["wanted"]);
});

it("writes a blob anew whose file was cut off", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  const blob = await store.blobs.write(content, "text/plain");
  await chmod(blobFile(folder, digest), 0o644);
  await truncate(blobFile(folder, digest), 3);
  await expect(store.blobs.read(blob)).rejects.toMatchObject({ code: "BLOB_CORRUPT", message: expect.stringContaining(blobFile(folder, digest)) });
  await store.blobs.write(content, "text/plain");
  expect((await store.blobs.read(blob)).toString()).toBe("content");
});

it("does not list files that are not its own", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  await store.blobs.write(content, "text/plain");
  await store.refs.create("apps/a", "value");
  for (const name of ["blobs/sha256/.DS_Store", "blobs/sha256/ab.txt", "refs/.DS_Store", "refs/Thumbs.db", "refs/apps/b", "refs/apps/c@2", "refs/apps/d@1.bak", "refs/apps/+1@1"]) {
    await writeFile(join(folder, "store", name), "x");
  }
  await store.refs.create("apps/e/x", "value");
  await mkdir(join(folder, "store/refs/apps/e@1"));
  const digests: string[] = [];
  for await (const listed of store.blobs.list()) digests.push(listed);
  expect(digests).toEqual([digest]);
  expect(await store.refs.list("")).toEqual(["apps/a", "apps/e/x"]);
});

it("takes hundreds of blobs and refs at once", async () => {
  const store = openStore("file:store", await temporaryFolder());
  const numbers = Array.from({ length: 1500 }, (_, number) => String(number));
  const blobs = await Promise.all(numbers.map((number) => store.blobs.write(Buffer.from(number), "text/plain")));
  const isCreated = await Promise.all(numbers.map((number) => store.refs.create(`numbers/${number}`, number)));
  expect(isCreated.every(Boolean)).toBe(true);
  expect(await store.refs.list("numbers/")).toHaveLength(1500);
  const read = await Promise.all(blobs.map((blob) => store.blobs.read(blob)));
  expect(read.map(String)).toEqual(numbers);
});

import { chmod, mkdir, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";
import { digestOf } from "../../../../src/core/descriptor.ts";
import type { Store } from "../../../../src/ports/store.ts";
import { temporaryFolder } from "../../../helpers/context.ts";
import { startActor } from "./actors.ts";
import { canMount, makeReadOnly, mountSmall } from "./mount.ts";

const unusable = (path: string, reason: string): object => ({
  code: "STORE_UNUSABLE",
  message: expect.stringMatching(new RegExp(`^The store .*${path}.*: .*${reason}`)),
});
const content = Buffer.from("content");
const writes = (store: Store): readonly (() => Promise<unknown>)[] => [() => store.blobs.write(content, "text/plain"), () => store.refs.create("ref", "value")];

it("names the file that is where its folder should be, for reading and writing", async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "store"), "a file");
  const store = openStore("file:store", folder);
  const blob = { mediaType: "text/plain", digest: digestOf("content"), size: 7 };
  const reads = [() => store.blobs.has(blob.digest), () => store.blobs.read(blob), () => store.refs.read("ref"), () => store.refs.list(""), () => store.blobs.list()[Symbol.asyncIterator]().next()];
  for (const attempt of [...writes(store), ...reads]) {
    await expect(attempt()).rejects.toMatchObject(unusable(join(folder, "store"), "a file is where a folder should be"));
  }
});

it("names the folder that is where a blob's file should be, and the loop of links where the store should be", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  const blob = await store.blobs.write(content, "text/plain");
  const path = join(folder, "store/blobs/sha256", blob.digest.slice(7, 9), blob.digest.slice(9));
  await rm(path);
  await mkdir(path);
  await expect(store.blobs.check(blob.digest)).rejects.toMatchObject(unusable(path, "a folder is where a file should be"));
  await symlink(join(folder, "loop"), join(folder, "loop"));
  await expect(openStore("file:loop", folder).blobs.write(content, "text/plain")).rejects.toMatchObject({ code: "STORE_UNUSABLE" });
});

it.skipIf(!canMount)("says that a read-only filesystem is one, and still reads from it (needs the right to mount)", async () => {
  const folder = mountSmall("1m");
  const store = openStore("file:store", folder);
  const blob = await store.blobs.write(content, "text/plain");
  await store.refs.create("kept", "value");
  makeReadOnly(folder);
  const other = openStore("file:store", folder);
  await expect(other.blobs.write(Buffer.from("more"), "text/plain")).rejects.toMatchObject(unusable(join(folder, "store"), "the filesystem is read-only"));
  for (const attempt of [() => other.refs.create("more", "value"), () => other.refs.replace("kept", "other", "1")]) {
    await expect(attempt()).rejects.toMatchObject(unusable(join(folder, "store"), "the filesystem is read-only"));
  }
  expect(await other.blobs.read(blob)).toEqual(content);
  expect((await other.refs.read("kept"))?.value).toBe("value");
});

it.skipIf(!canMount)("says that the disk is full, leaves nothing behind, and goes on when there is space (needs the right to mount)", async () => {
  const folder = mountSmall("384k");
  const store = openStore("file:store", folder);
  await store.refs.create("kept", "value");
  const filler = join(folder, "filler");
  await writeFile(filler, Buffer.alloc(300 * 1024));
  const large = Buffer.alloc(200 * 1024, "x");
  await expect(store.blobs.write(large, "text/plain")).rejects.toMatchObject(unusable(join(folder, "store/blobs/.tmp"), "no space is left on the device"));
  const given = join(await temporaryFolder(), "large");
  await writeFile(given, large);
  await expect(store.blobs.writeFile(given, "text/plain")).rejects.toMatchObject(unusable(join(folder, "store/blobs/.tmp"), "no space is left on the device"));
  await expect(store.refs.create("more", "v".repeat(60 * 1024)).then(() => store.refs.create("most", "v".repeat(60 * 1024)))).rejects.toMatchObject(unusable(join(folder, "store/refs/.tmp"), "no space is left on the device"));
  for (const area of ["blobs", "refs"]) expect(await readdir(join(folder, "store", area, ".tmp"))).toEqual([]);
  expect((await store.refs.read("kept"))?.value).toBe("value");

  await rm(filler);
  const blob = await store.blobs.writeFile(given, "text/plain");
  expect(await store.blobs.check(blob.digest)).toBe(200 * 1024);
  expect(await store.refs.create("most", "value")).toBe(true);
});

/** Permissions do not stop root, so root lets another user try. */
const isRoot = process.getuid?.() === 0;
it.skipIf(process.platform === "win32")("says that permission is denied", async () => {
  const folder = await temporaryFolder();
  await chmod(folder, 0o755);
  await openStore("file:store", folder).refs.create("kept", "value");
  for (const name of ["store", "store/blobs", "store/refs"]) {
    await mkdir(join(folder, name), { recursive: true });
    await chmod(join(folder, name), 0o555);
  }
  const actor = await startActor(`file:${join(folder, "store")}`, isRoot ? { uid: 65534 } : {});
  for (const operation of [["write", "content"], ["create", "more", "value"], ["replace", "kept", "other", "1"]]) {
    expect(await actor.ask(...operation)).toMatchObject({ code: "STORE_UNUSABLE", message: expect.stringMatching(/permission denied \(EACCES\)/) });
  }
  for (const name of ["store", "store/blobs", "store/refs"]) await chmod(join(folder, name), 0o755);
});

import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Descriptor, digestOf } from "../../src/core/descriptor.ts";
import type { Store } from "../../src/ports/store.ts";
import { temporaryFolder } from "../helpers/context.ts";

export interface StoreUnderTest {
  readonly store: Store;
  /** Changes one bit of a stored blob behind the store's back. */
  readonly flipBit: (blob: Descriptor) => Promise<void>;
}

const type = "text/plain";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (content: Uint8Array): string => new TextDecoder().decode(content);

async function listed(store: Store): Promise<readonly string[]> {
  const digests: string[] = [];
  for await (const digest of store.blobs.list()) digests.push(digest);
  return digests.sort();
}

/** Everything that `src/ports/store.ts` promises; `open` gives a new, empty store each time. */
export function describeStore(name: string, open: () => Promise<StoreUnderTest>): void {
  describe(`${name} keeps the promises of a store`, () => {
    describeBlobs(open);
    describeBlobFiles(open);
    describeDamage(open);
    describeRefs(open);
    describeRefLimits(open);
  });
}

function describeBlobs(open: () => Promise<StoreUnderTest>): void {
  it("gives back the bytes that were written, under their digest", async () => {
    const { store } = await open();
    const blob = await store.blobs.write(bytes("hello"), type);
    expect(blob).toEqual({ mediaType: type, digest: digestOf("hello"), size: 5 });
    expect(text(await store.blobs.read(blob))).toBe("hello");
    expect(await store.blobs.check(blob.digest)).toBe(5);
  });

  it("keeps an empty blob", async () => {
    const { store } = await open();
    const blob = await store.blobs.write(new Uint8Array(), type);
    expect(blob).toEqual({ mediaType: type, digest: digestOf(""), size: 0 });
    expect(await store.blobs.read(blob)).toHaveLength(0);
    expect(await store.blobs.has(blob.digest)).toBe(true);
  });

  it("keeps every byte value, and a blob of several megabytes", async () => {
    const { store } = await open();
    const large = Uint8Array.from({ length: 3_000_001 }, (_, index) => (index * 7) % 256);
    const blob = await store.blobs.write(large, "application/octet-stream");
    expect(Buffer.compare(await store.blobs.read(blob), large)).toBe(0);
    expect(await store.blobs.check(blob.digest)).toBe(3_000_001);
  });

  it("takes the same bytes again without a change", async () => {
    const { store } = await open();
    const first = await store.blobs.write(bytes("once"), type);
    expect(await store.blobs.write(bytes("once"), type)).toEqual(first);
    expect(await listed(store)).toEqual([first.digest]);
  });

  it("takes the same bytes from many writers at once", async () => {
    const { store } = await open();
    const blobs = await Promise.all(Array.from({ length: 50 }, () => store.blobs.write(bytes("shared"), type)));
    expect(new Set(blobs.map(({ digest }) => digest))).toEqual(new Set([digestOf("shared")]));
    expect(text(await store.blobs.read({ mediaType: type, digest: digestOf("shared"), size: 6 }))).toBe("shared");
  });

  it("is not changed through the arrays that went in and came out", async () => {
    const { store } = await open();
    const given = bytes("safe");
    const blob = await store.blobs.write(given, type);
    given.fill(0);
    (await store.blobs.read(blob)).fill(0);
    expect(text(await store.blobs.read(blob))).toBe("safe");
  });

  it("has what was written and nothing else, and lists exactly that", async () => {
    const { store } = await open();
    expect(await store.blobs.has(digestOf("a"))).toBe(false);
    expect(await listed(store)).toEqual([]);
    await Promise.all(["a", "b", "c"].map((content) => store.blobs.write(bytes(content), type)));
    expect(await store.blobs.has(digestOf("a"))).toBe(true);
    expect(await store.blobs.has(digestOf("d"))).toBe(false);
    expect(await listed(store)).toEqual(["a", "b", "c"].map((content) => digestOf(content)).sort());
  });
}

function describeBlobFiles(open: () => Promise<StoreUnderTest>): void {
  it("takes over a file, which is gone afterwards", async () => {
    const { store } = await open();
    const path = join(await temporaryFolder(), "data.bin");
    await writeFile(path, "from a file");
    const blob = await store.blobs.writeFile(path, type);
    expect(blob).toEqual({ mediaType: type, digest: digestOf("from a file"), size: 11 });
    expect(text(await store.blobs.read(blob))).toBe("from a file");
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });

  it("takes over a file that it has already, and an empty one", async () => {
    const { store } = await open();
    const folder = await temporaryFolder();
    const known = await store.blobs.write(bytes("known"), type);
    await writeFile(join(folder, "known"), "known");
    await writeFile(join(folder, "empty"), "");
    expect(await store.blobs.writeFile(join(folder, "known"), type)).toEqual(known);
    expect(await store.blobs.writeFile(join(folder, "empty"), type)).toEqual({ mediaType: type, digest: digestOf(""), size: 0 });
    await expect(stat(join(folder, "known"))).rejects.toThrow("ENOENT");
  });

  it("puts a blob at a path as a read-only file", async () => {
    const { store } = await open();
    const path = join(await temporaryFolder(), "out.txt");
    await store.blobs.readFile(await store.blobs.write(bytes("content"), type), path);
    expect(await readFile(path, "utf8")).toBe("content");
    expect((await stat(path)).mode & 0o222).toBe(0);
  });

  it("replaces the file that is at the path, and leaves the blob as it is", async () => {
    const { store } = await open();
    const path = join(await temporaryFolder(), "out.txt");
    const [one, two] = await Promise.all([store.blobs.write(bytes("one"), type), store.blobs.write(bytes("two"), type)]);
    for (const blob of [one, two, two]) await store.blobs.readFile(blob, path);
    expect(await readFile(path, "utf8")).toBe("two");
    expect(text(await store.blobs.read(one))).toBe("one");
  });

  it("says which path it cannot write", async () => {
    const { store } = await open();
    const folder = await temporaryFolder();
    await mkdir(join(folder, "taken"));
    const blob = await store.blobs.write(bytes("content"), type);
    for (const path of [join(folder, "taken"), join(folder, "no", "such", "folder")]) {
      await expect(store.blobs.readFile(blob, path)).rejects.toMatchObject({ code: "FOLDER_UNUSABLE", message: expect.stringContaining(path) });
    }
  });
}

function describeDamage(open: () => Promise<StoreUnderTest>): void {
  const absent: Descriptor = { mediaType: type, digest: digestOf("absent"), size: 6 };

  it("says that a blob is missing, and names it", async () => {
    const { store } = await open();
    const path = join(await temporaryFolder(), "out");
    const failure = { code: "BLOB_NOT_FOUND", message: expect.stringContaining(absent.digest) };
    await expect(store.blobs.read(absent)).rejects.toMatchObject(failure);
    await expect(store.blobs.readFile(absent, path)).rejects.toMatchObject(failure);
    await expect(store.blobs.check(absent.digest)).rejects.toMatchObject(failure);
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });

  it("reports a flipped bit on every way out, and names the blob", async () => {
    const { store, flipBit } = await open();
    const path = join(await temporaryFolder(), "out");
    const blob = await store.blobs.write(bytes("precious"), type);
    await flipBit(blob);
    const failure = { code: "BLOB_CORRUPT", message: expect.stringContaining(blob.digest) };
    await expect(store.blobs.read(blob)).rejects.toMatchObject(failure);
    await expect(store.blobs.readFile(blob, path)).rejects.toMatchObject(failure);
    await expect(store.blobs.check(blob.digest)).rejects.toMatchObject(failure);
    await expect(stat(path)).rejects.toThrow("ENOENT");
  });

  it("is whole again when a damaged blob is written again, from memory or from a file", async () => {
    const { store, flipBit } = await open();
    const blob = await store.blobs.write(bytes("precious"), type);
    await flipBit(blob);
    await store.blobs.write(bytes("precious"), type);
    expect(text(await store.blobs.read(blob))).toBe("precious");
    await flipBit(blob);
    const path = join(await temporaryFolder(), "in");
    await writeFile(path, "precious");
    await store.blobs.writeFile(path, type);
    expect(text(await store.blobs.read(blob))).toBe("precious");
  });

  it("reports a blob of another size than its descriptor says", async () => {
    const { store } = await open();
    const path = join(await temporaryFolder(), "out");
    const blob = await store.blobs.write(bytes("12345"), type);
    const failure = { code: "BLOB_CORRUPT", message: expect.stringMatching(/has 5 bytes, expected 4/) };
    await expect(store.blobs.read({ ...blob, size: 4 })).rejects.toMatchObject(failure);
    await expect(store.blobs.readFile({ ...blob, size: 4 }, path)).rejects.toMatchObject(failure);
  });
}

function describeRefs(open: () => Promise<StoreUnderTest>): void {
  it("has no ref before it is created", async () => {
    const { store } = await open();
    expect(await store.refs.read("apps/a/latest")).toBeUndefined();
    expect(await store.refs.list("")).toEqual([]);
  });

  it("creates a ref once, and keeps the first value", async () => {
    const { store } = await open();
    expect(await store.refs.create("apps/a/latest", "one")).toBe(true);
    expect(await store.refs.create("apps/a/latest", "two")).toBe(false);
    expect(await store.refs.read("apps/a/latest")).toMatchObject({ value: "one" });
  });

  it("moves a ref for who names its tag, and for nobody else", async () => {
    const { store } = await open();
    await store.refs.create("environment", "one");
    const first = await store.refs.read("environment");
    expect(await store.refs.replace("environment", "two", first?.tag ?? "")).toBe(true);
    expect(await store.refs.replace("environment", "late", first?.tag ?? "")).toBe(false);
    const second = await store.refs.read("environment");
    expect(second?.value).toBe("two");
    expect(second?.tag).not.toBe(first?.tag);
  });

  it("refuses a stale tag even when the ref has its old value again", async () => {
    const { store } = await open();
    await store.refs.create("environment", "one");
    const stale = (await store.refs.read("environment"))?.tag ?? "";
    for (const value of ["two", "one"]) await store.refs.replace("environment", value, (await store.refs.read("environment"))?.tag ?? "");
    expect(await store.refs.replace("environment", "late", stale)).toBe(false);
    expect((await store.refs.read("environment"))?.value).toBe("one");
  });

  it("moves nothing for a tag that no read has given, and creates nothing by moving", async () => {
    const { store } = await open();
    await store.refs.create("environment", "one");
    for (const tag of ["", "0", "2", "7", "-1", "1.0", "x", "../1"]) expect(await store.refs.replace("environment", "two", tag)).toBe(false);
    expect(await store.refs.replace("nothing", "value", "1")).toBe(false);
    expect(await store.refs.read("environment")).toMatchObject({ value: "one" });
    expect(await store.refs.list("")).toEqual(["environment"]);
  });

  it("lets exactly one of many concurrent creators win, and shows its value", async () => {
    const { store } = await open();
    const won = await Promise.all(Array.from({ length: 50 }, (_, index) => store.refs.create("number", String(index))));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await store.refs.read("number"))?.value).toBe(String(won.indexOf(true)));
  });

  it("lets exactly one of many concurrent movers win, and shows its value", async () => {
    const { store } = await open();
    await store.refs.create("number", "start");
    const tag = (await store.refs.read("number"))?.tag ?? "";
    const won = await Promise.all(Array.from({ length: 50 }, (_, index) => store.refs.replace("number", String(index), tag)));
    expect(won.filter(Boolean)).toHaveLength(1);
    expect((await store.refs.read("number"))?.value).toBe(String(won.indexOf(true)));
  });

  it("gives the last of a hundred values", async () => {
    const { store } = await open();
    await store.refs.create("counter", "0");
    for (let next = 1; next <= 100; next += 1) {
      const { value, tag } = (await store.refs.read("counter")) ?? { value: "", tag: "" };
      expect(value).toBe(String(next - 1));
      expect(await store.refs.replace("counter", String(next), tag)).toBe(true);
    }
    expect((await store.refs.read("counter"))?.value).toBe("100");
  });

  it("lists the names below a prefix, sorted by code unit, each once", async () => {
    const { store } = await open();
    for (const name of ["apps/b", "apps/a/2", "apps/a/10", "apps/a", "apps/a/Z", "apps/a/sub/x", "apps/ab", "other", "apps/a-b"]) await store.refs.create(name, name);
    await store.refs.replace("apps/a", "moved", (await store.refs.read("apps/a"))?.tag ?? "");
    expect(await store.refs.list("apps/a/")).toEqual(["apps/a/10", "apps/a/2", "apps/a/Z", "apps/a/sub/x"]);
    expect(await store.refs.list("")).toEqual(["apps/a", "apps/a-b", "apps/a/10", "apps/a/2", "apps/a/Z", "apps/a/sub/x", "apps/ab", "apps/b", "other"]);
    expect(await store.refs.list("none/")).toEqual([]);
    expect(await store.refs.list("other/")).toEqual([]);
  });

  it("keeps a ref beside refs below it, and names that differ only in case", async () => {
    const { store } = await open();
    for (const name of ["a/b/c", "a/b", "a", "A", "A/B", "a/B"]) expect(await store.refs.create(name, `value of ${name}`)).toBe(true);
    for (const name of ["a/b/c", "a/b", "a", "A", "A/B", "a/B"]) expect((await store.refs.read(name))?.value).toBe(`value of ${name}`);
    expect(await store.refs.list("")).toEqual(["A", "A/B", "a", "a/B", "a/b", "a/b/c"]);
  });
}

function describeRefLimits(open: () => Promise<StoreUnderTest>): void {
  const longest = Array.from({ length: 4 }, () => "N".repeat(120)).join("/");

  it.each(["", "/", "a//b", "/a", "a/", ".", "..", "a/../b", ".hidden", "a/.tmp", "a b", "a@1", "a+b", "ä", "a\0b", "a\\b", "C:", "N".repeat(121), `${longest}/${"n".repeat(30)}`])("refuses the ref name %j", async (name) => {
    const { store } = await open();
    const failure = { code: "REF_INVALID" };
    await expect(store.refs.create(name, "x")).rejects.toMatchObject(failure);
    await expect(store.refs.read(name)).rejects.toMatchObject(failure);
    await expect(store.refs.replace(name, "x", "1")).rejects.toMatchObject(failure);
    expect(await store.refs.list("")).toEqual([]);
  });

  it.each(["a", "/", "../", "a//", ".hidden/"])("refuses to list below %j", async (prefix) => {
    const { store } = await open();
    await expect(store.refs.list(prefix)).rejects.toMatchObject({ code: "REF_INVALID" });
  });

  it("takes names and values up to their limits, and no further", async () => {
    const { store } = await open();
    for (const name of [longest, "a.b_c-D/0..", "_/-"]) {
      expect(await store.refs.create(name, "ä".repeat(32 * 1024))).toBe(true);
      expect((await store.refs.read(name))?.value).toBe("ä".repeat(32 * 1024));
    }
    for (const value of [`${"ä".repeat(32 * 1024)}x`, "\uD800"]) {
      await expect(store.refs.create("b", value)).rejects.toMatchObject({ code: "REF_INVALID" });
      await expect(store.refs.replace(longest, value, "1")).rejects.toMatchObject({ code: "REF_INVALID" });
    }
    expect(await store.refs.read("b")).toBeUndefined();
  });

  it("keeps an empty value and one of several lines as they are", async () => {
    const { store } = await open();
    for (const [name, value] of [["empty", ""], ["lines", "one\r\ntwo\n\u{1F600}\0\uFEFF"]] as const) {
      await store.refs.create(name, value);
      expect((await store.refs.read(name))?.value).toBe(value);
    }
  });
}

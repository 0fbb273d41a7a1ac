import { closeSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { create, extract } from "tar";
import { describe, expect, it } from "vitest";
import { blockBytes, endBytes, fileHeader, linkHeader, paddedSize, tarEntries, type TarEntry } from "../../src/code/tar.ts";
import { temporaryFolder } from "../helpers/context.ts";

const names = ["a.txt", "ä/ö ü.txt", "new\nline", "日本語/ファイル", `${"long/".repeat(40)}name`, "quote\"'=x", "-dash", "tab\there"];

function entry(path: string, content: string): Buffer {
  const body = Buffer.alloc(paddedSize(Buffer.byteLength(content)));
  body.write(content);
  return Buffer.concat([fileHeader({ path, isExecutable: false, size: Buffer.byteLength(content) }), body]);
}

async function archive(parts: readonly Buffer[]): Promise<string> {
  const path = join(await temporaryFolder(), "code.tar");
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

function entries(path: string): readonly TarEntry[] {
  const file = openSync(path, "r");
  try {
    return [...tarEntries(file)];
  } finally {
    closeSync(file);
  }
}

describe("tar archives of code", () => {
  it("keep every name, also those with newlines, other scripts and great length", async () => {
    const path = await archive([...names.map((name) => entry(name, `content of ${name}`)), Buffer.alloc(endBytes)]);
    expect(entries(path).map((found) => found.path)).toEqual(names);
  });

  it("keep link targets that the plain header has no room for", async () => {
    const target = `../${"deep/".repeat(50)}ä`;
    const path = await archive([linkHeader("link", target), Buffer.alloc(endBytes)]);
    expect(entries(path)).toEqual([{ path: "link", type: "link", target, size: 0, offset: expect.any(Number) }]);
  });

  it("are read by the tar package with the same names and contents", async () => {
    const path = await archive([entry("plain.txt", "one"), entry("ä/long-ünicode.txt", "two"), entry(`${"long/".repeat(40)}name`, "three"), linkHeader("link", "plain.txt"), Buffer.alloc(endBytes)]);
    const folder = await temporaryFolder();
    await extract({ file: path, cwd: folder });
    const names = ["link", "ä/long-ünicode.txt", `${"long/".repeat(40)}name`];
    expect(names.map((name) => readFileSync(join(folder, name), "utf8"))).toEqual(["one", "two", "three"]);
  });

  it("are read from where the tar package wrote them", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "one.txt"), "one");
    await create({ file: join(folder, "x.tar"), cwd: folder, portable: true }, ["one.txt"]);
    expect(entries(join(folder, "x.tar"))).toMatchObject([{ path: "one.txt", type: "file", size: 3, offset: blockBytes }]);
  });

  it("hold neither owner nor time, so that equal files give equal bytes", () => {
    const header = fileHeader({ path: "a", isExecutable: true, size: 5 });
    expect(header.toString("latin1", 100, 148)).toBe("0000755\x000000000\x000000000\x0000000000005\x0000000000000\x00");
  });

  it("are refused when a header is damaged", async () => {
    const bytes = Buffer.concat([entry("a.txt", "one"), Buffer.alloc(endBytes)]);
    bytes[3] = 0x79;
    await expect(archive([bytes]).then(entries)).rejects.toThrow("the header at byte 0 is damaged");
  });

  it("are refused when their end is missing", async () => {
    await expect(archive([entry("a.txt", "one")]).then(entries)).rejects.toThrow("it ends at byte 1024 without its end mark");
  });
});

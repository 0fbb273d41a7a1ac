import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openConfig } from "../../../src/adapters/config/dotenv/adapter.ts";
import { temporaryFolder } from "../../helpers/context.ts";

async function read(content: string | Uint8Array, reference = "dotenv:.env") {
  const dir = await temporaryFolder();
  await writeFile(join(dir, ".env"), content);
  const { values } = await (await openConfig(reference, dir)).read();
  return Object.fromEntries(Object.entries(values).map(([key, { text }]) => [key, text]));
}

describe("the dotenv configuration source", () => {
  it("reads quoted, exported, commented and multi-line values", async () => {
    expect(await read(`# comment\nA=1\nexport B = two words \nC="a # b" # c\nD='x"y'\nE="line 1\nline 2"\nF=a=b\nG=\n`)).toEqual({
      A: "1",
      B: "two words",
      C: "a # b",
      D: 'x"y',
      E: "line 1\nline 2",
      F: "a=b",
      G: "",
    });
  });

  it("reads a file with a byte-order mark and Windows line ends", async () => {
    expect(await read("\uFEFFA=1\r\nB=2\r\n")).toEqual({ A: "1", B: "2" });
  });

  it("holds nothing when there is no file", async () => {
    const dir = await temporaryFolder();
    expect(await (await openConfig("dotenv:none/.env", dir)).read()).toEqual({ values: {}, ignored: [] });
  });

  it("is named by its reference", async () => {
    expect((await openConfig("dotenv:.env.staging", "/")).reference).toBe("dotenv:.env.staging");
  });

  it("says that a folder in the file's place cannot be read", async () => {
    const dir = await temporaryFolder();
    await mkdir(join(dir, ".env"));
    await expect((await openConfig("dotenv:.env", dir)).read()).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringContaining(".env cannot be read: EISDIR") });
  });

  it("says that a file is not UTF-8, without its content", async () => {
    const failure = read(Buffer.concat([Buffer.from("API_KEY=hush"), Buffer.from([0xff, 0xfe])]));
    await expect(failure).rejects.toMatchObject({ code: "CONFIG_INVALID", message: ".env is not UTF-8" });
  });

  it("wants the name of a file", async () => {
    await expect(openConfig("dotenv:", "/")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });
});

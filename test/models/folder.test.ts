import { access, mkdir, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { cacheBelow } from "../../src/models/intact.ts";
import command from "../../src/models/pull-command.ts";
import type { PullReport } from "../../src/models/schema.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { serveFiles } from "./file-server.ts";
import { tinyModel } from "./tiny-model.ts";

async function pull(dir: string, input: Readonly<Record<string, unknown>> = {}): Promise<PullReport> {
  return command.run(command.input.parse(input), await testContext({ dir }));
}

/** An application, and a folder beside it that belongs to somebody else. */
async function neighbours(): Promise<{ readonly dir: string; readonly victim: string }> {
  const parent = await temporaryFolder();
  const [dir, victim] = [join(parent, "app"), join(parent, "victim")];
  await mkdir(dir);
  await mkdir(victim);
  await writeFile(join(victim, "config.json"), "theirs");
  return { dir, victim };
}

async function expectUntouched(victim: string): Promise<void> {
  expect(await readdir(victim)).toEqual(["config.json"]);
  expect(await readFile(join(victim, "config.json"), "utf8")).toBe("theirs");
}

describe("links in the way of a model", () => {
  it.each([
    ["the folder above the model's", "models", "models"],
    ["the model's folder", "models/tiny", "models/tiny"],
    ["a folder in it", "models/tiny/onnx", "models/tiny/onnx"],
    ["where the download is kept", ".twelve", ".twelve"],
  ])("are not followed: %s", async (_, link) => {
    const { dir, victim } = await neighbours();
    const { url } = await serveFiles(tinyModel);
    await mkdir(dirname(join(dir, link)), { recursive: true });
    await symlink(victim, join(dir, link));
    await expect(pull(dir, { model: "tiny", from: url })).rejects.toMatchObject({ code: "FOLDER_UNUSABLE", message: expect.stringContaining(`${join(dir, link)} is a link`) });
    await expectUntouched(victim);
    await expect(access(join(dir, "twelve.lock"))).rejects.toThrow("ENOENT");
  });

  it.each([
    ["a file of the model should be", "models/tiny/config.json"],
    ["a file is downloaded to", `${cacheBelow("models/tiny")}/stage/config.json`],
    ["a part of a download is described", `${cacheBelow("models/tiny")}/stage/config.json.part.json`],
  ])("are not followed where %s", async (_, link) => {
    const { dir, victim } = await neighbours();
    const { url } = await serveFiles(tinyModel);
    await mkdir(dirname(join(dir, link)), { recursive: true });
    await symlink(join(victim, "config.json"), join(dir, link));
    await expect(pull(dir, { model: "tiny", from: url })).rejects.toMatchObject({ code: "FOLDER_UNUSABLE", message: expect.stringContaining(`${join(dir, link)} is a link`) });
    await expectUntouched(victim);
  });

  it("are not followed to a file that a model no longer has", async () => {
    const { dir, victim } = await neighbours();
    const server = await serveFiles({ ...tinyModel, "1_Pooling/config.json": "{}" });
    await pull(dir, { model: "tiny", from: server.url });
    const lock = await readFile(join(dir, "twelve.lock"), "utf8");
    await rm(join(dir, "models/tiny/1_Pooling"), { recursive: true });
    await symlink(victim, join(dir, "models/tiny/1_Pooling"));
    server.files = tinyModel;
    await expect(pull(dir, { model: "tiny", update: true })).rejects.toMatchObject({ code: "FOLDER_UNUSABLE", message: expect.stringContaining("1_Pooling is a link") });
    await expectUntouched(victim);
    expect(await readFile(join(dir, "twelve.lock"), "utf8")).toBe(lock);
  });

  it("do not matter above the application", async () => {
    const { dir } = await neighbours();
    const { url } = await serveFiles(tinyModel);
    const linked = join(dirname(dir), "linked");
    await symlink(dir, linked);
    expect((await pull(linked, { model: "tiny", from: url })).models).toMatchObject([{ files: 4 }]);
  });
});

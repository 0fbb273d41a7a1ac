import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it, vi } from "vitest";
import { binary, cleanEnv, startTwelve } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { isStaged, serveFiles, tagOf } from "./file-server.ts";
import { lockedFiles, tinyModel } from "./tiny-model.ts";

it("goes on where a killed process stopped, and never shows half a model", async () => {
  const dir = await temporaryFolder();
  const server = await serveFiles(tinyModel);
  const weights = Buffer.from(tinyModel["onnx/model.onnx"] ?? "");
  server.answer = (path, response) => {
    if (path !== "onnx/model.onnx") return false;
    // Half of the weights, and then silence.
    response.writeHead(200, { etag: tagOf(weights), "content-length": weights.length }).write(weights.subarray(0, 500));
    return true;
  };
  const child = startTwelve(["models", "pull", "tiny", "--from", server.url], { cwd: dir });
  const ended = new Promise((resolve) => child.once("close", resolve));
  await vi.waitUntil(() => isStaged(dir, "onnx/model.onnx", 500), { timeout: 20_000 });
  child.kill("SIGKILL");
  await ended;
  await expect(readFile(join(dir, "twelve.lock"))).rejects.toThrow("ENOENT");
  await expect(readFile(join(dir, "models/tiny/config.json"))).rejects.toThrow("ENOENT");

  server.answer = () => false;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [binary, "models", "pull", "tiny", "--from", server.url, "--json"], { cwd: dir, env: cleanEnv() });
  expect(server.requests.findLast(({ path }) => path === "onnx/model.onnx")?.range).toBe("bytes=500-");
  expect(JSON.parse(stdout)).toMatchObject({ lock: "twelve.lock", models: [{ folder: "models/tiny", files: 4 }] });
  expect(stderr).toBe("");
  expect(JSON.parse(await readFile(join(dir, "twelve.lock"), "utf8"))).toMatchObject({ models: { "models/tiny": { files: lockedFiles(tinyModel) } } });
  expect(await readFile(join(dir, "models/tiny/onnx/model.onnx"))).toEqual(weights);
});

import { access, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import command from "../../src/models/pull-command.ts";
import { modelCache } from "../../src/models/intact.ts";
import type { PullReport } from "../../src/models/schema.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { isStaged, sendPart, serveFiles, tagOf } from "./file-server.ts";
import { onnxLookup } from "./onnx.ts";
import { installModel, lockedFiles, table, tinyModel, writeFiles } from "./tiny-model.ts";

const weights = "onnx/model.onnx";
const otherWeights = onnxLookup(table.map((row) => row.map((value) => -value)));

async function pull(dir: string, input: Readonly<Record<string, unknown>> = {}): Promise<PullReport & { readonly told: readonly string[] }> {
  const context = await testContext({ dir });
  return { ...(await command.run(command.input.parse(input), context)), told: context.told };
}

async function readLock(dir: string): Promise<unknown> {
  return JSON.parse(await readFile(join(dir, "twelve.lock"), "utf8"));
}

function inFolder(dir: string, path: string): Promise<string> {
  return readFile(join(dir, "models/tiny", path), "latin1");
}

describe("twelve models pull", () => {
  it("fetches the usual files of a new model and locks them", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles({ ...tinyModel, "README.md": "not asked for" });
    const { models, told } = await pull(dir, { model: "tiny", from: server.url });
    expect(models).toEqual([{
      folder: "models/tiny", source: server.url, files: 4, sizeBytes: Object.values(lockedFiles(tinyModel)).reduce((sum, { size }) => sum + size, 0),
      fetched: Object.keys(tinyModel).sort(), isLockChanged: true,
    }]);
    expect(await readLock(dir)).toEqual({ version: 1, models: { "models/tiny": { source: server.url, files: lockedFiles(tinyModel) } } });
    expect((await readdir(join(dir, "models/tiny"), { recursive: true })).sort()).toEqual(["onnx", ...Object.keys(tinyModel)].sort());
    expect(told).toEqual([`note Fetched 4 files of models/tiny from ${server.url}`]);
  });

  it("asks nobody when everything is in place", async () => {
    const dir = await temporaryFolder();
    await installModel(dir);
    expect((await pull(dir)).models).toMatchObject([{ folder: "models/tiny", fetched: [], isLockChanged: false }]);
  });

  it("brings back what is missing or damaged, and only that", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    await pull(dir, { model: "tiny", from: server.url });
    const before = server.requests.length;
    await writeFile(join(dir, "models/tiny/config.json"), "{}");
    await writeFile(join(dir, "models/tiny/my-notes.txt"), "mine");
    expect((await pull(dir)).models).toMatchObject([{ fetched: ["config.json"], isLockChanged: false }]);
    expect(server.requests.slice(before).map(({ path }) => path)).toEqual(["config.json"]);
    expect(await inFolder(dir, "config.json")).toBe(tinyModel["config.json"]);
    expect(await inFolder(dir, "my-notes.txt")).toBe("mine");
  });

  it("refuses files that differ from the lock, and changes nothing", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    await pull(dir, { model: "tiny", from: server.url });
    const lock = await readLock(dir);
    await writeFile(join(dir, "models/tiny/config.json"), "damaged");
    await writeFile(join(dir, "models/tiny", weights), "damaged as well");
    server.files = { ...tinyModel, [weights]: otherWeights };
    await expect(pull(dir)).rejects.toMatchObject({ code: "MODEL_CHANGED", message: expect.stringContaining(`${weights} at ${server.url} has the SHA-256`) });
    server.files = { ...tinyModel, [weights]: "other size" };
    await expect(pull(dir)).rejects.toMatchObject({ code: "MODEL_CHANGED", message: expect.stringContaining("has 10 bytes") });
    expect(await inFolder(dir, "config.json")).toBe("damaged");
    expect(await readLock(dir)).toEqual(lock);
    server.files = tinyModel;
    expect((await pull(dir)).models).toMatchObject([{ fetched: ["config.json", weights] }]);
  });

  it("takes other files with --update, and gives up those that are gone", async () => {
    const dir = await temporaryFolder();
    const before = { ...tinyModel, "special_tokens_map.json": "{}" };
    const server = await serveFiles(before);
    await pull(dir, { model: "tiny", from: server.url });
    server.files = { ...tinyModel, [weights]: otherWeights };
    expect((await pull(dir, { model: "tiny", update: true })).models).toMatchObject([{ files: 4, isLockChanged: true }]);
    expect(await readLock(dir)).toMatchObject({ models: { "models/tiny": { files: lockedFiles(server.files) } } });
    expect(await inFolder(dir, weights)).toBe(Buffer.from(otherWeights).toString("latin1"));
    await expect(access(join(dir, "models/tiny/special_tokens_map.json"))).rejects.toThrow("ENOENT");
  });

  it("fetches the weights that are asked for instead of the usual ones, and keeps to them", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles({ ...tinyModel, "onnx/model_q4.onnx": otherWeights });
    await pull(dir, { model: "tiny", from: server.url, file: ["onnx/model_q4.onnx"] });
    const names = ["config.json", "onnx/model_q4.onnx", "tokenizer.json", "tokenizer_config.json"];
    expect((await pull(dir, { update: true })).models).toMatchObject([{ fetched: names }]);
    await expect(pull(dir, { model: "tiny", file: [weights] })).rejects.toMatchObject({ code: "USAGE_INVALID", fix: expect.stringContaining("--update") });
  });

  it("says what a source does not have", async () => {
    const dir = await temporaryFolder();
    const { [weights]: _, ...withoutWeights } = tinyModel;
    const server = await serveFiles(withoutWeights);
    await expect(pull(dir, { model: "tiny", from: server.url })).rejects.toMatchObject({ code: "MODEL_NOT_FOUND", message: expect.stringContaining("has none of onnx/model.onnx") });
    server.files = {};
    await expect(pull(dir, { model: "tiny", from: server.url })).rejects.toMatchObject({ code: "MODEL_NOT_FOUND", message: `${server.url} has no config.json` });
    await expect(access(join(dir, "models"))).rejects.toThrow("ENOENT");
    await expect(access(join(dir, "twelve.lock"))).rejects.toThrow("ENOENT");
  });

  it("takes an optional file that is refused for one that is not there, and says so", async () => {
    const server = await serveFiles(tinyModel);
    server.answer = (path, response) => path === "modules.json" && Boolean(response.writeHead(403).end());
    const { told } = await pull(await temporaryFolder(), { model: "tiny", from: server.url });
    expect(told[0]).toBe(`warn ${server.url} answered 403 for modules.json; taken as not there`);
  });

  it.each([
    ["a page where there is no file", { "modules.json": "<!DOCTYPE html><p>Welcome" }, "modules.json"],
    ["a pointer instead of the weights", { [weights]: "version https://git-lfs.github.com/spec/v1\noid sha256:00\n" }, "a Git LFS pointer"],
  ])("refuses %s", async (_, files, message) => {
    const dir = await temporaryFolder();
    const server = await serveFiles({ ...tinyModel, ...files });
    await expect(pull(dir, { model: "tiny", from: server.url })).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining(message) });
    await expect(access(join(dir, "models"))).rejects.toThrow("ENOENT");
  });

  it("goes on where a download broke off", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    let cuts = 0;
    server.answer = (path, response) => {
      if (path !== "tokenizer.json" || cuts++ > 0) return false;
      sendPart(response, tinyModel[path] ?? "", { count: 1000, isReceived: () => isStaged(dir, path, 1000) });
      return true;
    };
    await pull(dir, { model: "tiny", from: server.url });
    expect(server.requests.filter(({ path }) => path === "tokenizer.json").map(({ range }) => range)).toEqual([undefined, "bytes=1000-"]);
    expect(await inFolder(dir, "tokenizer.json")).toBe(tinyModel["tokenizer.json"]);
  });

  it("starts anew when the file is another one by then", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    server.answer = (path, response) => {
      if (path !== "tokenizer.json") return false;
      sendPart(response, `{${" ".repeat(5000)}}`, { count: 1000, isReceived: () => isStaged(dir, path, 1000) });
      server.answer = () => false;
      return true;
    };
    await pull(dir, { model: "tiny", from: server.url });
    expect(await inFolder(dir, "tokenizer.json")).toBe(tinyModel["tokenizer.json"]);
  });

  it("keeps what it got when the source fails for good", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    const tokenizer = Buffer.from(tinyModel["tokenizer.json"] ?? "");
    server.answer = (path, response, { headers }) => {
      if (path !== "tokenizer.json") return false;
      // The rest is refused for a reason that waiting does not mend.
      if (headers["range"] !== undefined) return Boolean(response.writeHead(400).end());
      sendPart(response, tokenizer, { count: 1000, isReceived: () => isStaged(dir, path, 1000) });
      return true;
    };
    await expect(pull(dir, { model: "tiny", from: server.url })).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: `${server.url} answered 400 for tokenizer.json` });
    await expect(access(join(dir, "models"))).rejects.toThrow("ENOENT");
    server.answer = () => false;
    await pull(dir, { model: "tiny", from: server.url });
    expect(server.requests.findLast(({ path }) => path === "tokenizer.json")?.range).toBe("bytes=1000-");
  });

  it("starts anew when the part that was there turns out wrong", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    const file = tinyModel["config.json"] ?? "";
    await pull(dir, { model: "tiny", from: server.url });
    await writeFile(join(dir, "models/tiny/config.json"), "damaged");
    const part = { url: server.url, version: tagOf(file), sizeBytes: file.length };
    await writeFiles(join(modelCache(dir, "models/tiny"), "stage"), { "config.json": "not its beginning", "config.json.part.json": JSON.stringify(part) });
    expect((await pull(dir)).models).toMatchObject([{ fetched: ["config.json"] }]);
    expect(server.requests.slice(-2).map(({ range }) => range)).toEqual(["bytes=17-", undefined]);
    expect(await inFolder(dir, "config.json")).toBe(file);
  });

  it("stops where a server gives more than the lock names", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    await pull(dir, { model: "tiny", from: server.url });
    await writeFile(join(dir, "models/tiny/config.json"), "damaged");
    server.answer = (path, response) => {
      response.write(tinyModel[path]);
      return Boolean(response.end(" and more"));
    };
    await expect(pull(dir)).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("gives more bytes") });
    expect(await inFolder(dir, "config.json")).toBe("damaged");
  });

  it("uses a place for the files of the folder itself, to pin what is there already", async () => {
    const dir = await temporaryFolder();
    await writeFiles(join(dir, "models/tiny"), tinyModel);
    expect((await pull(dir, { model: "tiny", from: "file:models/tiny" })).models).toMatchObject([{ source: "file:models/tiny", files: 4, isLockChanged: true }]);
    expect(await readLock(dir)).toMatchObject({ models: { "models/tiny": { files: lockedFiles(tinyModel) } } });
  });

  it("sends a password along and never writes it down", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    const { models } = await pull(dir, { model: "tiny", from: server.url.replace("http://", "http://reader:s3cr%C3%A9t@") });
    expect(new Set(server.requests.map(({ authorization }) => authorization))).toEqual(new Set([`Basic ${Buffer.from("reader:s3crét").toString("base64")}`]));
    expect(models).toMatchObject([{ source: server.url }]);
    expect(await readFile(join(dir, "twelve.lock"), "utf8")).not.toContain("s3cr");
  });

  it("keeps the models of others in the lock, sorted, and one field a line", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    for (const model of ["b", "a", "vendor/c"]) await pull(dir, { model, from: server.url });
    const text = await readFile(join(dir, "twelve.lock"), "utf8");
    expect(Object.keys((JSON.parse(text) as { models: object }).models)).toEqual(["models/a", "models/b", "vendor/c"]);
    expect(text.split("\n").slice(0, 8)).toEqual(["{", '  "version": 1,', '  "models": {', '    "models/a": {', `      "source": "${server.url}",`, '      "files": {', '        "config.json": {', expect.stringMatching(/^ {10}"sha256": "[0-9a-f]{64}",$/)]);
    expect((await pull(dir)).models).toHaveLength(3);
  });

  it.each([
    [{ from: "https://models.example.com" }, "USAGE_INVALID", "none is named"],
    [{ file: ["onnx/model.onnx"] }, "USAGE_INVALID", "none is named"],
    [{ model: "../tiny", from: "https://models.example.com" }, "USAGE_INVALID", "not a folder below"],
    [{ model: ".git/hooks", from: "https://models.example.com" }, "USAGE_INVALID", "not a folder below"],
    [{ model: "./", from: "https://models.example.com" }, "USAGE_INVALID", "not a folder below"],
    [{ model: "tiny" }, "MODEL_UNPINNED", "models/tiny"],
    [{ model: "tiny", from: "http://models.example.com" }, "SERVICE_UNSUPPORTED", "not encrypted"],
    [{ model: "tiny", from: "ftp://models.example.com" }, "SERVICE_UNSUPPORTED", "ftp:"],
    [{ model: "tiny", from: "s3:///prefix" }, "SERVICE_UNSUPPORTED", "names no bucket"],
  ])("refuses %o", async (input, code, message) => {
    await expect(pull(await temporaryFolder(), input)).rejects.toMatchObject({ code, message: expect.stringContaining(message) });
  });

  it.each([
    ['{ "version": 1, "models": { "../x": { "source": "s", "files": {} } } }', { path: "models.../x", line: 1 }],
    ['{ "version": 1,\n "models": { "x": { "source": "s", "files": { "../../y": { "sha256": "0", "size": 1 } } } } }', { line: 2 }],
    ['{ "version": 1,\n<<<<<<< ours\n "models": {} }', { line: 2 }],
    ['{ "version": 2, "models": {} }', { path: "version" }],
  ])("refuses the lock %s and says where", async (text, problem) => {
    const dir = await temporaryFolder();
    await mkdir(join(dir, "models"));
    await writeFile(join(dir, "twelve.lock"), text);
    await expect(pull(dir)).rejects.toMatchObject({ code: "LOCK_INVALID", problems: expect.arrayContaining([expect.objectContaining({ file: "twelve.lock", ...problem })]) });
  });

  it.each([".git", "models/.GIT", ".git./hooks", "GIT~1", ".g\u200Cit", "models/.hg", ".twelve", "vendor/Node_Modules", "twelve.yaml", "Twelve.lock", "."])(
    "refuses a lock that would write into %j, whether it is a model's folder or below it",
    async (name) => {
      const dir = await temporaryFolder();
      const file = { sha256: "0".repeat(64), size: 1 };
      for (const [folder, path] of [[name, "config"], ["models/x", `${name}/config`]] as const) {
        await writeFile(join(dir, "twelve.lock"), JSON.stringify({ version: 1, models: { [folder]: { source: "file:.", files: { [path]: file } } } }));
        const place = path === "config" ? `models.${folder}` : `models.${folder}.files.${path}`;
        await expect(pull(dir)).rejects.toMatchObject({ code: "LOCK_INVALID", problems: [{ file: "twelve.lock", path: place, line: 1, message: expect.stringContaining("A path below the folder") }] });
      }
    },
  );

  it("tells a person what to do next", async () => {
    const dir = await temporaryFolder();
    const server = await serveFiles(tinyModel);
    const input = command.input.parse({ model: "tiny", from: server.url });
    const pulled = await pull(dir, input);
    expect(command.render(pulled, input)).toBe(
      "models/tiny: 4 files, 0.0 MB, 4 fetched, all intact\ntwelve.lock has the new checksums: commit it. Name the model as transformers:models/tiny, an embedder or, where it is a cross-encoder, a reranker",
    );
    expect(command.render({ lock: "twelve.lock", models: [] }, input)).toBe("twelve.lock names no models. Add one with `twelve models pull <folder> --from <url>`.");
  });
});

import { mkdir, readFile, stat, symlink, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { openEmbedder } from "../../../src/adapters/embedding/transformers/adapter.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { withoutLibrary } from "../../models/library.ts";
import { onnxLookup } from "../../models/onnx.ts";
import { dimensions, type Files, installModel, meanOf, table, tinyModel } from "../../models/tiny-model.ts";
import { describeEmbedder } from "../../ports/embedding.contract.ts";

const root = join(import.meta.dirname, "../../..");
const because = withoutLibrary === undefined ? "" : ` (${withoutLibrary})`;

async function install(files?: Files): Promise<{ readonly dir: string; readonly reference: string }> {
  const dir = await temporaryFolder();
  return { dir, reference: await installModel(dir, files) };
}

async function embedOne(text: string, { files, options = "", task = "document" }: { readonly files?: Files; readonly options?: string; readonly task?: "document" | "query" } = {}): Promise<readonly number[]> {
  const { dir, reference } = await install({ ...tinyModel, ...files });
  const [vector = new Float32Array()] = await (await openEmbedder(reference + options, dir)).embed([text], task);
  return [...vector];
}

function expectVector(actual: readonly number[], expected: readonly number[]): void {
  expect(actual).toHaveLength(dimensions);
  expect(Math.max(...expected.map((value, i) => Math.abs(value - (actual[i] ?? Number.NaN))))).toBeLessThan(1e-6);
}

const prompts = JSON.stringify({ prompts: { query: "query: ", passage: "passage: " }, default_prompt_name: null });
const poolByFirst = JSON.stringify({ word_embedding_dimension: dimensions, pooling_mode_cls_token: true, pooling_mode_mean_tokens: false });

describe.skipIf(withoutLibrary !== undefined)(`a local model${because}`, () => {
  describeEmbedder("transformers", async () => {
    const { dir, reference } = await install();
    return openEmbedder(reference, dir);
  });

  it("gives a text the mean of its tokens' vectors, of length 1", async () => {
    expectVector(await embedOne("Store configuration"), meanOf("[CLS]", "store", "configuration", "[SEP]"));
    expectVector(await embedOne("abc"), meanOf("[CLS]", "a", "##b", "##c", "[SEP]"));
  });

  it("takes the pooling that the model's folder names, and the reference above it", async () => {
    const files = { "1_Pooling/config.json": poolByFirst };
    expectVector(await embedOne("store", { files }), meanOf("[CLS]"));
    expectVector(await embedOne("store", { files, options: "?pooling=last_token" }), meanOf("[SEP]"));
    expectVector(await embedOne("store", { files: { "1_Pooling/config.json": JSON.stringify({ pooling_mode: "lasttoken" }) } }), meanOf("[SEP]"));
  });

  it("puts the model's prompts before queries and documents, and the reference's above them", async () => {
    const files = { "config_sentence_transformers.json": prompts };
    expectVector(await embedOne("store", { files, task: "query" }), meanOf("[CLS]", "query", ":", "store", "[SEP]"));
    expectVector(await embedOne("store", { files, task: "document" }), meanOf("[CLS]", "passage", ":", "store", "[SEP]"));
    expectVector(await embedOne("store", { files, task: "query", options: "?queryPrefix=parcel%20" }), meanOf("[CLS]", "parcel", "store", "[SEP]"));
  });

  it("cuts a text to what the model takes and keeps the token at its end", async () => {
    const words = Array.from({ length: 62 }, () => "store");
    expectVector(await embedOne("store ".repeat(62) + "parcel ".repeat(500)), meanOf("[CLS]", ...words, "[SEP]"));
  });

  it("reads quantised weights and weights beside the configuration", async () => {
    const { "onnx/model.onnx": weights = "", ...others } = tinyModel;
    const { dir, reference } = await install({ ...others, "model_quantized.onnx": weights });
    const [vector = []] = await (await openEmbedder(reference, dir)).embed(["store"], "document");
    expectVector([...vector], meanOf("[CLS]", "store", "[SEP]"));
  });

  it("says what is wrong with weights that cannot be loaded, or that do not fit the configuration", async () => {
    await expect(embedOne("store", { files: { "onnx/model.onnx": "no weights" } })).rejects.toMatchObject({ code: "MODEL_INVALID" });
    await expect(embedOne("store", { files: { "onnx/model.onnx": onnxLookup(table.map((row) => row.slice(1))) } })).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: expect.stringContaining("vectors of 5 numbers, but its config.json says 6"),
    });
  });

  it("uses no network", async () => {
    const { dir, reference } = await install();
    const deny = pathToFileURL(join(root, "test/helpers/deny-network.ts")).href;
    const { stdout } = await execa(process.execPath, ["--import", deny, join(root, "test/models/embed.ts"), dir, reference]);
    expectVector((JSON.parse(stdout) as readonly (readonly number[])[])[0] ?? [], meanOf("[CLS]", "store", "configuration", "[SEP]"));
  });

  it("finds the library among the application's packages where twelve itself has none", async () => {
    const { dir, reference } = await install();
    await mkdir(join(dir, "node_modules/@huggingface"), { recursive: true });
    await symlink(join(root, "node_modules/@huggingface/transformers"), join(dir, "node_modules/@huggingface/transformers"));
    const { stdout } = await execa(process.execPath, [join(root, "test/models/embed.ts"), dir, reference, "hidden"]);
    expectVector((JSON.parse(stdout) as readonly (readonly number[])[])[0] ?? [], meanOf("[CLS]", "store", "configuration", "[SEP]"));
  });
});

describe("a local model", () => {
  it("needs a package and says which", async () => {
    const { dir, reference } = await install();
    const { stdout } = await execa(process.execPath, [join(root, "test/models/embed.ts"), dir, reference, "hidden"]);
    expect(JSON.parse(stdout)).toEqual({
      code: "PACKAGE_MISSING",
      message: "A transformers: model needs the package @huggingface/transformers, which is not installed",
      fix: "Run `npm install @huggingface/transformers@4` in the application's folder, or beside a global twelve with `-g`",
    });
  });

  it("does not take an empty package of that name for it", async () => {
    const { dir, reference } = await install();
    const empty = join(dir, "node_modules/@huggingface/transformers");
    await mkdir(empty, { recursive: true });
    await writeFile(join(empty, "package.json"), '{ "name": "empty", "version": "1.0.0", "main": "index.js" }');
    await writeFile(join(empty, "index.js"), "");
    const { stdout } = await execa(process.execPath, [join(root, "test/models/embed.ts"), dir, reference, "hidden"]);
    expect(JSON.parse(stdout)).toMatchObject({ code: "PACKAGE_MISSING", message: expect.stringContaining("not installed") });
  });

  it("does not take another major version of the package", async () => {
    const { dir, reference } = await install();
    const old = join(dir, "node_modules/@huggingface/transformers");
    await mkdir(old, { recursive: true });
    await writeFile(join(old, "package.json"), '{ "name": "@huggingface/transformers", "version": "3.1.0", "main": "index.js" }');
    await writeFile(join(old, "index.js"), 'module.exports = { env: { version: "3.1.0" }, AutoModel: {}, AutoTokenizer: {} };');
    const { stdout } = await execa(process.execPath, [join(root, "test/models/embed.ts"), dir, reference, "hidden"]);
    expect(JSON.parse(stdout)).toMatchObject({
      code: "PACKAGE_MISSING",
      message: "A transformers: model cannot load the package @huggingface/transformers: version 3.1.0 is installed, and 4 is needed",
    });
  });

  it("puts everything that decides a vector into its identity", async () => {
    const { dir, reference } = await install({ ...tinyModel, "config_sentence_transformers.json": prompts });
    const { identity, maxTextTokens } = await openEmbedder(reference, dir);
    expect(identity).toEqual({
      provider: "transformers", model: expect.stringMatching(/^tiny@[0-9a-f]{12}$/), dimensions, normalised: true, documentTask: "passage: ", queryTask: "query: ",
    });
    expect(maxTextTokens).toBe(64);
    const other = await install({ ...tinyModel, "config_sentence_transformers.json": prompts, "onnx/model.onnx": onnxLookup(table.map((row) => row.map((value) => value / 2))) });
    const models = [identity, (await openEmbedder(other.reference, other.dir)).identity, (await openEmbedder(`${reference}?pooling=cls`, dir)).identity].map(({ model }) => model);
    expect(new Set(models).size).toBe(3);
    expect((await openEmbedder(`transformers:./models/tiny/`, dir)).identity).toEqual(identity);
  });

  it("is refused when a file changed, even one that kept its size and time", async () => {
    const { dir, reference } = await install();
    await openEmbedder(reference, dir);
    const weights = join(dir, "models/tiny/onnx/model.onnx");
    const { atime, mtime } = await stat(weights);
    const bytes = await readFile(weights);
    await writeFile(weights, bytes.with(bytes.length - 200, 1));
    await utimes(weights, atime, mtime);
    await expect(openEmbedder(reference, dir)).rejects.toMatchObject({
      code: "MODEL_DAMAGED",
      problems: [{ file: "models/tiny/onnx/model.onnx", message: expect.stringContaining("has the SHA-256") }],
      fix: "Run `twelve models pull models/tiny`; if the files are right and the lock is old, `twelve models pull models/tiny --update`",
    });
    await writeFile(weights, bytes);
    expect((await openEmbedder(reference, dir)).identity.provider).toBe("transformers");
  });

  it("is refused when nothing pins it, naming the command that does", async () => {
    await expect(openEmbedder("transformers:models/tiny", await temporaryFolder())).rejects.toMatchObject({
      code: "MODEL_UNPINNED",
      fix: expect.stringContaining("twelve models pull models/tiny --from"),
    });
  });

  it("is refused when a file would be read that the lock does not name", async () => {
    const { dir, reference } = await install();
    await writeFile(join(dir, "models/tiny/special_tokens_map.json"), "{}");
    await expect(openEmbedder(reference, dir)).rejects.toMatchObject({ code: "MODEL_UNPINNED", message: expect.stringContaining("models/tiny/special_tokens_map.json") });
  });

  it.each<[string, Files, string]>([
    ["has a further layer", { "modules.json": JSON.stringify([{ path: "2_Dense", type: "sentence_transformers.models.Dense" }]) }, "asks for a step Dense"],
    ["pools in a way that is not known", { "1_Pooling/config.json": JSON.stringify({ pooling_mode_max_tokens: true }) }, "pools by max_tokens"],
    ["pools in two ways", { "1_Pooling/config.json": JSON.stringify({ pooling_mode_mean_tokens: true, pooling_mode_cls_token: true }) }, "pools by mean_tokens and cls_token"],
    ["does not say how long its vectors are", { "config.json": '{ "model_type": "bert" }' }, "hidden_size"],
    ["has a configuration that is no JSON", { "config.json": "{" }, "config.json cannot be understood"],
    ["has its pooling where the lock has nothing", { "modules.json": JSON.stringify([{ path: "3_Pooling", type: "Pooling" }]) }, "needs 3_Pooling/config.json"],
  ])("is refused when it %s", async (_, files, message) => {
    const { dir, reference } = await install({ ...tinyModel, ...files });
    await expect(openEmbedder(reference, dir)).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining(message) });
  });

  it("is refused when it has not the weights asked for", async () => {
    const { dir, reference } = await install();
    await expect(openEmbedder(`${reference}?dtype=q8`, dir)).rejects.toMatchObject({ code: "MODEL_INVALID", fix: expect.stringContaining("--file onnx/model_quantized.onnx") });
  });

  it.each(["transformers:", "transformers:../model", "transformers:/srv/model", "transformers:models/x?poling=cls", "transformers:models/x?pooling=max", "transformers:models/x?dtype=fp64"])("has no name like %s", async (reference) => {
    await expect(openEmbedder(reference, await temporaryFolder())).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining(reference) });
  });
});

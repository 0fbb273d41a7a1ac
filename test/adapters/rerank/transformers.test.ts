import { describe, expect, it } from "vitest";
import { openReranker } from "../../../src/adapters/registry.ts";
import type { Reranker } from "../../../src/ports/rerank.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { withoutLibrary } from "../../models/library.ts";
import { type Files, installModel, overlapBias, overlapWeights, tinyCrossEncoder, tinyModel, vocabulary } from "../../models/tiny-model.ts";
import { describeReranker } from "../../ports/rerank.contract.ts";

const because = withoutLibrary === undefined ? "" : ` (${withoutLibrary})`;

async function open(files: Files = tinyCrossEncoder, options = ""): Promise<Reranker> {
  const dir = await temporaryFolder();
  return openReranker((await installModel(dir, files)) + options, { dir, env: {} });
}

/** What the model must say of a pair that shares just these tokens. */
function logitOf(...shared: readonly string[]): number {
  return shared.reduce((sum, token) => sum + (overlapWeights[vocabulary.indexOf(token)] ?? Number.NaN), overlapBias);
}

const sigmoid = (score: number): number => 1 / (1 + Math.exp(-score));
const config = (changes: object): Files => ({ ...tinyCrossEncoder, "config.json": JSON.stringify({ ...(JSON.parse(String(tinyCrossEncoder["config.json"])) as object), ...changes }) });

describe.skipIf(withoutLibrary !== undefined)(`a local cross-encoder${because}`, () => {
  describeReranker("transformers:", open);

  it("reads the question and each text as one pair, and tells which words belong to which", async () => {
    const scores = await (await open()).rerank("store configuration", ["parcel", "store parcel store", "configuration store", ""]);
    expect(scores.map((score) => score.toFixed(6))).toEqual([logitOf(), logitOf("store"), logitOf("store", "configuration"), logitOf()].map((logit) => sigmoid(logit).toFixed(6)));
  });

  it("gives the model's own numbers to who asks for them", async () => {
    const { local } = await open();
    expect(await local?.score("store", ["store", "parcel"], { isTruncated: true })).toEqual([logitOf("store"), logitOf()]);
  });

  it("cuts the longer of the two, or says how long they are together", async () => {
    const { local } = await open();
    // 64 tokens, of which three are marks and one is the question: the last word of 60 is the last that counts.
    const words = (count: number): string => `${"parcel ".repeat(count)}store`;
    expect(local?.maxTokens).toBe(64);
    expect(await local?.score("store", [words(59), words(60)], { isTruncated: true })).toEqual([logitOf("store"), logitOf()]);
    expect(await local?.score(words(60), ["parcel", "store"], { isTruncated: true })).toEqual([logitOf("parcel"), logitOf()]);
    expect(await local?.score("store", [words(59)], { isTruncated: false })).toEqual([logitOf("store")]);
    await expect(local?.score("store", [words(60)], { isTruncated: false })).rejects.toMatchObject({ code: "REQUEST_INVALID", message: "A question and a text together have 65 tokens, and the model takes 64" });
  });

  it.each([
    ["an embedder's weights", { ...tinyCrossEncoder, "onnx/model.onnx": tinyModel["onnx/model.onnx"] ?? "" }, "no logits"],
    ["a tokenizer without pairs", { ...tinyCrossEncoder, "tokenizer.json": String(tinyCrossEncoder["tokenizer.json"]).replace(/"pair":\[.*?\],"special_tokens"/, '"pair":[],"special_tokens"') }, "says nothing of pairs"],
  ])("says what is wrong with %s", async (_, files, message) => {
    await expect((await open(files)).rerank("question", ["text"])).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining(message) });
  });
});

describe("a local cross-encoder", () => {
  it.each([
    ["an embedder", config({ architectures: ["BertModel"] }), "it is a BertModel, which scores no pairs"],
    ["a classifier of several classes", config({ id2label: { 0: "no", 1: "yes" } }), "it tells 2 classes apart"],
  ])("is refused before it is loaded where it is %s", async (_, files, message) => {
    await expect(open(files)).rejects.toMatchObject({ code: "MODEL_INVALID", message: expect.stringContaining(message), fix: expect.stringContaining("cross-encoder") });
  });

  it("must be pinned, whole and named without options that mean nothing", async () => {
    const dir = await temporaryFolder();
    await expect(openReranker("transformers:models/none", { dir, env: {} })).rejects.toMatchObject({ code: "MODEL_UNPINNED" });
    await expect(open(tinyCrossEncoder, "?pooling=mean")).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("unknown option pooling") });
  });

  it("names its files, so that a change of them shows", async () => {
    const [one, other] = [await open(), await open({ ...tinyCrossEncoder, "onnx/model.onnx": "others" })];
    expect(one.name).toMatch(/^transformers:models\/tiny \([0-9a-f]{12}\)$/);
    expect(other.name).not.toBe(one.name);
  });
});

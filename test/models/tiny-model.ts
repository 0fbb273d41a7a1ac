import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { printLock } from "../../src/models/write.ts";
import { onnxLookup, onnxOverlap } from "./onnx.ts";

const special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"];
const letters = Array.from("abcdefghijklmnopqrstuvwxyz0123456789");
/** Of the sentences by which the contract tells near from far. */
const sentences = "where is the stored in environment parcels leave our house every working day ?".split(" ");
/** Whole words, then pieces enough to spell every other ASCII word. */
export const vocabulary: readonly string[] = [...special, "store", "configuration", "parcel", "query", "passage", ":", ...sentences, ...letters, ...letters.map((letter) => `##${letter}`)];

export const dimensions = 6;

/** A row of fixed numbers for each token, all rows different. */
export const table: readonly (readonly number[])[] = vocabulary.map((_, row) => Array.from({ length: dimensions }, (_, column) => Math.fround((Math.sin((row + 1) * 12.9898 + (column + 1) * 78.233) * 43_758.5453) % 1)));

/** The vector that texts of these tokens must get: the mean of their rows, of length 1. */
export function meanOf(...tokens: readonly string[]): readonly number[] {
  const rows = tokens.map((token) => table[vocabulary.indexOf(token)] ?? []);
  return unit(Array.from({ length: dimensions }, (_, i) => rows.reduce((sum, row) => sum + (row[i] ?? Number.NaN), 0)));
}

function unit(vector: readonly number[]): readonly number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function addedToken(content: string, id: number): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: true };
}

const tokenizer = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: special.map(addedToken),
  normalizer: { type: "BertNormalizer", clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true },
  pre_tokenizer: { type: "BertPreTokenizer" },
  post_processor: {
    type: "TemplateProcessing",
    single: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "[SEP]", type_id: 0 } }],
    pair: [{ SpecialToken: { id: "[CLS]", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }, { SpecialToken: { id: "[SEP]", type_id: 0 } }, { Sequence: { id: "B", type_id: 1 } }, { SpecialToken: { id: "[SEP]", type_id: 1 } }],
    special_tokens: { "[CLS]": { id: "[CLS]", ids: [2], tokens: ["[CLS]"] }, "[SEP]": { id: "[SEP]", ids: [3], tokens: ["[SEP]"] } },
  },
  decoder: { type: "WordPiece", prefix: "##", cleanup: true },
  model: { type: "WordPiece", unk_token: "[UNK]", continuing_subword_prefix: "##", max_input_chars_per_word: 100, vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])) },
};

const tokenizerConfig = { tokenizer_class: "BertTokenizer", do_lower_case: true, pad_token: "[PAD]", unk_token: "[UNK]", cls_token: "[CLS]", sep_token: "[SEP]", model_max_length: 64 };

export type Files = Readonly<Record<string, Uint8Array | string>>;

/** A model in the layout that sentence-transformers and ONNX exporters write. */
export const tinyModel: Files = {
  "config.json": JSON.stringify({ model_type: "bert", architectures: ["BertModel"], hidden_size: dimensions, max_position_embeddings: 512, pad_token_id: 0, vocab_size: vocabulary.length }),
  "tokenizer.json": JSON.stringify(tokenizer),
  "tokenizer_config.json": JSON.stringify(tokenizerConfig),
  "onnx/model.onnx": onnxLookup(table),
};

/** What sharing a word counts: nothing for marks, little for words that every sentence has. */
export const overlapWeights: readonly number[] = vocabulary.map((token) => (token.startsWith("[") ? 0 : ["is", "the", "in", "our"].includes(token) ? 0.125 : 1));
export const overlapBias = -2;

/** A cross-encoder in the layout of the usual exports: one label, and a tokenizer that makes pairs. */
export const tinyCrossEncoder: Files = {
  "config.json": JSON.stringify({ model_type: "bert", architectures: ["BertForSequenceClassification"], hidden_size: dimensions, max_position_embeddings: 512, pad_token_id: 0, vocab_size: vocabulary.length, id2label: { 0: "LABEL_0" }, label2id: { LABEL_0: 0 } }),
  "tokenizer.json": JSON.stringify(tokenizer),
  "tokenizer_config.json": JSON.stringify(tokenizerConfig),
  "onnx/model.onnx": onnxOverlap(overlapWeights, overlapBias),
};

export async function writeFiles(folder: string, files: Files): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

/** Puts a model into `models/tiny` of an application, with a lock that names its files. Gives the embedder's reference. */
export async function installModel(dir: string, files: Files = tinyModel): Promise<string> {
  await writeFiles(join(dir, "models/tiny"), files);
  await writeFile(join(dir, "twelve.lock"), printLock({ version: 1, models: { "models/tiny": { source: "https://models.example.com/tiny", files: lockedFiles(files) } } }));
  return "transformers:models/tiny";
}

export function lockedFiles(files: Files): Record<string, { readonly sha256: string; readonly size: number }> {
  return Object.fromEntries(Object.entries(files).map(([path, content]) => [path, { sha256: createHash("sha256").update(content).digest("hex"), size: Buffer.byteLength(content) }]));
}

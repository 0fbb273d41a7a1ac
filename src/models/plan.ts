import type { LockedFile, LockedModel } from "./schema.ts";

/** One file to get. Of files with the same `instead`, only the first one that exists is wanted. */
export interface WantedFile {
  readonly path: string;
  /** What the lock says of it; undefined when whatever the source has is taken. */
  readonly locked: LockedFile | undefined;
  readonly isRequired: boolean;
}

export interface PullPlan {
  readonly files: readonly WantedFile[];
  /** Where no weights are named: the usual places, of which the first one that exists is taken. */
  readonly weights: readonly string[];
}

/** What a library needs to read the tokenizer and the architecture; the first two first, because they are always there. */
const requiredFiles = ["config.json", "tokenizer.json"];

/**
 * Further files that decide which vector a text gets, where a model has them: the tokenizer's settings, and how
 * sentence-transformers pools, normalises and prompts.
 */
const optionalFiles = [
  "tokenizer_config.json",
  "special_tokens_map.json",
  "modules.json",
  "sentence_bert_config.json",
  "config_sentence_transformers.json",
  "1_Pooling/config.json",
];

/** Files that matter wherever they lie in a model's folder: none of them may be there without being locked. */
export const usualFiles: readonly string[] = [...requiredFiles, ...optionalFiles];

/** 32-bit floats first: they give the same vectors on every processor more nearly than 8-bit integers do. */
const usualWeights = ["onnx/model.onnx", "onnx/model_quantized.onnx", "model.onnx", "model_quantized.onnx"];

/** Weights above 2 GB keep their numbers beside the graph. */
export function externalData(weights: string): string {
  return `${weights}_data`;
}

/** Whether a pull looks for the file without being asked. */
export function isUsualFile(path: string): boolean {
  return usualFiles.includes(path) || path.endsWith(".onnx_data");
}

/** With a lock, exactly the files it names; without one, the usual files and those asked for. */
export function planPull(locked: LockedModel | undefined, asked: readonly string[]): PullPlan {
  if (locked !== undefined) {
    return { files: Object.entries(locked.files).map(([path, file]) => ({ path, locked: file, isRequired: true })), weights: [] };
  }
  const required = [...new Set([...requiredFiles, ...asked])];
  const hasWeights = asked.some((path) => path.endsWith(".onnx"));
  const optional = [...optionalFiles, ...asked.filter((path) => path.endsWith(".onnx")).map(externalData)].filter((path) => !required.includes(path));
  return {
    files: [...required.map((path) => wanted(path, true)), ...optional.map((path) => wanted(path, false))],
    weights: hasWeights ? [] : usualWeights,
  };
}

function wanted(path: string, isRequired: boolean): WantedFile {
  return { path, locked: undefined, isRequired };
}

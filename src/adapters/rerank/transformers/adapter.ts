import { join } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../../../core/canonical-json.ts";
import { probability } from "../../../core/probability.ts";
import { digestOf, shortDigest } from "../../../core/descriptor.ts";
import type { CrossEncoder, Reranker } from "../../../ports/rerank.ts";
import { lengthFields, maxTokensOf, readModelFile, TokenizerConfig, unusableModel, weightsOf } from "../../transformers/files.ts";
import { readPinned } from "../../transformers/pinned.ts";
import { PrecisionName, readFolderReference } from "../../transformers/reference.ts";
import { type Engine, loadEngine } from "./engine.ts";

const Options = z.strictObject({ dtype: PrecisionName.optional() });
const Config = z.object({ ...lengthFields, architectures: z.array(z.string()).optional(), id2label: z.record(z.string(), z.unknown()).optional(), num_labels: z.number().optional() });

/**
 * A local cross-encoder in ONNX, run by transformers.js in this process. Its files are compared with twelve.lock before any of
 * them is used; the library and the weights are loaded when the first question comes. Nothing is ever fetched here.
 */
export async function openReranker(reference: string, dir: string): Promise<Reranker> {
  const { folder, options } = readFolderReference(reference, Options, "reranker");
  const locked = await readPinned(dir, folder);
  const path = join(dir, folder);
  const [config, tokenizer] = await Promise.all([readModelFile(path, locked, "config.json", Config), readModelFile(path, locked, "tokenizer_config.json", TokenizerConfig)]);
  if (config === undefined) throw unusableModel(path, "its lock names no config.json");
  refuseOther(path, config);
  const weights = weightsOf(path, locked.files, options.dtype);
  const maxTokens = maxTokensOf(config, [tokenizer?.model_max_length]);
  let loading: Promise<Engine> | undefined;
  const load = (): Promise<Engine> => (loading ??= loadEngine(dir, path, { weights, maxTokens }));

  const local: CrossEncoder = {
    folder,
    digest: shortDigest(digestOf(canonicalJson({ files: locked.files, dtype: weights.dtype, maxTokens }))),
    dtype: weights.dtype,
    maxTokens,
    load: async () => void (await load()),
    async score(query, texts, how) {
      how.signal?.throwIfAborted();
      if (texts.length === 0) return [];
      return (await load()).score(query.toWellFormed(), texts.map((text) => text.toWellFormed()), how);
    },
  };
  return {
    name: `${reference.split("?", 1)[0]} (${local.digest})`,
    local,
    async check() {
      await load();
      return { version: null, detail: "computed in this process" };
    },
    rerank: async (query, texts, signal) => (await local.score(query, texts, { isTruncated: true, signal })).map(probability),
  };
}

/** An embedder, or a classifier of several classes, would answer with numbers that mean something else. */
function refuseOther(folder: string, { architectures = [], id2label, num_labels: count }: z.infer<typeof Config>): void {
  const [architecture = ""] = architectures;
  const fix = "Use an ONNX export of a cross-encoder, such as ms-marco-MiniLM-L6-v2";
  if (architecture !== "" && !architecture.endsWith("ForSequenceClassification")) throw unusableModel(folder, `it is a ${architecture}, which scores no pairs`, fix);
  const labels = id2label === undefined ? count : Object.keys(id2label).length;
  if (labels !== undefined && labels !== 1) throw unusableModel(folder, `it tells ${labels} classes apart, and a reranker has one`, fix);
}

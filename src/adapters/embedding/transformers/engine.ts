import { TwelveError } from "../../../core/errors.ts";
import { loadModel } from "../../transformers/load.ts";
import { inTurn } from "../../transformers/turn.ts";
import type { Library, NeuralModel, Tensor } from "../../transformers/library.ts";
import { pool } from "./pool.ts";
import type { Settings } from "./settings.ts";
import { createEncoder } from "./tokens.ts";

export interface Engine {
  embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]>;
}

/** Loads the library, the tokenizer and the weights. Fails with PACKAGE_MISSING or MODEL_INVALID. */
export async function loadEngine(dir: string, folder: string, settings: Settings): Promise<Engine> {
  const { dimensions, maxTokens, pooling } = settings;
  const { library, tokenizer, model } = await loadModel(dir, folder, { weights: settings, kind: "AutoModel" });
  const tokensOf = createEncoder(tokenizer, maxTokens);
  const takeTurn = inTurn();

  async function embedText(text: string): Promise<Float32Array> {
    const tokens = tokensOf(text);
    // A text without any token has no direction.
    if (tokens.length === 0) return new Float32Array(dimensions);
    const output = await runModel(library, model, tokens);
    const length = output.dims.at(-1);
    if (length === dimensions) return pool(output, pooling);
    throw new TwelveError("MODEL_INVALID", `The model in ${folder} gives vectors of ${length} numbers, but its config.json says ${dimensions}`);
  }

  async function embedTexts(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]> {
    const vectors: Float32Array[] = [];
    for (const text of texts) {
      signal?.throwIfAborted();
      vectors.push(await embedText(text));
    }
    return vectors;
  }

  return { embed: (texts, signal) => takeTurn(() => embedTexts(texts, signal)) };
}

/**
 * One text a run. A model of 8-bit integers scales its numbers by the largest in the run, so that a text would get
 * another vector beside others (cosine 0.98 was measured); and on a processor, runs of many texts are not faster.
 */
async function runModel({ Tensor }: Library, model: NeuralModel, tokens: readonly number[]): Promise<Tensor> {
  const dims = [1, tokens.length];
  const ids = BigInt64Array.from(tokens, BigInt);
  const outputs = await model({ input_ids: new Tensor("int64", ids, dims), attention_mask: new Tensor("int64", new BigInt64Array(tokens.length).fill(1n), dims) });
  const vectors = outputs["last_hidden_state"] ?? outputs["token_embeddings"];
  if (vectors?.dims.length === 3) return vectors.to("float32");
  throw new TwelveError("MODEL_INVALID", `The model gives ${Object.keys(outputs).join(", ") || "nothing"}, but no vector for each token`, { fix: "Export it for feature extraction" });
}

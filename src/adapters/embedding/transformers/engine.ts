import { TwelveError } from "../../../core/errors.ts";
import { type Library, loadLibrary, type NeuralModel, type Tensor } from "./library.ts";
import { poolRow } from "./pool.ts";
import type { Settings } from "./settings.ts";
import { createEncoder, groupRows, type Rows } from "./tokens.ts";

/** Rows times the longest of them, in one run of the model: about 100 MB of scores in a small model. */
const mostTokens = 4096;

export interface Engine {
  embed(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]>;
}

/** Loads the library, the tokenizer and the weights. Fails with PACKAGE_MISSING or MODEL_INVALID. */
export async function loadEngine(dir: string, folder: string, settings: Settings): Promise<Engine> {
  const library = await loadLibrary(dir);
  const { dtype, weightsFolder, hasExternalData, dimensions, maxTokens, pooling } = settings;
  const options = { local_files_only: true };
  const [tokenizer, model] = await Promise.all([
    library.AutoTokenizer.from_pretrained(folder, options),
    library.AutoModel.from_pretrained(folder, { ...options, dtype, device: "cpu", subfolder: weightsFolder, use_external_data_format: hasExternalData }),
  ]).catch((cause: unknown) => {
    throw new TwelveError("MODEL_INVALID", `The model in ${folder} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  const encoder = createEncoder(tokenizer, maxTokens);
  // The runtime uses every core for one run; several at once would only hold more memory.
  let before: Promise<unknown> = Promise.resolve();

  async function embedNow(texts: readonly string[], signal: AbortSignal | undefined): Promise<readonly Float32Array[]> {
    const vectors: Float32Array[] = texts.map(() => new Float32Array(dimensions));
    for (const rows of groupRows(texts.map((text) => encoder.encode(text)), mostTokens)) {
      signal?.throwIfAborted();
      const output = await runModel(library, model, rows, encoder.padding);
      const length = output.dims.at(-1);
      if (length !== dimensions) throw new TwelveError("MODEL_INVALID", `The model in ${folder} gives vectors of ${length} numbers, but its config.json says ${dimensions}`);
      for (const [row, { place, tokens }] of rows.entries()) vectors[place] = poolRow(output, row, tokens.length, pooling);
    }
    return vectors;
  }

  return {
    embed(texts, signal) {
      const result = before.then(() => embedNow(texts, signal));
      before = result.catch(() => {});
      return result;
    },
  };
}

async function runModel({ Tensor }: Library, model: NeuralModel, rows: Rows, padding: number): Promise<Tensor> {
  const width = Math.max(...rows.map(({ tokens }) => tokens.length));
  const ids = new BigInt64Array(rows.length * width).fill(BigInt(padding));
  const mask = new BigInt64Array(rows.length * width);
  for (const [row, { tokens }] of rows.entries()) {
    for (const [column, token] of tokens.entries()) {
      ids[row * width + column] = BigInt(token);
      mask[row * width + column] = 1n;
    }
  }
  const dims = [rows.length, width];
  const outputs = await model({ input_ids: new Tensor("int64", ids, dims), attention_mask: new Tensor("int64", mask, dims) });
  const vectors = outputs["last_hidden_state"] ?? outputs["token_embeddings"];
  if (vectors?.dims.length === 3) return vectors.to("float32");
  throw new TwelveError("MODEL_INVALID", `The model gives ${Object.keys(outputs).join(", ") || "nothing"}, but no vector for each token`, { fix: "Export it for feature extraction" });
}

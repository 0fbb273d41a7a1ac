import { TwelveError } from "../../core/errors.ts";
import type { Weights } from "./files.ts";
import { type Library, loadLibrary, type NeuralModel, type Tokenizer } from "./library.ts";

export interface LoadedModel {
  readonly library: Library;
  readonly tokenizer: Tokenizer;
  readonly model: NeuralModel;
}

interface Wanted {
  readonly weights: Weights;
  readonly kind: "AutoModel" | "AutoModelForSequenceClassification";
}

/** Loads the library, the tokenizer and the weights. Fails with PACKAGE_MISSING or MODEL_INVALID. */
export async function loadModel(dir: string, folder: string, { weights: { dtype, weightsFolder, hasExternalData }, kind }: Wanted): Promise<LoadedModel> {
  const library = await loadLibrary(dir);
  const options = { local_files_only: true };
  const [tokenizer, model] = await Promise.all([
    library.AutoTokenizer.from_pretrained(folder, options),
    library[kind].from_pretrained(folder, { ...options, dtype, device: "cpu", subfolder: weightsFolder, use_external_data_format: hasExternalData }),
  ]).catch((cause: unknown) => {
    throw new TwelveError("MODEL_INVALID", `The model in ${folder} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  });
  return { library, tokenizer, model };
}

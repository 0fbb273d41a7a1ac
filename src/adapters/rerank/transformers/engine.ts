import { TwelveError } from "../../../core/errors.ts";
import { unusableModel, type Weights } from "../../transformers/files.ts";
import type { NeuralModel, Library } from "../../transformers/library.ts";
import { loadModel } from "../../transformers/load.ts";
import { inTurn } from "../../transformers/turn.ts";
import { createPairEncoder, type Pair } from "./pairs.ts";

export interface Engine {
  score(query: string, texts: readonly string[], options: { readonly isTruncated: boolean; readonly signal?: AbortSignal | undefined }): Promise<readonly number[]>;
}

/** Loads the library, the tokenizer and the weights. Fails with PACKAGE_MISSING or MODEL_INVALID. */
export async function loadEngine(dir: string, folder: string, { weights, maxTokens }: { readonly weights: Weights; readonly maxTokens: number }): Promise<Engine> {
  const { library, tokenizer, model } = await loadModel(dir, folder, { weights, kind: "AutoModelForSequenceClassification" });
  const pairsWith = createPairEncoder(tokenizer, maxTokens);
  if (pairsWith === undefined) throw unusableModel(folder, "its tokenizer.json says nothing of pairs of texts");
  const takeTurn = inTurn();

  async function scoreTexts(query: string, texts: readonly string[], { isTruncated, signal }: Parameters<Engine["score"]>[2]): Promise<readonly number[]> {
    const pairOf = pairsWith?.(query);
    const pairs = texts.flatMap((text) => pairOf?.(text) ?? []);
    const tooLong = pairs.find(({ wholeLength }) => wholeLength > maxTokens);
    if (tooLong !== undefined && !isTruncated) throw new TwelveError("REQUEST_INVALID", `A question and a text together have ${tooLong.wholeLength} tokens, and the model takes ${maxTokens}`);
    const scores: number[] = [];
    for (const pair of pairs) {
      signal?.throwIfAborted();
      scores.push(await runModel(library, model, pair));
    }
    return scores;
  }

  return { score: (query, texts, options) => takeTurn(() => scoreTexts(query, texts, options)) };
}

/** One pair a run, as with embedders: beside others a pair would get another score from 8-bit weights, and on a processor nothing is gained. */
async function runModel({ Tensor }: Library, model: NeuralModel, { tokens, types }: Pair): Promise<number> {
  const dims = [1, tokens.length];
  const tensor = (numbers: readonly number[]): InstanceType<Library["Tensor"]> => new Tensor("int64", BigInt64Array.from(numbers, BigInt), dims);
  const { logits } = await model({ input_ids: tensor(tokens), attention_mask: tensor(tokens.map(() => 1)), token_type_ids: tensor(types) });
  const score = logits?.to("float32").data;
  if (score?.length === 1 && Number.isFinite(score[0])) return score[0] ?? 0;
  throw new TwelveError("MODEL_INVALID", `The model gives ${score === undefined ? "no logits" : score.length === 1 ? `the score ${score[0]}` : `${score.length} numbers for a pair`}, and a reranker gives one number`, { fix: "Export a cross-encoder with one label for text classification" });
}

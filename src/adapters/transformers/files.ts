import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { TwelveError } from "../../core/errors.ts";
import type { LockedModel } from "../../models/schema.ts";
import { type Precision, weightEndings } from "./reference.ts";

/** Which of a model's weights are loaded, and from where. */
export interface Weights {
  readonly dtype: Precision;
  /** Folder of the weights below the model's folder, "" for that folder itself. */
  readonly weightsFolder: string;
  readonly hasExternalData: boolean;
}

export const count = z.number().positive().optional().catch(undefined);
/** What every kind of model says of how long a text may be. */
export const lengthFields = { model_type: z.string().optional(), max_position_embeddings: count };
export const TokenizerConfig = z.object({ model_max_length: count });

/** Positions of these begin after the number of the padding token, so that two fewer are of use. */
const offsetPositions = new Set(["roberta", "xlm-roberta", "camembert", "mpnet"]);
const usualMaxTokens = 512;

/** Reads a locked JSON file of a model; undefined for one that is not locked. Fails with MODEL_INVALID. */
export async function readModelFile<Content>(folder: string, { files }: LockedModel, path: string, schema: z.ZodType<Content>): Promise<Content | undefined> {
  if (!Object.hasOwn(files, path)) return undefined;
  const file = join(folder, path);
  const text = await readFile(file, "utf8");
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TwelveError("MODEL_INVALID", `${file} cannot be understood`, { cause });
  }
}

/** The precision asked for, else the first one that is locked. */
export function weightsOf(folder: string, files: LockedModel["files"], dtype: Precision | undefined): Weights {
  const wanted = dtype === undefined ? (Object.keys(weightEndings) as Precision[]) : [dtype];
  for (const precision of wanted) {
    for (const weightsFolder of ["onnx", ""]) {
      const path = `${weightsFolder === "" ? "" : `${weightsFolder}/`}model${weightEndings[precision]}.onnx`;
      if (Object.hasOwn(files, path)) return { dtype: precision, weightsFolder, hasExternalData: Object.hasOwn(files, `${path}_data`) };
    }
  }
  const names = wanted.map((precision) => `onnx/model${weightEndings[precision]}.onnx`);
  throw unusableModel(folder, `its lock names no weights such as ${names[0]}`, `Run \`twelve models pull\` for it with \`--update --file ${names[0]}\``);
}

/** `limits` are what other files say of it. */
export function maxTokensOf(config: { readonly model_type?: string | undefined; readonly max_position_embeddings?: number | undefined }, limits: readonly (number | undefined)[]): number {
  const offset = offsetPositions.has(config.model_type ?? "") ? 2 : 0;
  const positions = config.max_position_embeddings === undefined ? [] : [config.max_position_embeddings - offset];
  const said = [...positions, ...limits].filter((limit) => limit !== undefined && limit < 1e6);
  return said.length === 0 ? usualMaxTokens : Math.max(8, Math.floor(Math.min(...(said as number[]))));
}

export function unusableModel(folder: string, reason: string, fix?: string): TwelveError {
  return new TwelveError("MODEL_INVALID", `The model in ${folder} cannot be used: ${reason}`, fix === undefined ? {} : { fix });
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { TwelveError } from "../../../core/errors.ts";
import type { LockedModel } from "../../../models/schema.ts";
import type { Options } from "./schema.ts";
import { Pooling, type Precision, weightEndings } from "./schema.ts";

/** Everything about a model that must be known before it is loaded. */
export interface Settings {
  readonly pooling: Pooling;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  readonly dtype: Precision;
  /** Folder of the weights below the model's folder, "" for that folder itself. */
  readonly weightsFolder: string;
  readonly hasExternalData: boolean;
  readonly dimensions: number;
  /** Tokens of one text, the special ones included. */
  readonly maxTokens: number;
}

const count = z.number().positive().optional().catch(undefined);
const Config = z.object({ model_type: z.string().optional(), hidden_size: count, d_model: count, dim: count, n_embd: count, max_position_embeddings: count });
const TokenizerConfig = z.object({ model_max_length: count });
const SentenceConfig = z.object({ max_seq_length: count });
const Modules = z.array(z.object({ path: z.string(), type: z.string() }));
const PoolingConfig = z.record(z.string(), z.unknown());
const Prompts = z.object({ prompts: z.record(z.string(), z.string().nullable()).default({}), default_prompt_name: z.string().nullish() });

/** Positions of these begin after the number of the padding token, so that two fewer are of use. */
const offsetPositions = new Set(["roberta", "xlm-roberta", "camembert", "mpnet"]);
const usualMaxTokens = 512;

/**
 * Reads how the model was trained to be used, from the files that sentence-transformers keeps beside it; `options` win.
 * Only locked files are read. Fails with MODEL_INVALID for a model that needs steps that are not done here.
 */
export async function readSettings(folder: string, { files }: LockedModel, options: Options): Promise<Settings> {
  const read = async <Content>(path: string, schema: z.ZodType<Content>): Promise<Content | undefined> =>
    Object.hasOwn(files, path) ? parse(join(folder, path), await readFile(join(folder, path), "utf8"), schema) : undefined;
  const [config, tokenizer, sentence, modules, prompts] = await Promise.all([
    read("config.json", Config), read("tokenizer_config.json", TokenizerConfig), read("sentence_bert_config.json", SentenceConfig),
    read("modules.json", Modules), read("config_sentence_transformers.json", Prompts),
  ]);
  if (config === undefined) throw invalid(folder, "its lock names no config.json");
  const poolingFile = poolingFileOf(folder, modules);
  if (poolingFile !== undefined && !Object.hasOwn(files, poolingFile)) throw invalid(folder, `modules.json needs ${poolingFile}, which twelve.lock does not name`);
  const pooling = await read(poolingFile ?? "1_Pooling/config.json", PoolingConfig);
  const prefixes = {
    queryPrefix: options.queryPrefix ?? promptOf(prompts, ["query"]),
    documentPrefix: options.documentPrefix ?? promptOf(prompts, ["document", "passage", "corpus"]),
  };
  if (pooling?.["include_prompt"] === false && Object.values(prefixes).some((prefix) => prefix !== "")) throw invalid(folder, "it pools without the tokens of its prompts");
  const dimensions = config.hidden_size ?? config.d_model ?? config.dim ?? config.n_embd;
  if (dimensions === undefined) throw invalid(folder, "config.json does not say how long its vectors are (hidden_size)");
  return { ...prefixes, ...weightsOf(folder, files, options.dtype), pooling: options.pooling ?? poolingOf(folder, pooling), dimensions, maxTokens: maxTokensOf(config, tokenizer, sentence) };
}

function parse<Content>(file: string, text: string, schema: z.ZodType<Content>): Content {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    throw new TwelveError("MODEL_INVALID", `${file} cannot be understood`, { cause });
  }
}

/** Vectors are pooled and brought to length 1 here; whatever else a model has after its transformer would be left out. */
function poolingFileOf(folder: string, modules: z.infer<typeof Modules> | undefined): string | undefined {
  const kindOf = (type: string): string => type.split(".").at(-1) ?? "";
  const other = modules?.find(({ type }) => !["Transformer", "Pooling", "Normalize"].includes(kindOf(type)));
  if (other !== undefined) throw invalid(folder, `modules.json asks for a step ${kindOf(other.type)}`);
  const found = modules?.find(({ type }) => kindOf(type) === "Pooling");
  return found === undefined ? undefined : `${found.path}/config.json`;
}

const poolingNames: Readonly<Record<string, Pooling>> = { mean: "mean", mean_tokens: "mean", cls: "cls", cls_token: "cls", lasttoken: "last_token", last_token: "last_token" };

function poolingOf(folder: string, config: z.infer<typeof PoolingConfig> | undefined): Pooling {
  if (config === undefined) return "mean";
  const named = typeof config["pooling_mode"] === "string" ? [config["pooling_mode"]] : [];
  const switched = Object.entries(config).flatMap(([key, value]) => (key.startsWith("pooling_mode_") && value === true ? [key.slice("pooling_mode_".length)] : []));
  const modes = [...named, ...switched];
  const [mode = "mean"] = modes;
  const pooling = Object.hasOwn(poolingNames, mode) ? poolingNames[mode] : undefined;
  if (modes.length < 2 && pooling !== undefined) return pooling;
  throw invalid(folder, `it pools by ${modes.join(" and ")}`, `Choose one of ${Pooling.options.join(", ")} with ?pooling=`);
}

function promptOf(file: z.infer<typeof Prompts> | undefined, names: readonly string[]): string {
  const { prompts = {}, default_prompt_name: fallback } = file ?? {};
  const name = [...names, ...(fallback == null ? [] : [fallback])].find((key) => Object.hasOwn(prompts, key));
  return name === undefined ? "" : (prompts[name] ?? "");
}

/** The precision asked for, else the first one that is locked. */
function weightsOf(folder: string, files: LockedModel["files"], dtype: Precision | undefined): Pick<Settings, "dtype" | "weightsFolder" | "hasExternalData"> {
  const wanted = dtype === undefined ? (Object.keys(weightEndings) as Precision[]) : [dtype];
  for (const precision of wanted) {
    for (const weightsFolder of ["onnx", ""]) {
      const path = `${weightsFolder === "" ? "" : `${weightsFolder}/`}model${weightEndings[precision]}.onnx`;
      if (Object.hasOwn(files, path)) return { dtype: precision, weightsFolder, hasExternalData: Object.hasOwn(files, `${path}_data`) };
    }
  }
  const names = wanted.map((precision) => `onnx/model${weightEndings[precision]}.onnx`);
  throw invalid(folder, `its lock names no weights such as ${names[0]}`, `Run \`twelve models pull\` for it with \`--update --file ${names[0]}\``);
}

function maxTokensOf(config: z.infer<typeof Config>, tokenizer: z.infer<typeof TokenizerConfig> | undefined, sentence: z.infer<typeof SentenceConfig> | undefined): number {
  const offset = offsetPositions.has(config.model_type ?? "") ? 2 : 0;
  const positions = config.max_position_embeddings === undefined ? [] : [config.max_position_embeddings - offset];
  const limits = [...positions, tokenizer?.model_max_length, sentence?.max_seq_length].filter((limit) => limit !== undefined && limit < 1e6);
  return limits.length === 0 ? usualMaxTokens : Math.max(8, Math.floor(Math.min(...(limits as number[]))));
}

function invalid(folder: string, reason: string, fix?: string): TwelveError {
  return new TwelveError("MODEL_INVALID", `The model in ${folder} cannot be used: ${reason}`, fix === undefined ? {} : { fix });
}

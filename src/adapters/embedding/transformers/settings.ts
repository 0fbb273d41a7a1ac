import { z } from "zod";
import type { LockedModel } from "../../../models/schema.ts";
import { count, lengthFields, maxTokensOf, readModelFile, TokenizerConfig, unusableModel, type Weights, weightsOf } from "../../transformers/files.ts";
import { type Options, Pooling } from "./schema.ts";

/** Everything about a model that must be known before it is loaded. */
export interface Settings extends Weights {
  readonly pooling: Pooling;
  readonly queryPrefix: string;
  readonly documentPrefix: string;
  readonly dimensions: number;
  /** Tokens of one text, the special ones included. */
  readonly maxTokens: number;
}

const Config = z.object({ ...lengthFields, hidden_size: count, d_model: count, dim: count, n_embd: count });
const SentenceConfig = z.object({ max_seq_length: count });
const Modules = z.array(z.object({ path: z.string(), type: z.string() }));
const PoolingConfig = z.record(z.string(), z.unknown());
const Prompts = z.object({ prompts: z.record(z.string(), z.string().nullable()).default({}), default_prompt_name: z.string().nullish() });

/**
 * Reads how the model was trained to be used, from the files that sentence-transformers keeps beside it; `options` win.
 * Only locked files are read. Fails with MODEL_INVALID for a model that needs steps that are not done here.
 */
export async function readSettings(folder: string, locked: LockedModel, options: Options): Promise<Settings> {
  const { files } = locked;
  const read = <Content>(path: string, schema: z.ZodType<Content>): Promise<Content | undefined> => readModelFile(folder, locked, path, schema);
  const [config, tokenizer, sentence, modules, prompts] = await Promise.all([
    read("config.json", Config), read("tokenizer_config.json", TokenizerConfig), read("sentence_bert_config.json", SentenceConfig),
    read("modules.json", Modules), read("config_sentence_transformers.json", Prompts),
  ]);
  if (config === undefined) throw unusableModel(folder, "its lock names no config.json");
  const poolingFile = poolingFileOf(folder, modules);
  if (poolingFile !== undefined && !Object.hasOwn(files, poolingFile)) throw unusableModel(folder, `modules.json needs ${poolingFile}, which twelve.lock does not name`);
  const pooling = await read(poolingFile ?? "1_Pooling/config.json", PoolingConfig);
  const prefixes = {
    queryPrefix: options.queryPrefix ?? promptOf(prompts, ["query"]),
    documentPrefix: options.documentPrefix ?? promptOf(prompts, ["document", "passage", "corpus"]),
  };
  if (pooling?.["include_prompt"] === false && Object.values(prefixes).some((prefix) => prefix !== "")) throw unusableModel(folder, "it pools without the tokens of its prompts");
  const dimensions = config.hidden_size ?? config.d_model ?? config.dim ?? config.n_embd;
  if (dimensions === undefined) throw unusableModel(folder, "config.json does not say how long its vectors are (hidden_size)");
  return { ...prefixes, ...weightsOf(folder, files, options.dtype), pooling: options.pooling ?? poolingOf(folder, pooling), dimensions, maxTokens: maxTokensOf(config, [tokenizer?.model_max_length, sentence?.max_seq_length]) };
}

/** Vectors are pooled and brought to length 1 here; whatever else a model has after its transformer would be left out. */
function poolingFileOf(folder: string, modules: z.infer<typeof Modules> | undefined): string | undefined {
  const kindOf = (type: string): string => type.split(".").at(-1) ?? "";
  const other = modules?.find(({ type }) => !["Transformer", "Pooling", "Normalize"].includes(kindOf(type)));
  if (other !== undefined) throw unusableModel(folder, `modules.json asks for a step ${kindOf(other.type)}`);
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
  throw unusableModel(folder, `it pools by ${modes.join(" and ")}`, `Choose one of ${Pooling.options.join(", ")} with ?pooling=`);
}

function promptOf(file: z.infer<typeof Prompts> | undefined, names: readonly string[]): string {
  const { prompts = {}, default_prompt_name: fallback } = file ?? {};
  const name = [...names, ...(fallback == null ? [] : [fallback])].find((key) => Object.hasOwn(prompts, key));
  return name === undefined ? "" : (prompts[name] ?? "");
}

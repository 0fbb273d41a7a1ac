import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { TwelveError } from "../../core/errors.ts";

/** The part of transformers.js that is used here. It is an optional package, so its own types may not be there. */
export interface Library {
  readonly env: {
    readonly version: string;
    allowRemoteModels: boolean;
    allowLocalModels: boolean;
    useFSCache: boolean;
    useWasmCache: boolean;
    logLevel: number;
    fetch: () => Promise<never>;
  };
  readonly AutoTokenizer: { from_pretrained(folder: string, options: object): Promise<Tokenizer> };
  readonly AutoModel: { from_pretrained(folder: string, options: object): Promise<NeuralModel> };
  readonly AutoModelForSequenceClassification: { from_pretrained(folder: string, options: object): Promise<NeuralModel> };
  readonly Tensor: new (type: "int64", data: BigInt64Array, dims: readonly number[]) => Tensor;
}

export interface Tokenizer {
  (text: string, options: { readonly text_pair: string; readonly return_tensor: false; readonly return_token_type_ids: true }): { readonly input_ids: readonly number[]; readonly token_type_ids?: readonly number[] };
  encode(text: string, options?: { readonly text_pair?: string; readonly add_special_tokens?: boolean }): readonly number[];
}

export type NeuralModel = (inputs: Readonly<Record<string, Tensor>>) => Promise<Readonly<Record<string, Tensor | undefined>>>;

export interface Tensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
  to(type: "float32"): Tensor;
}

const packageName = "@huggingface/transformers";
const majorVersion = 4;
const silent = 50;

/**
 * Loads transformers.js from where twelve is installed, else from the application's own packages: the program may be
 * installed globally. Fails with PACKAGE_MISSING.
 */
export async function loadLibrary(dir: string): Promise<Library> {
  const failures: Error[] = [];
  for (const load of [() => import(packageName) as Promise<unknown>, () => importFrom(dir)]) {
    try {
      const library = libraryIn(await load());
      if (library !== undefined) return offline(library);
    } catch (cause) {
      failures.push(cause instanceof Error ? cause : new Error(String(cause)));
    }
  }
  throw missing(failures);
}

/** Relative to a folder, a package is found only by the rules of `require`; what it finds is then imported. */
async function importFrom(dir: string): Promise<unknown> {
  const path = createRequire(join(dir, "package.json")).resolve(packageName);
  return import(pathToFileURL(path).href);
}

/** undefined for an empty package of that name, as some installations put in its place to save space. */
function libraryIn(module: unknown): Library | undefined {
  const candidates = [module, (module as { readonly default?: unknown }).default] as (Partial<Library> | undefined)[];
  return candidates.find((candidate): candidate is Library => candidate?.AutoModel !== undefined && candidate.AutoTokenizer !== undefined);
}

/** Models come from their pinned folder or not at all. */
function offline(library: Library): Library {
  const { env } = library;
  if (!env.version.startsWith(`${majorVersion}.`)) throw new Error(`version ${env.version} is installed, and ${majorVersion} is needed`);
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.useFSCache = false;
  env.useWasmCache = false;
  env.fetch = () => Promise.reject(new Error("twelve lets models be read from their folder only"));
  // What fails is thrown; what is only worth a remark would stand between the lines of a log.
  env.logLevel = silent;
  return library;
}

function missing(failures: readonly Error[]): TwelveError {
  // Not being found is the usual case and says nothing more; a package that is there and fails does.
  const broken = failures.find((failure) => !isNotFound(failure));
  const what = broken === undefined ? `needs the package ${packageName}, which is not installed` : `cannot load the package ${packageName}: ${broken.message}`;
  return new TwelveError("PACKAGE_MISSING", `A transformers: model ${what}`, {
    fix: `Run \`npm install ${packageName}@${majorVersion}\` in the application's folder, or beside a global twelve with \`-g\``,
    cause: broken ?? failures[0],
  });
}

function isNotFound(failure: Error): boolean {
  return "code" in failure && (failure.code === "ERR_MODULE_NOT_FOUND" || failure.code === "MODULE_NOT_FOUND");
}

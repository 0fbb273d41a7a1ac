import type { FileFacts } from "../code/read-batch.ts";
import { type DependencyTexts, findDependencies } from "./dependency-plan.ts";
import type { Finding } from "./schema.ts";

export interface Findings extends DependencyTexts {
  readonly facts: readonly FileFacts[];
}

/** Everything in the repository that goes against a factor, sorted by file. */
export function findAll({ paths, texts, facts }: Findings): readonly Finding[] {
  const packaged = new Map(facts.map((file) => [file.path, file]));
  const data = paths.flatMap((path) => dataFinding(path, packaged.get(path)));
  const found = [...findDependencies({ paths, texts }), ...data, ...paths.flatMap((path) => secretFindings(path, packaged.get(path)))];
  return found.sort((left, right) => (left.file === right.file ? 0 : left.file < right.file ? -1 : 1));
}

/** What a name's ending says, for files that no reader looked into and for pointers of Git LFS. */
const dataEndings = new Map(Object.entries({
  "safetensors model weights": "safetensors",
  "GGUF model weights": "gguf ggml",
  "ONNX model weights": "onnx onnx_data",
  "PyTorch model weights": "pt pth ckpt",
  "Keras model weights or HDF5 data": "h5 hdf5 keras",
  "model weights": "tflite mlmodel caffemodel pdparams joblib",
  "pickled weights or embeddings": "pkl pickle",
  "NumPy arrays (embeddings or weights)": "npy npz",
  "a vector index": "faiss annoy hnsw usearch lance",
  "a data set": "parquet arrow feather tfrecord tfrecords",
}).flatMap(([kind, endings]) => endings.split(" ").map((ending) => [ending, kind] as const)));
/** Endings that mean something only for large binary files and LFS pointers. */
const vagueEndings = new Set(["bin", "model", "weights", "index", "engine", "pb", "dat", "sqlite3"]);
const largeBytes = 1 << 20;

function dataFinding(path: string, facts: FileFacts | undefined): readonly Finding[] {
  const kind = dataKind(path, facts);
  if (kind === undefined) return [];
  const pointer = facts?.marks.isLfsPointer === true ? " (as a pointer of Git LFS)" : "";
  return [{ factor: "IV. Backing services", file: path, message: `Git tracks ${kind}${pointer}: keep it in a model registry, an object store or an index that is attached by URL, and out of the code` }];
}

function dataKind(path: string, facts: FileFacts | undefined): string | undefined {
  if (facts?.marks.data !== undefined) return facts.marks.data;
  if (facts?.mode === "symlink" || facts?.size === 0) return undefined;
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  const kind = dataEndings.get(ending);
  const isPointer = facts?.marks.isLfsPointer === true;
  // Prose is no model, whatever it is called: .pt is also the ending of Portuguese pages.
  const isProse = facts?.marks.isText === true && !isPointer && facts.size > 200 && ending === "pt";
  if (kind !== undefined) return isProse ? undefined : kind;
  if (!vagueEndings.has(ending) || facts === undefined) return undefined;
  if (isPointer) return "model weights or data";
  return facts.marks.isText !== true && facts.size >= largeBytes ? "a large binary file (weights, an index or data)" : undefined;
}

/** Files that hold the values of an environment; examples without values are welcome. */
const environmentFile = /(^|\/)\.env(\.[\w-]+)*$/;
const exampleFile = /\.(example|sample|template|dist|defaults?)$/;

function secretFindings(path: string, facts: FileFacts | undefined): readonly Finding[] {
  const factor = "III. Config";
  const secret = facts?.marks.secret;
  const found: readonly Finding[] = secret === undefined ? [] : [{ factor, file: path, message: `Line ${secret.line} looks like ${secret.kind}: revoke it, take it out of git, and declare it as \`kind: secret\` under \`config\`` }];
  if (!environmentFile.test(path) || exampleFile.test(path)) return found;
  return [...found, { factor, file: path, message: "Git tracks a file of environment values: configuration belongs into the environment. Run `git rm --cached` and add it to .gitignore" }];
}

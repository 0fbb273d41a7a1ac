/**
 * What a file's content shows about it, whatever its name is: facts that findings are made of later, when the name is
 * known too. They are cached by content, so raise `inspectionVersion` whenever other marks come out.
 */
export interface Marks {
  /** Kind of model or training data, such as "GGUF model weights". */
  readonly data?: string;
  /** Kind and line of what looks like a secret. The secret itself is not kept. */
  readonly secret?: { readonly kind: string; readonly line: number };
  readonly isText?: boolean;
  /** Whether it is a pointer of Git LFS, which stands for a large file. */
  readonly isLfsPointer?: boolean;
}

export const inspectionVersion = 1;
/** As much of a file as is looked at. */
export const inspectedBytes = 1 << 20;

/** Secrets are looked for in this much of each file: all of most files, without making a first build of large ones slow. */
const secretBytes = 16 << 10;

/** `head` is the beginning of the content, `inspectedBytes` of it at most. */
export function inspectContent(head: Buffer): Marks {
  if (head.length === 0) return { isText: true };
  // No text begins with the byte that begins a pickle; every other format here has a zero byte early on.
  const isText = !head.subarray(0, 8000).includes(0) && !isPickle(head);
  if (!isText) {
    const data = binaryKind(head);
    return data === undefined ? {} : { data };
  }
  if (head.subarray(0, 200).toString("latin1").startsWith("version https://git-lfs.github.com/spec/")) return { isText, isLfsPointer: true };
  const data = head[0] === 0x7b ? linesKind(head) : undefined;
  const secret = findSecret(head.toString("latin1", 0, secretBytes));
  return { isText, ...(data === undefined ? {} : { data }), ...(secret === undefined ? {} : { secret }) };
}

function binaryKind(head: Buffer): string | undefined {
  if (startsWith(head, "GGUF") || /^(ggml|ggjt|ggla|lmgg|tjgg|algg)/.test(head.toString("latin1", 0, 4))) return "GGUF model weights";
  if (startsWith(head, "\x93NUMPY")) return "NumPy arrays (embeddings or weights)";
  if (startsWith(head, "PAR1")) return "a Parquet data set";
  if (startsWith(head, "ARROW1\0\0")) return "an Arrow data set";
  if (startsWith(head, "\x89HDF\r\n\x1a\n")) return "HDF5 model weights or data";
  if (head.toString("latin1", 4, 8) === "TFL3") return "TensorFlow Lite model weights";
  if (isSafetensors(head)) return "safetensors model weights";
  if (isFaiss(head)) return "a FAISS vector index";
  if (startsWith(head, "PK\x03\x04")) return zipKind(head);
  if (isPickle(head)) return pickleKind(head);
  return isOnnx(head) ? "ONNX model weights" : undefined;
}

function startsWith(head: Buffer, magic: string): boolean {
  return head.toString("latin1", 0, magic.length) === magic;
}

/** Eight bytes of header length, then a JSON object that gives each tensor's type. */
function isSafetensors(head: Buffer): boolean {
  if (head.length < 10 || head[8] !== 0x7b) return false;
  const length = head.readBigUInt64LE(0);
  return length >= 2n && length < 100_000_000n && /"(dtype|__metadata__)"\s*:/.test(head.toString("latin1", 8, 8 + Math.min(Number(length), 65_536)));
}

/** Four letters for the kind of index, then the dimensions as a number that is never above 65,535. */
function isFaiss(head: Buffer): boolean {
  return head.length > 32 && /^(Ix[A-Z][A-Za-z0-9]|Iw[A-Z][A-Za-z0-9]|IHN[a-z2]|IB[a-z][A-Za-z0-9])$/.test(head.toString("latin1", 0, 4)) && head[6] === 0 && head[7] === 0;
}

/** PyTorch and NumPy save zip archives; the name of the first member tells which one it is. */
function zipKind(head: Buffer): string | undefined {
  const name = head.toString("latin1", 30, 30 + Math.min(head.readUInt16LE(26), 512));
  if (name.endsWith("data.pkl") || name.endsWith("/version") || name.endsWith("/byteorder")) return "PyTorch model weights";
  if (name.endsWith(".npy")) return "NumPy arrays (embeddings or weights)";
  return head.includes("model.weights.h5") ? "Keras model weights" : undefined;
}

function isPickle(head: Buffer): boolean {
  return head[0] === 0x80 && (head[1] ?? 0) >= 2 && (head[1] ?? 0) <= 5;
}

/** Pickles hold anything; those of the usual libraries name the library near their beginning. */
function pickleKind(head: Buffer): string | undefined {
  if (head.toString("latin1", 2, 14) === "\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19") return "PyTorch model weights";
  const library = /\b(torch|sklearn|numpy|xgboost|lightgbm|tensorflow|keras)\b/.exec(head.toString("latin1", 0, 65_536))?.[1];
  return library === undefined ? undefined : `pickled ${library} objects (weights or embeddings)`;
}

/** A protobuf ModelProto: its version first, then only fields that it has, up to the graph, which begins with a node. */
function isOnnx(head: Buffer): boolean {
  if (head[0] !== 0x08 || (head[1] ?? 99) > 30) return false;
  for (let at = 2; at < Math.min(head.length, 65_536); ) {
    const tag = head[at] ?? 0;
    if (tag === 0x28) {
      at = skipVarint(head, at + 1);
      continue;
    }
    if (![0x12, 0x1a, 0x22, 0x32, 0x3a, 0x42, 0x72].includes(tag)) return false;
    const start = skipVarint(head, at + 1);
    if (tag === 0x3a) return head[start] === 0x0a;
    at = start + varint(head, at + 1);
  }
  return false;
}

function skipVarint(head: Buffer, at: number): number {
  let end = at;
  while (((head[end] ?? 0) & 0x80) !== 0) end++;
  return end + 1;
}

function varint(head: Buffer, at: number): number {
  let value = 0;
  for (let end = skipVarint(head, at) - 1; end >= at; end--) value = value * 128 + ((head[end] ?? 0) & 0x7f);
  return value;
}

/** JSON lines that train a model or hold vectors: the first ten lines decide, so a sample of a few lines is let be. */
function linesKind(head: Buffer): string | undefined {
  const lines = head.toString("utf8", 0, 262_144).split("\n", 11).filter((line) => line.trim() !== "");
  if (lines.length < 10 && head.length < 262_144) return undefined;
  const kinds = new Set(lines.slice(0, Math.max(1, Math.min(10, lines.length - 1))).map(lineKind));
  return kinds.size === 1 ? [...kinds][0] : undefined;
}

function lineKind(line: string): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const has = (...keys: readonly string[]): boolean => keys.every((key) => Object.hasOwn(value, key));
  const vector = Object.values(value).some((field) => Array.isArray(field) && field.length >= 32 && field.every((item) => typeof item === "number"));
  if (vector) return "embeddings as JSON lines";
  const isTraining = has("messages") || has("conversations") || has("prompt", "completion") || has("instruction", "output") || has("instruction", "response") || has("chosen", "rejected");
  return isTraining ? "training data as JSON lines" : undefined;
}

const secretKinds: readonly (readonly [RegExp, string])[] = [
  [/^(AKIA|ASIA)/, "an AWS access key"],
  [/^sk-ant-/, "an Anthropic API key"],
  [/^sk-/, "an OpenAI API key"],
  [/^tw_/, "an API key of twelve"],
  [/^gh|^github_pat_/, "a GitHub token"],
  [/^AIza/, "a Google API key"],
  [/^xox/, "a Slack token"],
  [/^hf_/, "a Hugging Face token"],
  [/^sk_live_/, "a Stripe key"],
  [/^glpat-/, "a GitLab token"],
  [/^npm_/, "an npm token"],
  [/^-----BEGIN/, "a private key"],
];
const secretPattern =
  /(?:(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Za-z])|sk-[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60}|AIza[\w-]{35}|xox[abprs]-[A-Za-z0-9-]{20}|hf_[A-Za-z]{34}|sk_live_[A-Za-z0-9]{20}|glpat-[\w-]{20}|npm_[A-Za-z0-9]{36}|tw_[\w-]{43})|-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s/g;

function findSecret(text: string): Marks["secret"] {
  for (const { 0: match, index } of text.matchAll(secretPattern)) {
    // Asked here and not in the pattern, where it would cost half of the speed. Inside a longer word it is no secret.
    if (/[A-Za-z0-9]/.test(text[index - 1] ?? "") || !isPlausible(match)) continue;
    const kind = secretKinds.find(([pattern]) => pattern.test(match))?.[1] ?? "a secret";
    return { kind, line: text.slice(0, index).split("\n").length };
  }
  return undefined;
}

/** Names in kebab case and the examples of manuals look like keys but have no digits and capitals, or say so. */
function isPlausible(match: string): boolean {
  if (/EXAMPLE|example|xxxx|XXXX|placeholder|your[-_]/.test(match)) return false;
  return !match.startsWith("sk-") || (/\d/.test(match) && /[A-Z]/.test(match)) || match.startsWith("sk-ant-");
}

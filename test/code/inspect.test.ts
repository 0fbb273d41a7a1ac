import { describe, expect, it } from "vitest";
import { inspectContent } from "../../src/code/inspect.ts";

const padding = "\0".repeat(64);
const bytes = (text: string): Buffer => Buffer.from(text, "latin1");
const safetensors = (header: string): Buffer => {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(64)]);
};
const zip = (name: string): Buffer => {
  const header = Buffer.alloc(30);
  header.write("PK\x03\x04", "latin1");
  header.writeUInt16LE(name.length, 26);
  return Buffer.concat([header, Buffer.from(name), Buffer.alloc(32)]);
};
const lines = (value: unknown): Buffer => Buffer.from(`${JSON.stringify(value)}\n`.repeat(12));

const data: readonly (readonly [string, Buffer, string | undefined])[] = [
  ["GGUF", bytes(`GGUF\x03\0\0\0${padding}`), "GGUF model weights"],
  ["safetensors", safetensors('{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'), "safetensors model weights"],
  ["ONNX", bytes(`\x08\x07\x12\x07pytorch\x1a\x032.1\x3a\x80\x01\x0a\x10${padding}`), "ONNX model weights"],
  ["PyTorch's zip", zip("archive/data.pkl"), "PyTorch model weights"],
  ["PyTorch's old format", bytes("\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02"), "PyTorch model weights"],
  ["a pickle of scikit-learn", bytes(`\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x0fsklearn.linear_model${padding}`), "pickled sklearn objects (weights or embeddings)"],
  ["a pickle of something else", bytes(`\x80\x04\x95\x10\0\0\0\0\0\0\0}\x94.${padding}`), undefined],
  ["NumPy", bytes(`\x93NUMPY\x01\0v\0{'descr'${padding}`), "NumPy arrays (embeddings or weights)"],
  ["NumPy's zip", zip("vectors.npy"), "NumPy arrays (embeddings or weights)"],
  ["an ordinary zip", zip("readme.txt"), undefined],
  ["Parquet", bytes(`PAR1\x15\0${padding}`), "a Parquet data set"],
  ["HDF5", bytes(`\x89HDF\r\n\x1a\n${padding}`), "HDF5 model weights or data"],
  ["FAISS", bytes(`IxF2\x80\x01\0\0\x10\0\0\0${padding}`), "a FAISS vector index"],
  ["a PNG picture", bytes(`\x89PNG\r\n\x1a\n${padding}`), undefined],
  ["text about GGUF", bytes("GGUF is a file format"), undefined],
  ["training conversations", lines({ messages: [{ role: "user", content: "Hi" }] }), "training data as JSON lines"],
  ["training pairs", lines({ prompt: "Hi", completion: "Hello" }), "training data as JSON lines"],
  ["embeddings as lines", lines({ id: 1, embedding: Array.from({ length: 64 }, () => 0.5) }), "embeddings as JSON lines"],
  ["log lines", lines({ level: "info", message: "started" }), undefined],
  ["a sample of three training pairs", Buffer.from('{"prompt":"a","completion":"b"}\n'.repeat(3)), undefined],
];

const secrets: readonly (readonly [string, string, string | undefined])[] = [
  ["an AWS key", `key = "AKIA${"Q7ZD".repeat(4)}"`, "an AWS access key"],
  ["the key of AWS's manual", 'key = "AKIAIOSFODNN7EXAMPLE"', undefined],
  ["an OpenAI key", `OPENAI_API_KEY=sk-${"aB3dE5".repeat(6)}`, "an OpenAI API key"],
  ["an Anthropic key", `x: sk-ant-api03-${"aB3dE5".repeat(6)}`, "an Anthropic API key"],
  ["a style sheet's class", ".sk-fading-circle-element-number-twelve { }", undefined],
  ["a word that ends in sk-", "task-management-in-the-large-and-small-9X", undefined],
  ["a GitHub token", `token: ghp_${"aB3dE5".repeat(6)}`, "a GitHub token"],
  ["a private key", "-----BEGIN RSA PRIVATE KEY-----\nMIIE", "a private key"],
];

describe("what a file's content shows", () => {
  it.each(data)("%s", (_, content, expected) => {
    expect(inspectContent(content).data).toBe(expected);
  });

  it.each(secrets)("%s", (_, line, expected) => {
    expect(inspectContent(Buffer.from(`first line\n${line}\n`)).secret).toEqual(expected === undefined ? undefined : { kind: expected, line: 2 });
  });

  it("knows a pointer of Git LFS", () => {
    const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";
    expect(inspectContent(Buffer.from(pointer))).toEqual({ isText: true, isLfsPointer: true });
  });
});

import { describe, expect, it } from "vitest";
import { findAll } from "../../src/build/findings-plan.ts";
import type { Marks } from "../../src/code/inspect.ts";

function find(path: string, marks?: Marks, size = 1000): readonly string[] {
  const facts = marks === undefined ? [] : [{ path, mode: "file" as const, size, digest: `sha256:${"0".repeat(64)}` as const, marks }];
  return findAll({ paths: [path], texts: new Map(), facts }).map(({ factor, message }) => `${factor}: ${message}`);
}
const tracked = (kind: string): readonly string[] => [`IV. Backing services: Git tracks ${kind}: keep it in a model registry, an object store or an index that is attached by URL, and out of the code`];

const cases: readonly (readonly [string, string, Marks | undefined, number, readonly string[]])[] = [
  ["weights by their ending", "m/model.safetensors", {}, 1000, tracked("safetensors model weights")],
  ["weights that are not packaged", "m/MODEL.GGUF", undefined, 0, tracked("GGUF model weights")],
  ["weights under another name", "assets/logo.png", { data: "ONNX model weights" }, 1000, tracked("ONNX model weights")],
  ["a pointer of Git LFS", "model.bin", { isText: true, isLfsPointer: true }, 130, tracked("model weights or data (as a pointer of Git LFS)")],
  ["a pointer of Git LFS to a picture", "logo.png", { isText: true, isLfsPointer: true }, 130, []],
  ["a large binary file", "store.bin", {}, 2 << 20, tracked("a large binary file (weights, an index or data)")],
  ["a small binary file", "icon.bin", {}, 2000, []],
  ["a Portuguese page", "about.pt", { isText: true }, 1000, []],
  ["a short text that is called weights", "model.pt", { isText: true }, 20, tracked("PyTorch model weights")],
  ["an empty file", "model.onnx", { isText: true }, 0, []],
  ["a secret", "src/a.py", { isText: true, secret: { kind: "an AWS access key", line: 7 } }, 100, ["III. Config: Line 7 looks like an AWS access key: revoke it, take it out of git, and declare it as `kind: secret` under `config`"]],
  ["an environment file", "deploy/.env.production", { isText: true }, 100, ["III. Config: Git tracks a file of environment values: configuration belongs into the environment. Run `git rm --cached` and add it to .gitignore"]],
  ["an example of an environment file", ".env.example", { isText: true }, 100, []],
  ["source code", "src/a.py", { isText: true }, 100, []],
];

describe("findings about files", () => {
  it.each(cases)("%s", (_, path, marks, size, expected) => {
    expect(find(path, marks, size)).toEqual(expected);
  });
});

import { describe, expect, it } from "vitest";
import { packShard, planShards, unpackShard } from "../../src/index/shard.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a packed shard", () => {
  it("gives its files back, byte for byte", () => {
    const files = [
      { path: "docs/a.md", loader: "markdown" as const, bytes: bytes("# A\n\nLine\n") },
      { path: 'docs/odd "name"\n.md', loader: "markdown" as const, bytes: new Uint8Array(0) },
      { path: "docs/\u{1F600}.pdf", loader: "pdf" as const, bytes: Uint8Array.from([0, 10, 13, 255, 123, 93]) },
      { path: "feed#1", loader: "text" as const, metadata: { author: "Ada", year: 1843 }, bytes: bytes("ä") },
    ];
    expect(unpackShard(packShard(files))).toEqual(files);
  });

  it("can be of no files", () => {
    expect(unpackShard(packShard([]))).toEqual([]);
  });

  it("is the same for the same files", () => {
    const files = (): Parameters<typeof packShard>[0] => [{ path: "a.md", loader: "markdown", bytes: bytes("text") }];
    expect(packShard(files())).toEqual(packShard(files()));
  });

  it("lets a reader take the bytes of one file away", () => {
    const [first, second] = unpackShard(packShard([{ path: "a", loader: "text", bytes: bytes("one") }, { path: "b", loader: "text", bytes: bytes("two") }]));
    structuredClone(first?.bytes, { transfer: [first?.bytes.buffer as ArrayBuffer] });
    expect(new TextDecoder().decode(second?.bytes)).toBe("two");
  });
});

describe("the shards of a job", () => {
  const sized = (count: number, sizeBytes = 1000): { readonly source: { readonly sizeBytes: number } }[] => Array.from({ length: count }, () => ({ source: { sizeBytes } }));
  const sizes = (files: ReturnType<typeof sized>): readonly number[] => [...planShards(files)].map((shard) => shard.length);

  it.each([
    ["no file", 0, []],
    ["one file", 1, [1]],
    ["few files", 40, [16, 16, 8]],
    ["a shard's worth for each of 32", 640, Array.from({ length: 32 }, () => 20)],
    ["many files", 8000, Array.from({ length: 32 }, () => 250)],
  ])("of %s", (_, count, expected) => {
    expect(sizes(sized(count))).toEqual(expected);
  });

  it("have at most 250 files each", () => {
    expect(sizes(sized(40_000))).toEqual(Array.from({ length: 160 }, () => 250));
  });

  it("have at most 8 MiB each, and larger files go alone", () => {
    const megabyte = 1 << 20;
    expect(sizes(sized(20, megabyte))).toEqual([8, 8, 4]);
    expect(sizes([...sized(1), ...sized(2, 30 * megabyte), ...sized(2)])).toEqual([1, 1, 1, 2]);
  });

  it("keep the files in order", () => {
    const files = Array.from({ length: 100 }, (_, name) => ({ name, source: { sizeBytes: 1 } }));
    expect([...planShards(files)].flat()).toEqual(files);
  });
});

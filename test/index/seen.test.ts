import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { type Digest, digestOf } from "../../src/core/descriptor.ts";
import type { DocumentFile } from "../../src/index/documents.ts";
import { digestSeen, readSeen, writeSeen } from "../../src/index/seen.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";

function file(path: string, version?: string): DocumentFile {
  return { path, loader: "markdown@1", loaderName: "markdown", source: { path, sizeBytes: 1, ...(version === undefined ? {} : { version }), read: async () => new Uint8Array() } };
}
const digests = (...paths: readonly string[]): ReadonlyMap<string, Digest> => new Map(paths.map((path) => [path, digestOf(path)]));

let context: TestContext;
beforeEach(async () => {
  context = await testContext({ dir: await temporaryFolder() });
});
const remember = (files: readonly DocumentFile[], index = "docs"): void => writeSeen(context, index, { before: readSeen(context.dir, index), files, digests: digests(...files.map(({ path }) => path)) });

describe("documents that were seen", () => {
  it("are known by path and version", () => {
    remember([file("a b.md", "1-2"), file("docs/ü.md", "3")]);
    const seen = readSeen(context.dir, "docs");
    expect([digestSeen(seen, file("a b.md", "1-2")), digestSeen(seen, file("docs/ü.md", "3"))]).toEqual([digestOf("a b.md"), digestOf("docs/ü.md")]);
    expect([file("a b.md", "1-3"), file("other.md", "3"), file("a b.md")].map((other) => digestSeen(seen, other))).toEqual([undefined, undefined, undefined]);
  });

  it("are forgotten when they are gone, and kept apart for each index", () => {
    remember([file("a.md", "1"), file("b.md", "1")]);
    remember([file("c.md", "1")], "other");
    remember([file("b.md", "1")]);
    expect([...readSeen(context.dir, "docs").values()]).toEqual([digestOf("b.md")]);
    expect([...readSeen(context.dir, "other").values()]).toEqual([digestOf("c.md")]);
  });

  it("are not those that have no version, no digest, or a name of two lines", () => {
    writeSeen(context, "docs", { before: new Map(), files: [file("a.md"), file("b.md", "1"), file("c\nd.md", "1"), file("e.md", "1")], digests: digests("a.md", "c\nd.md", "e.md") });
    expect(readSeen(context.dir, "docs")).toEqual(new Map([["1 e.md", digestOf("e.md")]]));
  });

  it("are none where the file is damaged", async () => {
    remember([file("a.md", "1")]);
    const path = join(context.dir, ".twelve/cache/documents-docs");
    await writeFile(path, (await readFile(path, "utf8")).replace("a.md", "b.md"));
    expect(readSeen(context.dir, "docs").size).toBe(0);
  });

  it("only cost time where they cannot be remembered", async () => {
    await writeFile(join(context.dir, ".twelve"), "a file");
    remember([file("a.md", "1")]);
    expect(context.told).toEqual([expect.stringContaining("warn What this run has read cannot be remembered") as string]);
  });
});

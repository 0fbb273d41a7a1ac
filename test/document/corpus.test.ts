import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { LoadedDocument } from "../../src/document/schema.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { documentOf } from "../helpers/document.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

const note = withoutShared ? " (skipped: the shared test data is not beside this checkout)" : "";

interface Loaded extends LoadedDocument {
  readonly path: string;
  readonly bytes: Uint8Array;
}

async function loadAll(name: string): Promise<readonly Loaded[]> {
  const dir = await temporaryFolder();
  execFileSync("tar", ["-xzf", sharedData("docs", `${name}.tar.gz`), "-C", dir]);
  const paths = (await readdir(dir, { recursive: true })).filter((path) => /\.mdx?$/.test(path)).sort();
  return Promise.all(paths.map(async (path) => {
    const bytes = await readFile(join(dir, path));
    return { path, bytes, ...(await documentOf(path, bytes)) };
  }));
}

describe.skipIf(withoutShared)(`real documentation${note}`, () => {
  it("in MDX has its title as heading and its front matter as metadata, in every file", async () => {
    const documents = await loadAll("vercel-ai");
    expect(documents).toHaveLength(514);
    expect(documents.filter(({ metadata }) => typeof metadata["title"] !== "string")).toEqual([]);
    expect(documents.filter(({ blocks: [first] }) => first?.kind !== "heading").map(({ path }) => path)).toEqual([]);
    const leftovers = documents.flatMap(({ path, blocks }) => blocks.filter(({ kind, text }) => kind === "prose" && /^(?:import .* from |---$)|\{\/\*/m.test(text)).map(({ text }) => `${path}: ${text}`));
    expect(leftovers).toEqual([]);
  });

  it("in 19 languages is read whole, with a byte-order mark or without", async () => {
    const documents = await loadAll("twelve-factor");
    const marked = documents.filter(({ bytes }) => bytes[0] === 0xef && bytes[1] === 0xbb);
    expect(marked).toHaveLength(12);
    expect(documents.filter(({ blocks }) => blocks.some(({ text }) => text.includes("\ufeff") || text.includes("\ufffd")))).toEqual([]);
  });
});

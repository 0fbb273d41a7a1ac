import { execFileSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openEmbedder, openVectors } from "../../src/adapters/registry.ts";
import command from "../../src/index/command.ts";
import { openIndexData, readIndex } from "../../src/index/read.ts";
import type { VectorHit } from "../../src/ports/vectors.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { sharedData, withoutShared } from "../helpers/shared.ts";

const note = withoutShared ? " (skipped: the shared test data is not beside this checkout)" : "";

async function indexed(archive: string): Promise<{ readonly output: Awaited<ReturnType<typeof command.run>>; readonly search: (text: string) => Promise<readonly VectorHit[]> }> {
  const dir = await temporaryFolder();
  execFileSync("tar", ["-xzf", sharedData("docs", archive), "-C", dir]);
  await writeFile(join(dir, "twelve.yaml"), "name: real\nindexes:\n  docs: { source: [.], include: [\"*.md\", \"*.mdx\"] }\n");
  const context = await testContext({ dir });
  const output = await command.run(command.input.parse({}), context);
  const search = async (text: string): Promise<readonly VectorHit[]> => {
    const store = await context.store();
    const { folder } = await openIndexData(store, (await readIndex(store, "real", "docs")).descriptor, dir);
    const opened = await (await openVectors("lance:", { dir, env: {} })).open(folder);
    const [vector = new Float32Array()] = await (await openEmbedder("hash:512", { dir, env: {} })).embed([text], "query");
    const search = (mode: "text" | "vector"): Promise<readonly VectorHit[]> => opened.search({ mode, text, vector, topK: 5 });
    return Promise.all([search("text"), search("vector")]).then((lists) => lists.flat()).finally(() => opened.close());
  };
  return { output, search };
}

describe.skipIf(withoutShared)(`real documentation${note}`, () => {
  it("of twelve-factor, in nineteen languages and some with byte-order marks, is indexed whole and answers by page", async () => {
    const { output, search } = await indexed("twelve-factor.tar.gz");
    expect(output).toMatchObject({ documents: 313, skipped: [] });
    const answers = {
      "Where should an app store its config?": "en/config.md",
      "Treat logs as event streams": "en/logs.md",
      "設定を環境変数に格納する": "ja/config.md",
      "Журналирование потока событий": "ru/logs.md",
    };
    const misses: string[] = [];
    for (const [question, page] of Object.entries(answers)) {
      const hits = await search(question);
      if (!hits.some(({ document }) => document.endsWith(`/${page}`))) misses.push(`${question}: ${hits.map(({ document }) => document).join(", ")}`);
    }
    expect(misses).toEqual([]);
  });

  it("of vercel-ai, in MDX with components and long tables, is indexed whole", async () => {
    const { output, search } = await indexed("vercel-ai.tar.gz");
    expect(output).toMatchObject({ documents: 514, skipped: [] });
    expect((await search("langchain adapter")).map(({ document }) => document)).toContainEqual(expect.stringMatching(/langchain\.mdx$/));
  });

  it("of fastify, with HTML anchors and long listings, is indexed whole", async () => {
    const { output, search } = await indexed("fastify.tar.gz");
    expect(output).toMatchObject({ documents: 42, skipped: [] });
    expect((await search("connectionTimeout server option")).map(({ document }) => document)).toContainEqual(expect.stringMatching(/Server\.md$/));
  });
});

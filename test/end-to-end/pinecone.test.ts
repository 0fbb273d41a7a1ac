import { execFileSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { changePublication, listPublications } from "../../src/index/publication.ts";
import { cleanEnv, startTwelve, twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { dense, sparse, startPinecone } from "../helpers/pinecone-server.ts";

const key = "pcsk_0123456789_abcdefghij";
const question = "How many days do I have to return a sensor?";

it("publishes to Pinecone, survives a killed publish, searches there as in the embedded engine, and clears up", async () => {
  const halfway = Promise.withResolvers<void>();
  let isStuck = true;
  const server = await startPinecone({
    key, staleReads: 2, indexes: [dense("docs", 512), sparse("docs-text")],
    async instead({ path }) {
      if (isStuck && path.endsWith("/docs-text/vectors/upsert")) {
        halfway.resolve();
        await new Promise(() => {});
      }
      return undefined;
    },
  });
  onTestFinished(() => server.close());
  const { folder: cwd } = await twelveJson<{ folder: string }>(["init", "app", "--template", "rag"], { cwd: await temporaryFolder() });
  const manifest = join(cwd, "twelve.yaml");
  const text = await readFile(manifest, "utf8");
  await writeFile(manifest, text.replace("config:\n", "config:\n  VECTORS_URL: { kind: attachment, optional: true }\n").replace("source: [docs]\n", 'source: [docs]\n    vectors: "${VECTORS_URL}"\n'));
  execFileSync("git", ["commit", "-qam", "Search where the environment says"], { cwd, env: cleanEnv() });
  const here = { cwd, env: { PINECONE_API_KEY: key, PINECONE_BASE_URL: server.url, VECTORS_URL: "pinecone://docs" } };
  await twelveJson(["build"], here);
  await twelveJson(["index"], here);
  const embedded = await twelveJson<{ hits: readonly { readonly id: string }[] }>(["search", question], { cwd });

  const killed = startTwelve(["index", "publish", "--env", "staging"], here);
  await halfway.promise;
  killed.kill("SIGKILL");
  isStuck = false;
  expect((await twelve(["release", "--env", "staging"], here)).exitCode).toBe(5);
  const store = await openStore("file:.twelve/store", { dir: cwd, env: {} });
  for (const { ref } of await listPublications(store, "app")) {
    await changePublication(store, ref, (value) => ({ ...value, loading: value.loading && { ...value.loading, at: "2026-01-01T00:00:00.000Z" } }));
  }

  const published = await twelveJson<{ namespace: string; chunks: number }>(["index", "publish", "--env", "staging"], here);
  expect(published).toMatchObject({ isLoaded: true, sampled: published.chunks });
  expect(await twelveJson(["index", "verify", "--env", "staging"], here)).toMatchObject({ published: { namespace: published.namespace, missing: [], unknown: [], wrong: [] } });
  await twelveJson(["release", "--env", "staging"], here);
  const found = await twelveJson<{ hits: readonly { readonly id: string }[] }>(["search", question, "--env", "staging"], here);
  expect(found.hits.map(({ id }) => id)).toEqual(embedded.hits.map(({ id }) => id));
  const checked = await twelve(["services", "check", "--env", "staging"], here);
  expect(checked.stdout).toContain("pinecone://docs");
  expect(checked.stdout).toContain("index docs, 512 dimensions, words in docs-text, 1 published index");

  const again = await twelveJson<{ namespace: string }>(["index", "publish", "--env", "staging", "--again"], here);
  expect(again.namespace).not.toBe(published.namespace);
  for (const { ref } of await listPublications(store, "app")) {
    await changePublication(store, ref, (value) => ({ ...value, left: value.left.map((each) => ({ ...each, at: "2026-01-01T00:00:00.000Z" })) }));
  }
  const collected = await twelve(["admin", "gc", "--yes", "--env", "staging"], here);
  expect(collected).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(published.namespace) });
  for (const name of ["docs", "docs-text"]) {
    const left = [...(server.indexes.get(name)?.spaces.keys() ?? [])].filter((space) => space !== "twelve-published/docs");
    expect(left).toEqual([expect.stringMatching(new RegExp(`^${again.namespace}\\.[0-9a-f]{8}$`))]);
  }
  expect(JSON.stringify([published, found, checked, again, collected])).not.toContain(key);
});

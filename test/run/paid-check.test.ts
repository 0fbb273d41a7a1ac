import { expect, it, onTestFinished } from "vitest";
import { openRuntime } from "../../src/run/apply.ts";
import { readActive } from "../../src/release/read.ts";
import { fixedClock, temporaryFolder, testContext } from "../helpers/context.ts";
import { startRerankServer } from "../helpers/rerank-server.ts";
import { makeRelease, manifest } from "./release.ts";

const key = "jk-0123456789";

it("pays for a look at a reranker once in ten minutes however often it is probed, and sees within seconds that it fails and is back", async () => {
  const server = await startRerankServer(key);
  onTestFinished(() => server.close());
  let nowMs = 0;
  const context = await testContext({ dir: await temporaryFolder(), env: { JINA_API_KEY: key, JINA_BASE_URL: server.url }, clock: { ...fixedClock(), monotonicMs: () => nowMs } });
  await makeRelease(context, manifest.replace("retrieve: { index: docs,", 'retrieve: { index: docs, reranker: "jina:jina-reranker-m0",'));
  const { activation, ...release } = await readActive(await context.store(), "handbook", "staging");
  const runtime = await openRuntime(context, { release, environment: "staging", attachments: activation.attachments, agents: ["support"], emit: () => {} });
  onTestFinished(() => runtime.close());
  async function probe(seconds: number): Promise<readonly string[]> {
    let missing: readonly string[] = [];
    for (let second = 0; second < seconds; second++) {
      nowMs += 1000;
      missing = (await runtime.check()).filter(({ isReady }) => !isReady).map(({ name }) => name);
    }
    return missing;
  }
  const ask = (): Promise<unknown> => Array.fromAsync(runtime.answer({ agent: "support", messages: [{ role: "user", content: "How large?" }], variables: {}, isStream: false, traceId: "0".repeat(32), signal: context.signal }));

  expect(await probe(1800)).toEqual([]);
  expect(server.requests.length).toBe(3);

  const before = server.requests.length;
  const wrongKey = { status: 401, body: { detail: "Unauthorized" } };
  server.faults.push(wrongKey, wrongKey);
  await expect(ask()).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
  expect(await probe(5)).toEqual(["reranker jina:jina-reranker-m0"]);
  expect(await probe(5)).toEqual([]);
  expect(await probe(60)).toEqual([]);
  // The question, the look that failed, and the one that did not.
  expect(server.requests.length - before).toBe(3);
});

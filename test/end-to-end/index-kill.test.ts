import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { startTwelve, twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import type { ServiceServer } from "../helpers/service-server.ts";
import { startTeiServer } from "../helpers/tei-server.ts";

const documents = 600;
const maxBatch = 2;
const requestsAtOnce = 2;
/** Kills while texts are embedded, and kills while the engine writes and the index is published. */
const kills = { embedding: 12, writing: 12 };

/** The same moments every time, as far as a process takes the same time every time. */
function randomNumbers(seed: number): (from: number, to: number) => number {
  let state = seed;
  return (from, to) => from + ((state = (state * 48_271) % 2_147_483_647) / 2_147_483_647) * (to - from);
}
const random = randomNumbers(20_261_125);

async function newApp(embedder: string): Promise<string> {
  const cwd = await temporaryFolder();
  await mkdir(join(cwd, "docs"));
  await writeFile(join(cwd, "twelve.yaml"), `name: killed\nindexes:\n  docs: { source: [docs], embedder: "${embedder}", embedding: { requestsAtOnce: ${requestsAtOnce} } }\n`);
  const write = (i: number): Promise<void> => writeFile(join(cwd, "docs", `${i}.md`), `# Article ${i}\n\nParcel ${i} weighs ${i * 7 % 31} kg.\n\n## Returns\n\nItem ${i} can be sent back within ${i % 90} days.\n`);
  await Promise.all(Array.from({ length: documents }, (_, i) => write(i)));
  return cwd;
}

/** Starts `twelve index`, kills it when `moment` has come, and tells whether it was still at work. */
async function killAt(moment: (isOver: () => boolean) => Promise<void>, cwd: string): Promise<boolean> {
  const child = startTwelve(["index"], { cwd });
  let isOver = false;
  const closed = new Promise<NodeJS.Signals | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
  void closed.then(() => (isOver = true));
  await moment(() => isOver);
  child.kill("SIGKILL");
  return (await closed) === "SIGKILL";
}
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Every text of the documents that the server was asked for, as often as it was. */
function countTexts(server: ServiceServer): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { body } of server.requests) {
    for (const text of (body as { inputs?: readonly string[] } | undefined)?.inputs ?? []) if (text.startsWith("Article ")) counts.set(text, (counts.get(text) ?? 0) + 1);
  }
  return counts;
}

it("an index that was killed two dozen times is the one of an undisturbed run, and no text was embedded twice beyond the batches in flight", async () => {
  const server = await startTeiServer({ maxBatch, dimensions: 32 });
  onTestFinished(() => server.close());
  const embedder = `tei+${server.url}`;
  const undisturbed = await newApp(embedder);
  const { digest, embedded } = await twelveJson<{ digest: string; embedded: number }>(["index"], { cwd: undisturbed });
  expect(embedded).toBe(2 * documents);
  // What a run takes that only writes and publishes.
  await writeFile(join(undisturbed, "docs", "extra.md"), "# Extra\n\nOne more.");
  const startedMs = performance.now();
  await twelveJson(["index"], { cwd: undisturbed });
  const writingMs = performance.now() - startedMs;

  server.requests.length = 0;
  const cwd = await newApp(embedder);
  const killed = { embedding: 0, writing: 0 };
  while (killed.embedding < kills.embedding) {
    const until = server.requests.length + random(0, 50);
    const isKilled = await killAt(async (isOver) => {
      while (server.requests.length < until && !isOver()) await pause(1);
      await pause(random(0, 15));
    }, cwd);
    if (!isKilled) break;
    killed.embedding++;
  }
  const extra = join(cwd, "docs", "extra.md");
  for (let attempt = 0; killed.writing < kills.writing && attempt < 3 * kills.writing; attempt++) {
    // There is always something to write, on top of whatever was published last.
    await (attempt % 2 === 0 ? writeFile(extra, "# Extra\n\nOne more.") : rm(extra));
    if (await killAt(() => pause(writingMs * random(0.35, 1)), cwd)) killed.writing++;
  }
  expect(killed).toEqual(kills);

  await rm(extra, { force: true });
  expect(await twelveJson(["index"], { cwd })).toMatchObject({ digest, documents, skipped: [] });
  expect(await twelve(["verify"], { cwd })).toMatchObject({ exitCode: 0 });
  expect(await twelveJson(["index", "verify"], { cwd })).toMatchObject({ digest, missing: [], unknown: [], chunks: { ledger: 2 * documents, held: 2 * documents } });

  const counts = [...countTexts(server).values()];
  const repeated = counts.reduce((sum, count) => sum + count - 1, 0);
  expect(counts).toHaveLength(2 * documents);
  expect(repeated).toBeLessThanOrEqual((kills.embedding + kills.writing) * requestsAtOnce * maxBatch);
  // At the end of the first half little was left to embed, so that few of the later kills can have met a batch.
  expect(server.requests.length).toBeGreaterThan(documents);
}, 180_000);

import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { digestOf, hexOf } from "../../src/core/descriptor.ts";
import type { JobReport } from "../../src/index/job-report.ts";
import type { IndexReport, IndexSubmission } from "../../src/index/report.ts";
import { blobsOfBatch, EmbeddingBatches } from "../../src/index/schema.ts";
import { startTwelve, twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { type EmbeddingServer, startEmbeddingServer } from "../helpers/embedding-server.ts";
import { git } from "../helpers/git-app.ts";
import { documentName, manyDocument, manyDocuments } from "../helpers/many-documents.ts";
import { startPostgres, withoutPostgres } from "../helpers/postgres.ts";
import { startWorker, type WorkerProcess } from "../helpers/worker-process.ts";

const count = 400;
const texts = count * 2;
const shards = 25;
/** Each test has an environment of its own, and so its own jobs in the database that they share. */
const environments = ["alone", "together", "killed", "cancelled", "strict", "changed", "released", "apart"];

let folder: string;
let original: string;
let plain: { readonly digest: string };
let variables: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twelve-workers-"));
  original = await manyDocuments(join(folder, "original"), count, { environments });
  const copy = join(folder, "plain");
  await cp(original, copy, { recursive: true });
  const server = await startEmbeddingServer({ vectors: "cheap" });
  plain = await twelveJson(["index"], { cwd: copy, env: { EMBEDDER: `${server.baseUrl}#small` } });
  await server.close();
  variables = { STATE_URL: `pglite:${join(folder, "state")}` };
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Machine {
  readonly cwd: string;
  readonly variables: Record<string, string>;
  readonly server: EmbeddingServer;
}

/** A machine with the documents, a store of its own and an embedding service that counts. */
async function machine({ delayMs = 0 } = {}): Promise<Machine> {
  const cwd = await temporaryFolder();
  await cp(original, cwd, { recursive: true });
  const server = await startEmbeddingServer({ vectors: "cheap", delayMs });
  onTestFinished(() => server.close());
  return { cwd, server, variables: { ...variables, EMBEDDER: `${server.baseUrl}#small` } };
}

const detach = (env: string, { cwd, variables: set }: Machine, ...more: readonly string[]): Promise<IndexSubmission> => twelveJson(["index", "--detach", "--env", env, ...more], { cwd, env: set });
const wait = (job: string, env: string, { cwd, variables: set }: Machine): Promise<JobReport> => twelveJson(["index", "wait", job, "--env", env], { cwd, env: set });
const workers = (number: number, env: string, { cwd, variables: set }: Machine, concurrency = 2): Promise<readonly WorkerProcess[]> => Promise.all(Array.from({ length: number }, () => startWorker(env, { cwd, variables: set, concurrency })));

async function expectClean({ cwd }: Machine): Promise<void> {
  expect(await twelveJson(["index", "verify"], { cwd })).toMatchObject({ missing: [], unknown: [] });
  expect(await twelveJson(["verify"], { cwd })).toMatchObject({ problems: [] });
}

/** What was sent to the service, without the texts that it is recognised by. */
const sent = ({ server }: Machine): readonly string[] => server.texts().filter((text) => /^Document \d+/.test(text));

describe("a detached index job", () => {
  it("gives the digest of plain `twelve index` with one worker", async () => {
    const here = await machine();
    const submitted = await detach("alone", here);
    expect(submitted).toMatchObject({ documents: count, shards, worker: "worker" });
    expect(await twelveJson(["index", "status", "--env", "alone"], { cwd: here.cwd, env: here.variables })).toMatchObject({ jobs: [{ job: submitted.job, state: "queued", shards: { done: 0, running: 0, total: shards } }] });
    const [worker] = await workers(1, "alone", here);
    expect(await wait(submitted.job, "alone", here)).toMatchObject({ state: "done", result: { digest: plain.digest, documents: count, chunks: texts, embedded: texts, skipped: 0 } });
    expect(sent(here)).toHaveLength(texts);
    await worker?.logged("join-finished");
    expect(await worker?.stop()).toBe(0);
    expect(worker?.events.map(({ event }) => event)).toEqual(["worker-ready", ...Array.from({ length: shards }, () => "shard-finished"), "join-finished", "worker-stopped"]);
    await expectClean(here);
  });

  it("gives the same digest with four workers, each text embedded once", async () => {
    const here = await machine({ delayMs: 50 });
    const [{ job }, four] = [await detach("together", here), await workers(4, "together", here)];
    expect(await wait(job, "together", here)).toMatchObject({ state: "done", result: { digest: plain.digest, embedded: texts } });
    expect(new Set(sent(here)).size).toBe(texts);
    expect(sent(here)).toHaveLength(texts);
    const done = four.map(({ events }) => events.filter(({ event }) => event === "shard-finished").length);
    expect(done.reduce((sum, each) => sum + each, 0)).toBe(shards);
    await expectClean(here);
  });

  it("survives workers that are killed at any moment", async () => {
    const here = await machine({ delayMs: 400 });
    const seed = Math.floor(Math.random() * 1e6);
    const draw = randomFrom(seed);
    const { job } = await detach("killed", here);
    const living = [...(await workers(2, "killed", here))];
    const lost = new Set<string>();
    let kills = 0;
    for (; kills < 8; kills++) {
      await sleep(draw() * 900);
      const [victim] = living.splice(Math.floor(draw() * living.length), 1);
      await victim?.kill();
      const stored = await storedTexts(here.cwd);
      for (const text of sent(here)) if (!stored.has(text)) lost.add(text);
      living.push(await startWorker("killed", { cwd: here.cwd, variables: here.variables }));
    }
    const status = await twelveJson<{ jobs: readonly JobReport[] }>(["index", "status", job, "--env", "killed"], { cwd: here.cwd, env: here.variables });
    expect(status.jobs[0]?.state, `seed ${seed}`).toBe("running");
    // Once more, when all shards are done and the index is being written.
    await untilShardsDone(job, here);
    await sleep(draw() * 300);
    await Promise.all(living.map((worker) => worker.kill()));
    await workers(1, "killed", here);
    expect(await wait(job, "killed", here), `seed ${seed}`).toMatchObject({ state: "done", result: { digest: plain.digest, documents: count } });
    const twice = sent(here).filter((text, place, all) => all.indexOf(text) !== place);
    expect(twice.filter((text) => !lost.has(text)), `seed ${seed}`).toEqual([]);
    await expectClean(here);
  }, 300_000);

  it("publishes nothing when it is cancelled, and pays for nothing twice when it is submitted again", async () => {
    const here = await machine({ delayMs: 300 });
    const { job } = await detach("cancelled", here);
    const [worker] = await workers(1, "cancelled", here);
    await worker?.logged("shard-finished", 2);
    expect(await twelveJson(["index", "cancel", job, "--env", "cancelled"], { cwd: here.cwd, env: here.variables })).toEqual({ job, isCancelled: true, state: "cancelled" });
    expect(await twelve(["index", "wait", job, "--env", "cancelled"], { cwd: here.cwd, env: here.variables })).toMatchObject({ exitCode: 3, stderr: expect.stringContaining(`Job ${job} is cancelled`) });
    expect((await twelve(["index", "show"], { cwd: here.cwd })).exitCode).toBe(4);
    const again = await detach("cancelled", here);
    expect(again.job).toBe(`${job}-2`);
    expect(await wait(again.job, "cancelled", here)).toMatchObject({ state: "done", result: { digest: plain.digest } });
    // Requests that were under way when it was cancelled may have been for nothing.
    const twice = sent(here).length - texts;
    expect(twice).toBeLessThanOrEqual(2 * 32);
    expect(again.shards).toBe(shards);
  });

  it("goes on without a document that cannot be read, and fails with --strict", async () => {
    const here = await machine();
    await writeFile(join(here.cwd, "docs/broken.pdf"), "no pdf");
    await workers(1, "strict", here);
    const strict = await detach("strict", here, "--strict");
    const { exitCode, stderr } = await twelve(["index", "wait", strict.job, "--env", "strict"], { cwd: here.cwd, env: here.variables });
    expect([exitCode, stderr]).toEqual([2, expect.stringMatching(/Job \S+ failed: A file of the sources cannot be indexed, and --strict was given; docs\/broken\.pdf: .+\nFix: /)]);
    expect((await twelve(["index", "show"], { cwd: here.cwd })).exitCode).toBe(4);
    const { job } = await detach("strict", here);
    expect(await wait(job, "strict", here)).toMatchObject({ state: "done", result: { documents: count, skipped: 1, embedded: 0 } });
  });

  it("sends only the documents that changed", async () => {
    const here = await machine();
    await workers(2, "changed", here);
    await wait((await detach("changed", here)).job, "changed", here);
    const before = sent(here).length;
    const changed = [3, 100, 250, 399];
    for (const number of changed) await writeFile(join(here.cwd, documentName(number)), manyDocument(number, "second"));
    await rm(join(here.cwd, documentName(7)));
    const submitted = await detach("changed", here);
    expect(submitted).toMatchObject({ documents: 4, shards: 1 });
    const { result } = await wait(submitted.job, "changed", here);
    expect(result).toMatchObject({ documents: count - 1, embedded: 4 });
    expect(sent(here).slice(before).map((text) => Number(/edition of (\d+)/.exec(text)?.[1])).sort((left, right) => left - right)).toEqual(changed);
    await rm(join(here.cwd, ".twelve"), { recursive: true });
    expect(await twelveJson<IndexReport>(["index"], { cwd: here.cwd, env: here.variables })).toMatchObject({ digest: result?.digest });
    expect(await detach("changed", here)).toMatchObject({ kind: "report", isChanged: false });
  });

  it("ends with 130 when its `wait` is interrupted, and waits for a worker all the same", async () => {
    const here = await machine();
    const { job } = await detach("alone", here);
    const waiting = startTwelve(["index", "wait", job, "--env", "alone"], { cwd: here.cwd, env: here.variables });
    let said = "";
    waiting.stderr?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
      if (text.includes("No worker is at the job")) waiting.kill("SIGINT");
    });
    const [exitCode] = (await once(waiting, "close")) as [number | null];
    expect([exitCode, said]).toEqual([130, expect.stringContaining("Interrupted")]);
    await workers(1, "alone", here);
    expect(await wait(job, "alone", here)).toMatchObject({ state: "done", result: { digest: plain.digest } });
  });
});

describe("a worker", () => {
  it("of a release works where the release was activated, and makes the next index", async () => {
    const here = await machine();
    git(here.cwd, "init", "--quiet");
    await writeFile(join(here.cwd, ".gitignore"), ".twelve/\n");
    git(here.cwd, "add", "--all");
    git(here.cwd, "commit", "--quiet", "--message", "First version");
    const options = { cwd: here.cwd, env: here.variables };
    // The first index is made by a worker that no release can describe yet.
    const first = await detach("released", here);
    const [early] = await workers(1, "released", here);
    expect(early?.events[0]).toMatchObject({ "twelve.release.number": null, "twelve.process": "worker" });
    await wait(first.job, "released", here);
    expect(await early?.stop()).toBe(0);
    await twelveJson(["build"], options);
    await twelveJson(["release", "--env", "released"], options);

    // Another STATE_URL than the one that was activated: the activation decides, and that is said.
    const elsewhere = { ...here.variables, STATE_URL: "postgres://someone:geheim@127.0.0.1:9/db" };
    const worker = await startWorker("released", { cwd: here.cwd, variables: elsewhere });
    expect(worker.events[0]).toMatchObject({ "twelve.release.number": 1, "twelve.release.digest": expect.stringMatching(/^sha256:/), queue: here.variables["STATE_URL"] });
    expect(worker.stderr).toContain("STATE_URL is postgres://127.0.0.1:9/db now, but the release was activated with pglite:");
    expect(worker.stderr).not.toContain("geheim");
    await writeFile(join(here.cwd, documentName(3)), manyDocument(3, "second"));
    const { job } = await detach("released", here);
    expect(await wait(job, "released", here)).toMatchObject({ state: "done", result: { embedded: 1 } });
  });

  it("says what is wrong with the queue before it is ready, with exit code 6 and no password", async () => {
    const { cwd } = await machine();
    const { exitCode, stdout, stderr } = await twelve(["run", "worker", "--env", "alone"], { cwd, env: { STATE_URL: "postgres://someone:geheim@127.0.0.1:9/db" } });
    expect([exitCode, stdout]).toEqual([6, ""]);
    expect(stderr).toMatch(/^Error: postgres:\/\/127\.0\.0\.1:9\/db cannot be reached/);
    expect(stderr).not.toContain("geheim");
  });
});

describe.skipIf(withoutPostgres)("workers on several machines (needs Postgres)", () => {
  it("share a server's database and a store, and give the same digest", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    const here = await machine({ delayMs: 50 });
    const store = `file:${join(await temporaryFolder(), "store")}`;
    const shared = { ...here, variables: { ...here.variables, STATE_URL: await server.createDatabase(), TWELVE_STORE: store } };
    const { job, queue } = await detach("apart", shared);
    expect(queue).toMatch(/^postgres:\/\/127\.0\.0\.1:\d+\/test_1$/);
    // Machines that have the application, and none of the documents.
    const machines = await Promise.all([1, 2, 3, 4].map(async () => {
      const cwd = await temporaryFolder();
      await cp(join(original, "twelve.yaml"), join(cwd, "twelve.yaml"));
      return startWorker("apart", { cwd, variables: shared.variables });
    }));
    expect(await wait(job, "apart", shared)).toMatchObject({ state: "done", result: { digest: plain.digest, embedded: texts } });
    expect(machines.flatMap(({ events }) => events).filter(({ event }) => event === "shard-finished")).toHaveLength(shards);
    expect(await twelveJson(["index", "verify"], { cwd: here.cwd, env: shared.variables })).toMatchObject({ missing: [], unknown: [] });
  });
});

/** Numbers from 0 to 1, the same row of them for the same seed. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

/** The texts that the store of the folder has vectors of; it answers as it is now, while others write. */
async function storedTexts(cwd: string): Promise<{ has(text: string): boolean }> {
  const store = await openStore("file:.twelve/store", { dir: cwd, env: {} });
  const digests = new Set<string>();
  for (const name of await store.refs.list("data/embeddings/")) {
    const { batches, dimensions } = EmbeddingBatches.parse(JSON.parse((await store.refs.read(name))?.value ?? "{}"));
    for (const batch of batches) {
      const keys = Buffer.from(await store.blobs.read(blobsOfBatch(batch, dimensions).keys)).toString("hex");
      for (let start = 0; start < keys.length; start += 64) digests.add(keys.slice(start, start + 64));
    }
  }
  return { has: (text) => digests.has(hexOf(digestOf(text))) };
}

async function untilShardsDone(job: string, { cwd, variables: set }: Machine): Promise<void> {
  for (;;) {
    const { jobs } = await twelveJson<{ jobs: readonly JobReport[] }>(["index", "status", job, "--env", "killed"], { cwd, env: set });
    if (jobs[0]?.shards.done === shards) return;
    if (jobs[0]?.state !== "running" && jobs[0]?.state !== "queued") throw new Error(`The job is ${jobs[0]?.state}: ${jobs[0]?.failure?.message}`);
    await sleep(100);
  }
}

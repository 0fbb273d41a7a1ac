import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import { openQueue } from "../../../src/adapters/queue/dbos/adapter.ts";
import type { JobQueue } from "../../../src/ports/queue.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { type WorkerProcess, readTrace, startWorker, whenEnded } from "./workers.ts";

const shards = Array.from({ length: 24 }, (_, index) => index);
const result = { squares: shards.map((shard) => shard ** 2) };
const lostMs = 1500;
const kills = 12;

/** A number from 0 to 1, the same row of them for the same seed. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1103515245 + 12345) % 2147483648) / 2147483648;
}

/** What is promised of worker processes, whichever database holds the queue. `break` ends the database's server and lets it come back. */
export function describeSurvival(name: string, urlOf: () => string, breakServer: () => Promise<void>): void {
  async function open(): Promise<JobQueue> {
    const queue = await openQueue(urlOf(), "/", { version: "1" });
    onTestFinished(() => queue.close());
    return queue;
  }

  describe(`workers on ${name}`, { timeout: 120_000 }, () => {
    it("give the same result alone and together, and each shard is done once", async () => {
      const queue = await open();
      for (const count of [1, 4]) {
        const [folder, id] = [await temporaryFolder(), `together-${count}`];
        await queue.submit({ id, kind: "square", input: { ms: 20 }, shards });
        const workers = await Promise.all(Array.from({ length: count }, () => startWorker(urlOf(), folder, { lostMs: 30_000 })));
        expect(await whenEnded(queue, id)).toMatchObject({ state: "done", shards: { done: 24 }, result });
        const trace = await readTrace(folder);
        expect(trace.toSorted()).toEqual([...shards.flatMap((shard) => [`begin ${shard}`, `end ${shard}`]), "join"].toSorted());
        await Promise.all(workers.map((worker) => worker.stop()));
      }
    });

    it("take over what a killed worker held, when they are there already and when they come later", async () => {
      const queue = await open();
      for (const isThere of [true, false]) {
        const [folder, id] = [await temporaryFolder(), `killed-${isThere}`];
        const survivor = isThere ? await startWorker(urlOf(), folder, { lostMs, concurrency: 1 }) : undefined;
        await queue.submit({ id, kind: "square", input: { ms: 300 }, shards: shards.slice(0, 6) });
        const victim = await startWorker(urlOf(), folder, { lostMs, concurrency: 4 });
        await victim.next();
        await victim.kill();
        const later = survivor ?? (await startWorker(urlOf(), folder, { lostMs, concurrency: 4 }));
        expect(await whenEnded(queue, id)).toMatchObject({ state: "done", result: { squares: [0, 1, 4, 9, 16, 25] } });
        await later.stop();
      }
    });

    it(`lose nothing when one of them is killed, ${kills} times`, async () => {
      const seed = Date.now() % 100_000;
      const draw = random(seed);
      const [queue, folder] = [await open(), await temporaryFolder()];
      await queue.submit({ id: "kills", kind: "square", input: { ms: 500 }, shards });
      const start = (): Promise<WorkerProcess> => startWorker(urlOf(), folder, { lostMs, concurrency: 1 });
      const workers = [await start(), await start()];
      for (let count = 0; count < kills; count += 1) {
        const place = draw() < 0.5 ? 0 : 1;
        const victim = workers[place];
        // It dies right after a step, a while later, or before it has taken any.
        if (draw() < 0.8) await victim?.next();
        await sleep(draw() * 300);
        expect((await queue.status("kills"))?.state, `seed ${seed}`).toMatch(/queued|running/);
        await victim?.kill();
        workers[place] = await start();
      }
      expect(await whenEnded(queue, "kills"), `seed ${seed}`).toMatchObject({ state: "done", shards: { done: 24 }, result });
    });

    it("leave to others what a worker held that was asleep, and let it work on when it wakes", async () => {
      const [queue, folder] = [await open(), await temporaryFolder()];
      const sleeper = await startWorker(urlOf(), folder, { lostMs, concurrency: 3 });
      await queue.submit({ id: "asleep", kind: "square", input: { ms: 200 }, shards: shards.slice(0, 3) });
      await sleeper.next();
      sleeper.process.kill("SIGSTOP");
      const other = await startWorker(urlOf(), folder, { lostMs, concurrency: 3 });
      expect(await whenEnded(queue, "asleep")).toMatchObject({ state: "done", result: { squares: [0, 1, 4] } });
      await other.stop();
      sleeper.process.kill("SIGCONT");
      await queue.submit({ id: "awake", kind: "square", input: { ms: 1 }, shards: shards.slice(0, 3) });
      expect(await whenEnded(queue, "awake")).toMatchObject({ state: "done", result: { squares: [0, 1, 4] } });
      expect(await queue.status("asleep")).toMatchObject({ state: "done", shards: { done: 3, total: 3 }, result: { squares: [0, 1, 4] } });
    });

    it("go on when the database was away", async () => {
      const [queue, folder] = [await open(), await temporaryFolder()];
      await queue.submit({ id: "broken", kind: "square", input: { ms: 100 }, shards });
      const workers = await Promise.all([1, 2].map(() => startWorker(urlOf(), folder, { lostMs })));
      for (let count = 0; count < 3; count += 1) {
        await workers[0]?.next();
        await breakServer();
      }
      // Another handle: this one may have been cut off in the middle of a question.
      expect(await whenEnded(await open(), "broken")).toMatchObject({ state: "done", result });
    });
  });
}

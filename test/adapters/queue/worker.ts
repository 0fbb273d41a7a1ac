import { appendFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { openQueue } from "../../../src/adapters/queue/dbos/adapter.ts";

/**
 * A worker process: `worker.ts <url> <folder> <options>`. A shard is a number; its result is its square, after `ms`.
 * What it does is appended to `<folder>/trace`, a line each: `begin 3`, `end 3`, `join`.
 */
const [, , url = "", folder = "", options = "{}"] = process.argv;
const { concurrency = 2, lostMs = 2000, version = "1" } = JSON.parse(options) as { readonly concurrency?: number; readonly lostMs?: number; readonly version?: string };
const stop = new AbortController();
process.once("SIGTERM", () => stop.abort());
const trace = (line: string): void => {
  appendFileSync(`${folder}/trace`, `${line}\n`);
  process.stdout.write(`${line}\n`);
};

const queue = await openQueue(url, folder, { lostMs, version });
process.stdout.write("ready\n");
await queue.work(
  {
    square: {
      async shard(input, shard, { signal }) {
        trace(`begin ${JSON.stringify(shard)}`);
        await sleep((input as { readonly ms: number }).ms, undefined, { signal });
        trace(`end ${JSON.stringify(shard)}`);
        return Number(shard) ** 2;
      },
      join(_, results) {
        trace("join");
        return Promise.resolve({ squares: results });
      },
    },
  },
  { concurrency, signal: stop.signal, onReady: () => {}, warn: (message) => void process.stderr.write(`${message}\n`) },
);
await queue.close();
process.stdout.write("ended\n");

/** Asks servers as a process of its own: `node bench/run/load.ts <task as JSON>` prints one JSON result. What it says is in `Task`. */
import { openConnection, type Target, type Timing } from "./connection.ts";
import { cpuMs, peakMb } from "./measure.ts";

/** So many requests at once for a while, one after the other on each connection. */
export interface RateTask {
  readonly type: "rate";
  readonly target: Target;
  /** Whose processor time is read. */
  readonly pid: number;
  readonly atOnce: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
}

export interface Rate {
  readonly perSecond: number;
  readonly cpuMicros: number;
}

/** One request at a time, to each target in turn, so that all meet the same moments of the machine. */
export interface LatencyTask {
  readonly type: "latency";
  readonly targets: readonly Target[];
  readonly warmUps: number;
  readonly requests: number;
}

/** One request on each of so many connections, all at once. */
export interface CrowdTask {
  readonly type: "crowd";
  readonly target: Target;
  readonly pid: number;
  readonly atOnce: number;
}

export interface Crowd {
  readonly complete: number;
  readonly firstMs: number;
  readonly endMs: number;
  readonly peakMb: number;
}

export type Task = RateTask | LatencyTask | CrowdTask;

const task = JSON.parse(process.argv[2] ?? "") as Task;
const result = task.type === "rate" ? await rate(task) : task.type === "latency" ? await latency(task) : await crowd(task);
process.stdout.write(JSON.stringify(result), () => process.exit(0));

async function rate({ target, pid, atOnce, warmUpMs, measureMs }: RateTask): Promise<Rate> {
  const over = new AbortController();
  let count = 0;
  const asking = Promise.all(Array.from({ length: atOnce }, async () => {
    const connection = openConnection(target);
    for (; !over.signal.aborted; count++) await connection.ask();
    connection.close();
  }));
  const during = async (ms: number): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    setTimeout(resolve, ms);
    await Promise.race([promise, asking]);
  };
  await during(warmUpMs);
  const before = { count, cpuMs: cpuMs(pid), atMs: performance.now() };
  await during(measureMs);
  const requests = count - before.count;
  const spent = { ms: performance.now() - before.atMs, cpuMs: cpuMs(pid) - before.cpuMs };
  over.abort();
  await asking;
  return { perSecond: (requests / spent.ms) * 1000, cpuMicros: (spent.cpuMs / requests) * 1000 };
}

async function latency({ targets, warmUps, requests }: LatencyTask): Promise<readonly (readonly Timing[])[]> {
  const asked = targets.map((target) => ({ connection: openConnection(target), timings: [] as Timing[] }));
  for (let round = 0; round < warmUps + requests; round++) {
    for (const { connection, timings } of asked) {
      const timing = await connection.ask();
      if (round >= warmUps) timings.push(timing);
    }
  }
  for (const { connection } of asked) connection.close();
  return asked.map(({ timings }) => timings);
}

async function crowd({ target, pid, atOnce }: CrowdTask): Promise<Crowd> {
  const startMs = performance.now();
  const asked = await Promise.allSettled(Array.from({ length: atOnce }, async () => openConnection(target).ask()));
  const complete = asked.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
  const failed = asked.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) process.stderr.write(`${String(failed.reason)}\n`);
  return { complete: complete.length, firstMs: Math.max(...complete.map(({ firstMs }) => firstMs)), endMs: performance.now() - startMs, peakMb: peakMb(pid) };
}

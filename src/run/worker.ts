import { readSecrets } from "../config/read.ts";
import { fitForWork, readActivatedStateUrl, readStateUrl } from "../config/state.ts";
import type { Json } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { indexJobHandler } from "../index/job.ts";
import { JobInput, jobKind, JobResult, JobShard, ShardOutcome } from "../index/job-schema.ts";
import { indexQueue, queues as known, runsQueue } from "../manifest/process.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import type { JobHandler, QueueDepth } from "../ports/queue.ts";
import type { Activation } from "../release/schema.ts";
import type { Address } from "./http/listen.ts";
import { instanceFacts, joinType, type Membership } from "./instance.ts";
import { type Metrics, openMetrics } from "./metrics/record.ts";
import type { MetricsServer } from "./metrics/server.ts";
import type { ReleaseToRun } from "./named.ts";
import { depthEveryMs, keepLooking } from "./watch.ts";

interface WorkerOptions {
  readonly process: string;
  readonly environment: string;
  /** Queues that the process declares. */
  readonly queues: readonly string[];
  readonly concurrency: number;
  /** Where GET /metrics is answered; nowhere where no port is given. */
  readonly metricsAt?: Address | undefined;
  readonly manifest: Manifest;
  /** None before the environment's first one. */
  readonly release: (ReleaseToRun & { readonly attachments: Activation["attachments"] }) | undefined;
}

type Write = (event: string, fields: object) => void;

/** Takes work from the environment's queue until the process is asked to stop. Each line on stdout is one JSON event. */
export async function runWorker(context: Context, options: WorkerOptions): Promise<void> {
  const { process: name, environment, queues, concurrency, manifest, release } = options;
  const { story, clock, signal } = context;
  const unknown = queues.filter((queue) => !known.some((name) => name === queue));
  if (unknown.length > 0) throw new TwelveError("PROCESS_UNSUPPORTED", `The process ${name} works on ${unknown.join(", ")}; this version has the queues ${known.join(" and ")}`, { fix: `Declare it as \`work: [${known.join(", ")}]\`, or one of them` });
  // Indexes come before the first release; runs are of one.
  const runs = queues.includes(runsQueue) ? release : undefined;
  if (queues.includes(runsQueue) && release === undefined) {
    if (!queues.includes(indexQueue)) throw new TwelveError("RELEASE_NOT_ACTIVE", `The process ${name} works on runs of agents, and ${environment} has no release yet`, { fix: `Run \`twelve release --env ${environment}\`` });
    story.warn(`${environment} has no release yet, so ${name} works on ${indexQueue} alone. Start it again after \`twelve release --env ${environment}\``);
  }
  const [secrets, url] = await Promise.all([readSecrets(context, manifest, environment, release?.activation?.secrets), stateUrlOf(context, options)]);
  const written = { "twelve.app": manifest.name, "twelve.environment": environment, "twelve.process": name, "twelve.release.number": release?.number ?? null, "twelve.release.digest": release?.releaseDescriptor.digest ?? null, ...instanceFacts(context.parent) };
  const write: Write = (event, fields) => context.writeLine(JSON.stringify({ event, time: clock.now().toISOString(), ...written, ...fields }));
  const queue = await fitForWork(context.openQueue(url));
  const handler = indexJobHandler(context, secrets);
  const metrics = openMetrics();
  const work = { running: 0 };
  const waiting = new Map<string, number>();
  const seen = (of: string, depth: QueueDepth): void => {
    metrics.queueSeen(of, depth);
    waiting.set(of, depth.waiting);
  };
  const member = joinType(context.parent, { metrics, load: () => ({ own: work.running, waiting: [...waiting.values()].reduce((sum, each) => sum + each, 0) }), note: (note) => story.note(note) });
  const metricsServer = await openMetricsServer(context, { at: options.metricsAt, metrics, member });
  try {
    // Makes sure of the queue, so that nobody is told of a worker that cannot work.
    const kind = jobKind({ app: manifest.name, environment });
    await queue.list({ kind, limit: 1 });
    write("worker-ready", { queue: queue.url, queues, concurrency });
    metrics.readySeen(true);
    member.ready([`Working on ${queues.join(", ")} of ${queue.url}, ${concurrency} at a time. Ctrl-C or SIGTERM stops`]);
    signal.addEventListener("abort", () => story.note("Stopping: what is not finished goes back to the queue. A second signal ends at once"), { once: true });
    if (queues.includes(indexQueue)) keepLooking(async () => seen(indexQueue, await queue.depth(kind)), { signal, everyMs: depthEveryMs });
    const working = queues.includes(indexQueue) ? [queue.work({ [kind]: logged(counted(handler, work), write, () => clock.monotonicMs()) }, { concurrency, signal, warn: (message) => story.warn(message) })] : [];
    if (runs !== undefined) working.push((await import("./agent/worker.ts")).workOnRuns(context, { environment, concurrency, release: runs, onDepth: (depth) => seen(runsQueue, depth) }));
    await Promise.all(working);
    write("worker-stopped", {});
  } finally {
    metricsServer?.close();
    await Promise.all([member.close(), handler.close(), queue.close()]);
  }
}

/** Work goes on without it: a port that is taken is no reason to let a queue wait. */
async function openMetricsServer({ story, parent }: Context, { at, metrics, member }: { readonly at: Address | undefined; readonly metrics: Metrics; readonly member: Membership }): Promise<MetricsServer | undefined> {
  if (at === undefined) return undefined;
  const { serveMetrics } = await import("./metrics/server.ts");
  try {
    return await serveMetrics(metrics, member.collectAll, { ...at, isShared: parent !== undefined });
  } catch (error) {
    if (!(error instanceof TwelveError)) throw error;
    story.warn(`${error.message}: this worker has no /metrics`);
    return undefined;
  }
}

/** Keeps the number of steps that run here. */
function counted(handler: JobHandler, work: { running: number }): JobHandler {
  const count = async (step: () => Promise<Json>): Promise<Json> => {
    work.running++;
    try {
      return await step();
    } finally {
      work.running--;
    }
  };
  return { shard: (input, content, options) => count(() => handler.shard(input, content, options)), join: (input, results, options) => count(() => handler.join(input, results, options)) };
}

async function stateUrlOf(context: Context, { manifest, environment, release }: WorkerOptions): Promise<string> {
  if (release === undefined) return readStateUrl(context, manifest, environment);
  const { url, other } = await readActivatedStateUrl(context, manifest, { environment, attachments: release.attachments });
  if (other !== undefined) context.story.warn(`STATE_URL is ${other} now, but the release was activated with ${url}, and that is where this worker takes its work. Release or promote again to change it`);
  return url;
}

/** An event for every step that ends, whichever way. */
function logged(handler: JobHandler, write: Write, nowMs: () => number): JobHandler {
  const log = async (step: "shard" | "join", signal: AbortSignal, facts: object, work: () => Promise<Json>, resultFacts: (result: Json) => object): Promise<Json> => {
    const startMs = nowMs();
    const end = (how: "finished" | "stopped", more: object): void => write(`${step}-${how}`, { ...facts, "twelve.duration_ms": Math.round(nowMs() - startMs), ...more });
    try {
      const result = await work();
      end("finished", { ...resultFacts(result), "error.type": null });
      return result;
    } catch (error) {
      // Given back to the queue, or of a job that was cancelled.
      if (signal.aborted) end("stopped", {});
      else end("finished", { "error.type": error instanceof TwelveError ? error.code : "error", "error.message": error instanceof Error ? error.message : String(error) });
      throw error;
    }
  };
  return {
    shard(input, shard, options) {
      const { number, documents } = JobShard.parse(shard);
      return log("shard", options.signal, { "twelve.job": JobInput.parse(input).id, shard: number, documents }, () => handler.shard(input, shard, options), (result) => ({ embedded: ShardOutcome.parse(result).embedded }));
    },
    join(input, results, options) {
      return log("join", options.signal, { "twelve.job": JobInput.parse(input).id, shards: results.length }, () => handler.join(input, results, options), (result) => ({ "twelve.index.digest": JobResult.parse(result).digest }));
    },
  };
}

import { readSecrets } from "../config/read.ts";
import { fitForWork, readActivatedStateUrl, readStateUrl } from "../config/state.ts";
import { TwelveError } from "../core/errors.ts";
import { indexJobHandler } from "../index/job.ts";
import { jobKind } from "../index/job-schema.ts";
import { indexQueue, runsQueue } from "../manifest/process.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import type { QueueDepth } from "../ports/queue.ts";
import type { Activation } from "../release/schema.ts";
import type { Address } from "./http/listen.ts";
import type { WorkOnRuns } from "./agent/worker.ts";
import { tellSteps } from "./index-work.ts";
import { instanceFacts, joinType, type Membership } from "./instance.ts";
import { type Metrics, openMetrics } from "./metrics/record.ts";
import type { MetricsServer } from "./metrics/server.ts";
import type { ReleaseToRun } from "./named.ts";
import { depthEveryMs, keepLooking } from "./watch.ts";
import { chooseQueues } from "./worker-queues.ts";

interface WorkerOptions {
  readonly process: string;
  readonly environment: string;
  /** Queues that the process declares. */
  readonly queues: readonly string[];
  readonly concurrency: number;
  readonly isContentLogged: boolean;
  /** Where GET /metrics is answered; nowhere where no port is given. */
  readonly metricsAt?: Address | undefined;
  readonly manifest: Manifest;
  /** None before the environment's first one. */
  readonly release: (ReleaseToRun & { readonly attachments: Activation["attachments"] }) | undefined;
}

type Write = (event: string, fields: object) => void;

/** Takes work from the environment's queue until the process is asked to stop. Each line on stdout is one JSON event. */
export async function runWorker(context: Context, options: WorkerOptions): Promise<void> {
  const { process: name, environment, queues, concurrency, isContentLogged, manifest, release } = options;
  const { story, clock, signal } = context;
  const chosen = chooseQueues({ process: name, environment, queues, hasRelease: release !== undefined }, story);
  const [secrets, url] = await Promise.all([readSecrets(context, manifest, environment, release?.activation?.secrets), stateUrlOf(context, options)]);
  const written = { "twelve.app": manifest.name, "twelve.environment": environment, "twelve.process": name, "twelve.release.number": release?.number ?? null, "twelve.release.digest": release?.releaseDescriptor.digest ?? null, ...instanceFacts(context.parent) };
  const write: Write = (event, fields) => context.writeLine(JSON.stringify({ event, time: clock.now().toISOString(), ...written, ...fields }));
  const queue = await fitForWork(context.openQueue(url));
  const indexing = indexJobHandler(context, secrets);
  const steps = tellSteps(indexing, { write, nowMs: () => clock.monotonicMs() });
  const metrics = openMetrics();
  let runs: WorkOnRuns | undefined;
  const waiting = new Map<string, number>();
  const seen = (of: string, depth: QueueDepth): void => {
    metrics.queueSeen(of, depth);
    waiting.set(of, depth.waiting);
  };
  const member = joinType(context.parent, { metrics, load: () => ({ own: steps.running() + (runs?.running() ?? 0), waiting: [...waiting.values()].reduce((sum, each) => sum + each, 0) }), note: (note) => story.note(note) });
  let isWorking = false;
  const metricsServer = await openMetricsServer(context, { at: options.metricsAt, metrics, member, isReady: () => isWorking && !signal.aborted });
  try {
    // Makes sure of the queue, so that nobody is told of a worker that cannot work.
    const kind = jobKind({ app: manifest.name, environment });
    await queue.list({ kind, limit: 1 });
    const missing = new Set([...(chosen.indexes ? [indexQueue] : []), ...(chosen.runs ? [runsQueue] : [])]);
    const onHeld = (held: string): void => {
      if (!missing.delete(held) || missing.size > 0 || signal.aborted) return;
      write("worker-ready", { queue: queue.url, queues, concurrency });
      isWorking = true;
      metrics.readySeen(true);
      member.ready([`Working on ${queues.join(", ")} of ${queue.url}, ${concurrency} at a time. Ctrl-C or SIGTERM stops`]);
    };
    signal.addEventListener("abort", () => story.note("Stopping: what is not finished goes back to the queue. A second signal ends at once"), { once: true });
    const working: Promise<void>[] = [];
    if (chosen.runs && release !== undefined) {
      const { openWorkOnRuns } = await import("./agent/worker.ts");
      // Before any other work is begun: what is wrong with the agents shows here, and nothing is left half done.
      runs = await openWorkOnRuns(context, {
        environment, concurrency, release, isContentLogged,
        onModelCall: (event) => metrics.modelCalled(event),
        onDepth: (depth) => seen(runsQueue, depth),
      });
      void runs.ready.then(() => onHeld(runsQueue));
      working.push(runs.untilStopped());
    }
    if (chosen.indexes) {
      keepLooking(async () => seen(indexQueue, await queue.depth(kind)), { signal, everyMs: depthEveryMs });
      working.push(queue.work({ [kind]: steps.handler }, { concurrency, signal, onReady: () => onHeld(indexQueue), warn: (message) => story.warn(message) }));
    }
    await Promise.all(working);
    write("worker-stopped", {});
  } finally {
    metricsServer?.close();
    await Promise.all([member.close(), indexing.close(), queue.close()]);
  }
}

/** Work goes on without it: a port that is taken is no reason to let a queue wait. */
async function openMetricsServer({ story, parent }: Context, { at, metrics, member, isReady }: { readonly at: Address | undefined; readonly metrics: Metrics; readonly member: Membership; readonly isReady: () => boolean }): Promise<MetricsServer | undefined> {
  if (at === undefined) return undefined;
  const { serveMetrics } = await import("./metrics/server.ts");
  try {
    return await serveMetrics(metrics, member.collectAll, { ...at, isReady, isShared: parent !== undefined });
  } catch (error) {
    if (!(error instanceof TwelveError)) throw error;
    story.warn(`${error.message}: this worker has no /metrics`);
    return undefined;
  }
}

async function stateUrlOf(context: Context, { manifest, environment, release }: WorkerOptions): Promise<string> {
  if (release === undefined) return readStateUrl(context, manifest, environment);
  const { url, other } = await readActivatedStateUrl(context, manifest, { environment, attachments: release.attachments });
  if (other !== undefined) context.story.warn(`STATE_URL is ${other} now, but the release was activated with ${url}, and that is where this worker takes its work. Release or promote again to change it`);
  return url;
}

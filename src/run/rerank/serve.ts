import { untilAborted } from "../../core/abort.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Context } from "../../ports/context.ts";
import type { Access } from "../http/access.ts";
import { endServing } from "../http/end.ts";
import { type Address, listen } from "../http/listen.ts";
import { isLoopback } from "../http/own-host.ts";
import { readReleaseAccess } from "../http/release-access.ts";
import { trackTraffic } from "../http/traffic.ts";
import { instanceFacts, joinType } from "../instance.ts";
import { openMetrics } from "../metrics/record.ts";
import { type ReleaseToRun, releaseName } from "../named.ts";
import { openRerankServer } from "./server.ts";

export interface RerankOptions extends Address {
  readonly process: string;
  readonly environment: string;
  readonly release: ReleaseToRun;
  /** The local cross-encoder, such as transformers:models/reranker. */
  readonly model: string;
  readonly preStopMs: number;
  readonly drainMs: number;
  /** Whoever started it knows that there are no keys. */
  readonly isInsecure: boolean;
}

/** What text-embeddings-inference takes of a body. */
const bodyBytes = 2_000_000;

/** Serves a local cross-encoder as text-embeddings-inference would, until the process is asked to stop. Each line on stdout is one JSON event. */
export async function serveReranker(context: Context, options: RerankOptions): Promise<void> {
  const { environment, process, release, model: reference, preStopMs, drainMs, host } = options;
  const { story, clock, signal } = context;
  const startedMs = clock.monotonicMs();
  const traffic = trackTraffic();
  const metrics = openMetrics();
  const member = joinType(context.parent, { metrics, load: () => ({ own: metrics.inFlight.value }), note: (note) => story.note(note), onStopAnnounced: () => traffic.announceStop() });
  const access: Access = { ...(await readReleaseAccess(context, { ...options, takeRequest: member.takeRequest })), bodyBytes };
  const { local: model } = await context.openReranker(reference);
  if (model === undefined) {
    throw new TwelveError("PROCESS_UNSUPPORTED", `The process ${process} is to serve ${reference}, which runs elsewhere`, { fix: "Attach it as the agent's `reranker:`; a `rerank:` process serves a local model, such as transformers:models/reranker" });
  }
  // The first question does not wait for the weights, and what is wrong with them is said before anything listens.
  await model.load();
  signal.throwIfAborted();
  const facts = { "twelve.app": release.release.app, "twelve.environment": environment, "twelve.process": process, "twelve.release.number": release.number, "twelve.release.digest": release.releaseDescriptor.digest, ...instanceFacts(context.parent) };
  const write = (event: string, fields: object): void => context.writeLine(JSON.stringify({ event, time: clock.now().toISOString(), ...facts, ...fields }));
  const notReady = (): TwelveError => new TwelveError("PROCESS_NOT_READY", "The reranker is starting");
  const app = await openRerankServer({ model, traffic, metrics, clock, write, notReady, access: () => access, isExposed: !isLoopback(host), collectAll: member.collectAll });
  try {
    const url = await listen(app, { ...options, isShared: context.parent !== undefined });
    if (!isLoopback(host) && access.keys === null) story.warn(`Without API keys, anyone who can reach ${host} can use this server`);
    metrics.readySeen(true);
    write("server-ready", { url, model: model.folder, "model.digest": model.digest, "twelve.duration_ms": Math.round(clock.monotonicMs() - startedMs) });
    member.ready([
      `Ready: ${url}  release ${releaseName(release)}  reranker ${model.folder} (${model.digest})`,
      `Attach it as reranker: tei+${url}${access.keys === null ? "" : ", with a key of the scope rerank in the secret RERANKER_API_KEY"}`,
    ]);
    await untilAborted(signal);
    await endServing(app, { traffic, story, preStopMs, drainMs, write });
  } finally {
    await member.close();
  }
}

import { untilAborted } from "../core/abort.ts";
import { type Digest, shortDigest } from "../core/descriptor.ts";
import { runsQueue } from "../manifest/process.ts";
import type { Context } from "../ports/context.ts";
import { type Backlog, followBacklog } from "./agent/backlog.ts";
import { isWorkedElsewhere } from "./agent/place-plan.ts";
import type { RunWaitingEvent, ToolCallEvent } from "./agent/schema.ts";
import { type OpenedRuntime, openRuntime } from "./apply.ts";
import { quickStartMs, type Served } from "./find.ts";
import { type Access, readAccess } from "./http/access.ts";
import { endServing } from "./http/end.ts";
import { type Address, listen, stopServer } from "./http/listen.ts";
import { isLoopback } from "./http/own-host.ts";
import { openServer } from "./http/server.ts";
import { trackTraffic } from "./http/traffic.ts";
import { instanceFacts, joinType } from "./instance.ts";
import { openMetrics } from "./metrics/record.ts";
import { releaseName } from "./named.ts";
import type { RuntimePart } from "./health.ts";
import { openInBackground, type OpeningRuntime } from "./opening.ts";
import { tellReadiness } from "./readiness.ts";
import type { StandIn } from "./mock/stand-in.ts";
import type { Recorder } from "./record.ts";
import type { ModelCallEvent } from "./schema.ts";
import { openUi } from "./ui/open.ts";
import { keepLooking } from "./watch.ts";

interface ServeOptions extends Address {
  readonly environment: string;
  /** Already, where the store was there. */
  readonly found: Served | undefined;
  /** Asked again and again until the store is there. */
  readonly find: () => Promise<Served>;
  readonly drainMs: number;
  /** How long requests are still taken after the request to stop, for load balancers to hear of it. */
  readonly preStopMs: number;
  /** No API keys are wanted, wherever it listens. */
  readonly isInsecure: boolean;
  readonly isContentLogged: boolean;
  /** Finds another release for the page; absent where no page is served. */
  readonly findOther?: ((name: string) => Promise<Served>) | undefined;
  /** Whether AgentCore's contract is served, too. */
  readonly isAgentCore: boolean;
  /** What answers in the place of the models. */
  readonly mock?: StandIn | undefined;
  /** What writes the answers down. */
  readonly recorder?: Recorder | undefined;
}

/**
 * Serves agents over HTTP until the process is asked to stop. It listens soon, whatever the services do: until they are there,
 * requests are refused and /readyz says why. Each line on stdout is one JSON event. Gives the release that was served; null where none was found.
 */
export async function serve(context: Context, options: ServeOptions): Promise<Digest | null> {
  const { environment, host, drainMs, preStopMs, isInsecure, mock, recorder } = options;
  const { story, clock, signal } = context;
  const mocked = mock && { isMock: true, patience: mock.patience };
  let { found } = options;
  const traffic = trackTraffic();
  const metrics = openMetrics();
  let runsHere = (): number => 0;
  const member = joinType(context.parent, { metrics, load: () => ({ own: metrics.inFlight.value + runsHere() }), note: (note) => story.note(note) });
  const startedMs = clock.monotonicMs();
  let access: Access | undefined;
  let backlog: Backlog | undefined;
  // The server's modules load while the store and the index are read.
  let watch: ReturnType<typeof keepLooking> | undefined;
  const emit = (event: ModelCallEvent): void => {
    context.writeLine(JSON.stringify(event));
    metrics.modelCalled(event);
    if (serviceFailed.test(event["error.type"] ?? "")) watch?.onFailure();
  };
  const onToolCall = (event: ToolCallEvent | RunWaitingEvent): void => context.writeLine(JSON.stringify(event));
  const { isContentLogged, findOther } = options;
  const runtime = openInBackground(context, {
    store: (await context.store()).url,
    known: () => found && { name: releaseName(found.release), agents: found.agents },
    async open(attempt, told) {
      found ??= await options.find();
      const runs = { works: !isWorkedElsewhere(found.release.release), concurrency: runsAtOnce };
      const opened = await openRuntime(mock?.replace(attempt) ?? attempt, { ...found, ...mocked, environment, isContentLogged, emit, runs, onToolCall, ...told,
        onConfigured: (settings, secrets) => void (access = readAccess(settings, secrets, { host, isInsecure, env: context.env, nowMs: () => clock.monotonicMs(), takeRequest: member.takeRequest })),
      });
      runsHere = () => opened.toolAgents?.running() ?? 0;
      const kept = opened.toolAgents?.runs;
      if (kept !== undefined) backlog = followBacklog({ depth: () => kept.depth(), works: runs.works, onDepth: (depth) => metrics.queueSeen(runsQueue, depth), story, signal, nowMs: () => clock.monotonicMs() });
      return opened;
    },
  });
  // Somebody waits in front of the page, and can ask again.
  const ui = findOther && openUi({
    store: () => context.store(),
    environment,
    served: () => found,
    runtime,
    open: async (name) => openRuntime({ ...(mock?.replace(context) ?? context), patience: "nothing" }, { ...(await findOther(name)), ...mocked, environment, isContentLogged, emit, onToolCall }),
  });
  try {
    await Promise.all([openedSoon(runtime), import("fastify")]);
    signal.throwIfAborted();
    const write = (event: string, fields: object): void =>
      context.writeLine(JSON.stringify({ event, time: clock.now().toISOString(), ...(found && factsOf(found)), "twelve.environment": environment, ...(mock && { "twelve.mock": true, answers: mock.title }), ...instanceFacts(context.parent), ...fields }));
    let tell: (parts: readonly RuntimePart[]) => void = () => {};
    const told: OpenedRuntime = {
      // Asked each time: the agents are known only when the store is there, and the indexes when they are open.
      get agents() {
        return runtime.agents;
      },
      get indexes() {
        return runtime.indexes;
      },
      get toolAgents() {
        return runtime.toolAgents;
      },
      answer: (request) => recorder?.follow(request, runtime.answer(request)) ?? runtime.answer(request),
      kept: () => runtime.kept(),
      search: (query) => runtime.search(query),
      embed: (query) => runtime.embed(query),
      close: () => runtime.close(),
      async check() {
        const looked = await runtime.check();
        const queued = backlog?.part();
        const parts = [...(mock === undefined ? [] : [mock.part]), ...looked, ...(queued === undefined ? [] : [queued])];
        const isReady = parts.every((part) => part.isReady);
        metrics.readySeen(isReady);
        // What is missing may be there soon.
        if (!isReady) watch?.onFailure();
        tell(parts);
        return parts;
      },
    };
    const agentCore = options.isAgentCore ? { keepsSessions: (agent: string) => (found?.release.release.agents[agent]?.session ?? false) !== false } : undefined;
    const app = await openServer({ runtime: told, traffic, clock: mock?.clock ?? clock, mock: mock?.api, access: () => access, notReady: () => runtime.notReady(), isExposed: !isLoopback(host), fingerprint: () => (found === undefined ? "" : `${mock === undefined ? "" : "mock-"}${releaseName(found.release)}-${digestOf(found)}`), write, metrics, collectAll: member.collectAll, ui, agentCore });
    const url = await listen(app, { ...options, isShared: context.parent !== undefined });
    if (!isLoopback(host) && isInsecure) story.warn(`Without API keys, anyone who can reach ${host} can use this server`);
    tell = tellReadiness({
      url,
      write: (event, fields) => write(event, { url, agents: runtime.agents, "twelve.duration_ms": Math.round(clock.monotonicMs() - startedMs), ...fields }),
      story,
      ageMs: () => clock.monotonicMs() - startedMs,
      greet() {
        if (found === undefined) return;
        if (mock !== undefined) story.warn(`This is a mock: no model is asked, the answers are ${mock.title}`);
        const { release, agents } = found;
        member.ready([
          `Ready: ${url}  release ${releaseName(release)} (${digestOf(found)})  agents: ${agents.join(", ")}`,
          `Try it: curl ${url}/v1/chat/completions -H 'content-type: application/json'${access?.keys === null ? "" : ' -H "authorization: Bearer $KEY"'} -d '{"model": "${agents[0]}", "messages": [{"role": "user", "content": "..."}]}'`,
          ...(ui === undefined ? [] : [`Or in a browser: ${url}/`]),
        ]);
      },
    });
    runtime.onWaiting(tell);
    // Nobody need ask for the readiness: the log tells it all the same.
    watch = keepLooking(() => told.check(), { signal });
    const opened = runtime.opened.then(() => told.check());
    try {
      await Promise.race([untilAborted(signal), opened.then(() => untilAborted(signal))]);
    } catch (error) {
      await stopServer(app, traffic, 0);
      throw error;
    }
    // One that opens only now takes none either.
    void runtime.opened.then(() => runtime.toolAgents?.takeNoMore(), () => {});
    await endServing(app, { traffic, story, preStopMs, drainMs, write });
    return found?.release.releaseDescriptor.digest ?? null;
  } finally {
    await Promise.all([member.close(), runtime.close(), ui?.close()]);
  }
}

/** Runs of agents in a server, beside its requests: they mostly wait for models and tools. */
const runsAtOnce = 16;

/** What says something about the service, and not about the request. */
const serviceFailed = /^(?:SERVICE|INDEX)_(?!REJECTED|FILTERED)/;

function factsOf({ release: { release, number, releaseDescriptor } }: Served): object {
  return { "twelve.app": release.app, "twelve.release.number": number, "twelve.release.digest": releaseDescriptor.digest };
}

function digestOf({ release: { releaseDescriptor } }: Served): string {
  return shortDigest(releaseDescriptor.digest);
}

/** False when it is not open after so long, or waits for a service already. Fails with what is wrong for good. */
async function openedSoon(runtime: OpeningRuntime, limitMs = quickStartMs): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
    runtime.onWaiting(() => resolve(false));
  });
  return Promise.race([runtime.opened.then(() => true), late]).finally(() => clearTimeout(timer));
}

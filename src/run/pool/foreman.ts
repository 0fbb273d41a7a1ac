import type { Json } from "../../core/canonical-json.ts";
import { untilAborted } from "../../core/abort.ts";
import type { Context } from "../../ports/context.ts";
import { type FromInstance, instanceVariable } from "../../ports/instance.ts";
import { type CommonRelease, releaseVariable } from "../common-release.ts";
import { openEcho } from "./echo.ts";
import { type CountRequest, openLimits } from "./limit.ts";
import { type EndedInstance, openPool } from "./pool.ts";
import { settlePorts } from "./port.ts";
import { restMs, stopAll, stopPools, type TypePool } from "./stop.ts";
import { describeStop, describeType, tellPool } from "./tell.ts";
import type { ProcessType } from "./type-plan.ts";
import { openVoice, type Voice } from "./voice.ts";

export interface ForemanOptions {
  readonly types: readonly ProcessType[];
  readonly environment: string;
  readonly host: string;
  /** What all of them run; undefined where the store is away: then it is what the first of them finds. */
  readonly release: CommonRelease | undefined;
  /** The command line of one process of a type. */
  readonly argumentsOf: (type: ProcessType) => readonly string[];
  /** How long servers take requests after they were asked to stop, and how long those that are open may take then. */
  readonly preStopMs: number;
  readonly drainMs: number;
}

const farewellMs = 200;

/**
 * Keeps the processes of several types running on this machine, until it is asked to stop or one of them shows that it cannot
 * be run as things are. Then all are asked to end, and it waits for them. Gives that one.
 */
export async function runTypes(context: Context, options: ForemanOptions): Promise<{ readonly process: string; readonly exitCode: number } | undefined> {
  const types = await settlePorts(options.types, options.host);
  const voice = openVoice(context, types, options.environment);
  const { promise: failed, resolve: fail } = Promise.withResolvers<EndedInstance>();
  const pools: TypePool[] = [];
  // The second signal ends this process at once; the others get theirs as it goes, and a moment to take along what they started.
  const endAll = (): void => {
    stopAll(pools);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, farewellMs);
    // Some may not have been asked before, and what is frozen hears no request.
    for (const pool of pools) pool.kill();
  };
  process.once("exit", endAll);
  try {
    voice.note(`Starting ${types.map(describeType).join(", ")}`);
    const limitMs = options.preStopMs + options.drainMs + restMs;
    const countRequest = openLimits(() => context.clock.monotonicMs());
    const start = openStarter(context, { ...options, types, width: voice.width });
    for (const type of types) pools.push({ kind: type.kind, ...openPoolOf(type, { context, voice, leaveMs: limitMs, countRequest, start, fail }) });
    const hopeless = (await Promise.race([failed, untilAborted(context.signal)])) ?? undefined;
    if (hopeless === undefined) voice.note(`Stopping: ${describeStop(types, options)}. A second signal ends all at once`);
    await stopPools(pools, { limitMs, onLate: () => voice.warn("A process did not end in time, and is forced to") });
    return hopeless && { process: hopeless.instance, exitCode: hopeless.exitCode ?? 1 };
  } finally {
    process.off("exit", endAll);
  }
}

type Starter = (type: ProcessType, from: { readonly instance: string; readonly hear: (message: FromInstance) => void; readonly isStarting: () => boolean }) => ReturnType<Context["instances"]["start"]>;

interface PoolPlace {
  readonly context: Context;
  readonly voice: Voice;
  readonly leaveMs: number;
  readonly countRequest: CountRequest;
  readonly start: Starter;
  readonly fail: (ended: EndedInstance) => void;
}

function openPoolOf(type: ProcessType, { context, voice, leaveMs, countRequest, start, fail }: PoolPlace): ReturnType<typeof openPool> {
  const told = tellPool(type, voice);
  let isStarting = true;
  return openPool(type, {
    nowMs: () => context.clock.monotonicMs(),
    random: Math.random,
    leaveMs,
    countRequest,
    told: {
      ...told,
      ready(notes) {
        isStarting = false;
        told.ready(notes);
      },
      hopeless(ended) {
        told.hopeless(ended);
        fail(ended);
      },
    },
    start: (instance, hear) => start(type, { instance, hear, isStarting: () => isStarting }),
  });
}

/** What some shells say when the program that they wait for ends by the signal that all of them were sent. */
const shellFarewell = "Terminated";

/** Starts a process, which runs the release that all of them run, and passes on what it says. */
function openStarter(context: Context, { types, argumentsOf, release, width }: ForemanOptions & Pick<Voice, "width">): Starter {
  const { instances, signal } = context;
  const isNews = openEcho();
  let common = release;
  return (type, { instance, hear, isStarting }) => {
    const isWorthTelling = (text: string): boolean => (isStarting() ? isNews(instance, text) : !(type.kind === "command" && signal.aborted && text === shellFarewell));
    const started = instances.start(argumentsOf(type), {
      env: { [instanceVariable]: instance, PORT: String(type.port), ...(common && { [releaseVariable]: JSON.stringify(common) }) },
      onMessage(message) {
        if (message.kind !== "release-found") return hear(message);
        common ??= message.release as unknown as CommonRelease;
        started.send({ kind: "release-kept", release: common as unknown as Json });
      },
      onLine(stream, text) {
        if (stream === "stdout" || isWorthTelling(text)) context.relay({ stream, instance, type: types.indexOf(type), width, text });
      },
    });
    return started;
  };
}

import { setTimeout as sleep } from "node:timers/promises";
import { untilAborted } from "../../core/abort.ts";
import type { Context } from "../../ports/context.ts";
import { instanceVariable } from "../../ports/instance.ts";
import { type EndedInstance, openPool, type Pool, type PoolListener } from "./pool.ts";
import { settlePorts } from "./port.ts";
import { type Echo, openEcho } from "./echo.ts";
import type { ProcessType } from "./type-plan.ts";

export interface ForemanOptions {
  readonly types: readonly ProcessType[];
  readonly environment: string;
  readonly host: string;
  /** The command line of one process of a type. */
  readonly argumentsOf: (type: ProcessType) => readonly string[];
  /** How long a process may take to end after it was asked to. */
  readonly drainMs: number;
}

/** Of the process that looks after the others, before each line of its own. */
const ownName = "twelve";
/** What it takes to end beyond the requests under way. */
const graceMs = 10_000;
/** What is forced ends at once, unless it hears nothing any more. */
const lastMs = 2000;
const farewellMs = 200;

/**
 * Keeps the processes of several types running on this machine, until it is asked to stop or one of them shows that it cannot
 * be run as things are. Then all are asked to end, and it waits for them. Gives that one.
 */
export async function runTypes(context: Context, options: ForemanOptions): Promise<{ readonly process: string; readonly exitCode: number } | undefined> {
  const { signal, clock } = context;
  const types = await settlePorts(options.types, options.host);
  const { promise: failed, resolve: fail } = Promise.withResolvers<EndedInstance>();
  const width = Math.max(ownName.length, ...types.map(({ name, scale: { max } }) => `${name}.${max}`.length));
  const isNews = openEcho();
  const own = ownName.padEnd(width);
  const note = (message: string): void => context.story.note(message, own);
  const warn = (message: string): void => context.story.warn(message, own);
  const write: PoolPlace["write"] = (event, fields) => context.relay({ stream: "stdout", instance: ownName, type: types.length, width, text: JSON.stringify({ event, time: clock.now().toISOString(), "twelve.environment": options.environment, ...fields }) });
  const pools: Pool[] = [];
  const stopAll = (): void => {
    for (const pool of pools) pool.stop();
  };
  // The second signal ends this process at once; the others get theirs as it goes, and a moment to take along what they started.
  const endAll = (): void => {
    stopAll();
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, farewellMs);
    stopAll();
  };
  process.once("exit", endAll);
  try {
    note(`Starting ${types.map(describeType).join(", ")}`);
    for (const [number, type] of types.entries()) pools.push(openPoolOf(type, { context, options, number, width, isNews, note, warn, write, fail }));
    const hopeless = (await Promise.race([failed, untilAborted(signal)])) ?? undefined;
    if (hopeless !== undefined) warn(`${hopeless.instance} cannot begin its work as things are: the others are stopped`);
    else note(`Stopping: every process gets up to ${options.drainMs / 1000} s for what it has begun. A second signal ends them at once`);
    stopAll();
    const ended = Promise.all(pools.map((pool) => pool.ended));
    if ((await Promise.race([ended, sleep(options.drainMs + graceMs, "late", { ref: false })])) === "late") {
      warn("A process did not end in time, and is forced to");
      stopAll();
      await Promise.race([ended, sleep(lastMs, undefined, { ref: false })]);
      stopAll();
      await ended;
    }
    return hopeless && { process: hopeless.instance, exitCode: hopeless.exitCode ?? 1 };
  } finally {
    process.off("exit", endAll);
  }
}

interface PoolPlace {
  readonly context: Context;
  readonly options: ForemanOptions;
  readonly number: number;
  readonly width: number;
  readonly isNews: Echo;
  readonly note: (message: string) => void;
  readonly warn: (message: string) => void;
  readonly write: (event: string, fields: object) => void;
  readonly fail: (ended: EndedInstance) => void;
}

function openPoolOf(type: ProcessType, place: PoolPlace): Pool {
  const { context, options, number, width, isNews, fail } = place;
  const { name, kind, port, scale } = type;
  let isStarting = true;
  const isWorthTelling = (instance: string, text: string): boolean => (isStarting ? isNews(instance, text) : !(kind === "command" && context.signal.aborted && text === shellFarewell));
  return openPool(type, {
    nowMs: () => context.clock.monotonicMs(),
    random: Math.random,
    told: {
      ...tellPool(type, place),
      ready(notes) {
        isStarting = false;
        place.write("process-type-ready", { "twelve.process": name, processes: scale.min });
        for (const each of notes) context.story.note(each, name.padEnd(width));
        if (scale.min > 1) place.note(`${name}: ${scale.min} processes share the work`);
      },
      hopeless: fail,
    },
    start: (instance, onMessage) =>
      context.instances.start(options.argumentsOf(type), {
        env: { [instanceVariable]: instance, PORT: String(port), TWELVE_INSTANCES: String(scale.max) },
        onMessage,
        onLine(stream, text) {
          if (stream === "stdout" || isWorthTelling(instance, text)) context.relay({ stream, instance, type: number, width, text });
        },
      }),
  });
}

/** What some shells say when the program that they wait for ends by the signal that all of them were sent. */
const shellFarewell = "Terminated";

function tellPool({ name }: ProcessType, { note, warn, write: writeEvent }: PoolPlace): Omit<PoolListener, "ready" | "hopeless"> {
  const write = (event: string, fields: object): void => writeEvent(event, { "twelve.process": name, ...fields });
  return {
    exited({ instance, pid, exitCode, signal, ranMs, restartInMs }) {
      write("process-exited", { "twelve.instance": instance, "process.pid": pid, "process.exit_code": exitCode, "process.signal": signal, "twelve.duration_ms": Math.round(ranMs), restart_in_ms: restartInMs });
      const how = signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
      warn(`${instance} (process ${pid}) ended ${how} after ${(ranMs / 1000).toFixed(1)} s; it starts again in ${(restartInMs / 1000).toFixed(1)} s`);
    },
    restarted(instance, pid) {
      write("process-restarted", { "twelve.instance": instance, "process.pid": pid });
      note(`${instance} was started again, as process ${pid}`);
    },
    scaled(from, to, load) {
      write("processes-scaled", { from, to, load });
      note(`${name}: ${to} ${to === 1 ? "process" : "processes"} instead of ${from}, at a load of ${load}`);
    },
  };
}

function describeType({ name, kind, scale: { min, max }, port }: ProcessType): string {
  const number = max > min ? ` ×${min} to ${max}` : min > 1 ? ` ×${min}` : "";
  return `${name}${number} (${kind}, port ${port})`;
}

import type { FromInstance, Instance } from "../../ports/instance.ts";
import { openCollector } from "./collect.ts";
import { countCrash, isHopeless, restartDelayMs } from "./restart-plan.ts";
import { planScale, type Sample } from "./scale-plan.ts";
import type { ProcessType } from "./type-plan.ts";

export interface PoolTools {
  readonly start: (instance: string, onMessage: (message: FromInstance) => void) => Instance;
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly told: PoolListener;
}

/** Told what happens to the processes of a pool. */
export interface PoolListener {
  /** Once, when as many as there must be at least have begun their work. */
  ready(notes: readonly string[]): void;
  exited(ended: EndedInstance & { readonly restartInMs: number }): void;
  restarted(instance: string, pid: number | undefined): void;
  scaled(from: number, to: number, load: number): void;
  /** It will never run as things are; nothing of its type is started again. */
  hopeless(ended: EndedInstance): void;
}

export interface EndedInstance {
  readonly instance: string;
  readonly pid: number | undefined;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly ranMs: number;
}

export interface Pool {
  /** Asks all to end; called again, it forces them. */
  stop(): void;
  /** When it was asked to stop, and the last one has ended. */
  readonly ended: Promise<void>;
}

/** One place of the pool: it keeps its name when what runs in it ends and starts again. */
interface Slot {
  readonly name: string;
  instance: Instance | undefined;
  isReady: boolean;
  /** Asked to end because there are more than are needed. */
  isLeaving: boolean;
  crashes: number;
  own: number;
  waiting: number | undefined;
  restart: NodeJS.Timeout | undefined;
}

const lookMs = 1000;

/** Keeps as many processes of one type running as there should be: what ends unasked is started again, later each time. */
export function openPool({ name, kind, scale }: ProcessType, { start, nowMs, random, told }: PoolTools): Pool {
  const slots = new Map<number, Slot>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const collector = openCollector();
  let samples: Sample[] = [];
  let isGreeted = false;
  let hasBeenReady = false;
  let isStopping = false;

  function launch(slot: Slot): void {
    const startedMs = nowMs();
    const instance = start(slot.name, (message) => hear(slot, message));
    Object.assign(slot, { instance, isReady: false, own: 0, waiting: undefined });
    void instance.ended.then(({ exitCode, signal }) => onEnd(slot, { instance: slot.name, pid: instance.pid, exitCode, signal, ranMs: nowMs() - startedMs }));
  }

  function add(): void {
    let number = 1;
    while (slots.has(number)) number++;
    const slot: Slot = { name: `${name}.${number}`, instance: undefined, isReady: false, isLeaving: false, crashes: 0, own: 0, waiting: undefined, restart: undefined };
    slots.set(number, slot);
    launch(slot);
  }

  function onEnd(slot: Slot, how: EndedInstance): void {
    slot.instance = undefined;
    if (isStopping || slot.isLeaving) return remove(slot);
    if (isHopeless({ ...how, wasReady: hasBeenReady })) {
      remove(slot);
      return told.hopeless(how);
    }
    slot.isReady = false;
    slot.crashes = countCrash(slot.crashes, { ...how, wasReady: hasBeenReady });
    const restartInMs = restartDelayMs(slot.crashes, random());
    told.exited({ ...how, restartInMs });
    slot.restart = setTimeout(() => {
      slot.restart = undefined;
      launch(slot);
      told.restarted(slot.name, slot.instance?.pid);
    }, restartInMs);
  }

  function remove(slot: Slot): void {
    for (const [number, other] of slots) if (other === slot) slots.delete(number);
    if (isStopping && slots.size === 0) end();
  }

  function hear(slot: Slot, message: FromInstance): void {
    if (message.kind === "load") Object.assign(slot, { own: message.own, waiting: message.waiting });
    if (message.kind === "metrics") collector.take(message);
    if (message.kind === "metrics-wanted" && slot.instance !== undefined) void collector.collect(slot.instance, [...slots.values()].flatMap((other) => (other === slot ? [] : (other.instance ?? []))), message.id);
    if (message.kind !== "ready") return;
    slot.isReady = true;
    hasBeenReady = true;
    if (isGreeted || [...slots.values()].filter(({ isReady }) => isReady).length < scale.min) return;
    isGreeted = true;
    told.ready(message.notes);
  }

  function look(): void {
    const running = [...slots.values()].filter(({ isLeaving }) => !isLeaving);
    // What a process that is starting will take off the others is not known yet.
    if (isStopping || running.some(({ isReady }) => !isReady)) return void (samples = []);
    const waiting = running.flatMap((slot) => slot.waiting ?? []);
    const load = kind === "work" ? Math.max(0, ...waiting) : running.reduce((sum, { own }) => sum + own, 0);
    samples = [...samples, { atMs: nowMs(), load }].slice(-100);
    const wanted = planScale(scale, running.length, samples);
    if (wanted === running.length) return;
    // What a worker has begun would be begun anew elsewhere.
    const [idlest] = running.toReversed().toSorted((left, right) => left.own - right.own);
    if (wanted < running.length && (idlest === undefined || (kind === "work" && idlest.own > 0))) return;
    told.scaled(running.length, wanted, load);
    samples = [];
    if (wanted > running.length) return add();
    Object.assign(idlest ?? {}, { isLeaving: true });
    idlest?.instance?.stop();
  }

  const timer = scale.max > scale.min ? setInterval(look, lookMs) : undefined;
  for (let i = 0; i < scale.min; i++) add();
  return {
    ended,
    stop() {
      const isForced = isStopping;
      isStopping = true;
      clearInterval(timer);
      if (slots.size === 0) return end();
      for (const slot of slots.values()) {
        clearTimeout(slot.restart);
        if (slot.instance === undefined) remove(slot);
        else if (isForced || !slot.isLeaving) slot.instance.stop();
      }
    },
  };
}

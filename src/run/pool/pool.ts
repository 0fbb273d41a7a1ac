import type { FromInstance, Instance, InstanceEnd } from "../../ports/instance.ts";
import { openCollector } from "./collect.ts";
import { endInTime } from "./end-in-time.ts";
import type { CountRequest } from "./limit.ts";
import { countCrash, isHopeless, restartDelayMs } from "./restart-plan.ts";
import { openScaler } from "./scaler.ts";
import { emptySlot, type Slot } from "./slot.ts";
import type { ProcessType } from "./type-plan.ts";

export interface PoolTools {
  readonly start: (instance: string, onMessage: (message: FromInstance) => void) => Instance;
  readonly nowMs: () => number;
  /** From 0 to 1. */
  readonly random: () => number;
  /** How long one that is needed no longer may take to end. */
  readonly leaveMs: number;
  /** Shared by all pools. */
  readonly countRequest: CountRequest;
  readonly told: PoolListener;
}

/** Told what happens to the processes of a pool. */
export interface PoolListener {
  /** Once, when as many as there must be at least have begun their work. */
  ready(notes: readonly string[]): void;
  exited(ended: EndedInstance & { readonly restartInMs: number }): void;
  restarted(instance: string, pid: number | undefined): void;
  scaled(from: number, to: number, load: number): void;
  /** Asked to end because there are more than are needed, it did not end in time. */
  forced(instance: string): void;
  /** It will never run as things are; nothing of its type is started again. */
  hopeless(ended: EndedInstance): void;
}

export interface EndedInstance extends InstanceEnd {
  readonly instance: string;
  readonly pid: number | undefined;
  readonly ranMs: number;
}

export interface Pool {
  /** Tells all that they will be asked to end soon. */
  announceStop(): void;
  /** Asks all to end; called again, it forces them. */
  stop(): void;
  /** Ends all at once, whatever they were asked before. */
  kill(): void;
  /** When it was asked to stop, and the last one has ended. */
  readonly ended: Promise<void>;
}

const lookMs = 1000;

/** Keeps as many processes of one type running as there should be: what ends unasked is started again, later each time that it fails in its start. */
export function openPool(type: ProcessType, { start, nowMs, random, leaveMs, countRequest, told }: PoolTools): Pool {
  const { name, scale } = type;
  const slots = new Map<number, Slot>();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const [collector, scaler] = [openCollector(), openScaler(type)];
  let isGreeted = false;
  let hasBeenReady = false;
  let isStopping = false;

  function launch(slot: Slot): void {
    Object.assign(slot, { startedMs: nowMs(), readyMs: undefined, load: undefined });
    const instance = start(slot.name, (message) => hear(slot, instance, message));
    slot.instance = instance;
    void instance.ended.then((how) => onEnd(slot, instance, how));
  }

  function add(): void {
    let number = 1;
    while (slots.has(number)) number++;
    const slot = emptySlot(`${name}.${number}`);
    slots.set(number, slot);
    launch(slot);
  }

  function onEnd(slot: Slot, instance: Instance, end: InstanceEnd): void {
    collector.gone(instance);
    slot.instance = undefined;
    if (isStopping || slot.isLeaving) return remove(slot);
    const atMs = nowMs();
    const how = { instance: slot.name, pid: instance.pid, ...end, ranMs: atMs - slot.startedMs };
    if (isHopeless(end, hasBeenReady)) {
      remove(slot);
      return told.hopeless(how);
    }
    slot.crashes = countCrash(slot.crashes, { ...how, servedMs: slot.readyMs === undefined ? undefined : atMs - slot.readyMs }, hasBeenReady);
    slot.readyMs = undefined;
    const restartInMs = restartDelayMs(slot.crashes, how, random());
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

  function hear(slot: Slot, instance: Instance, message: FromInstance): void {
    // Who has said nothing yet does not listen either.
    collector.hear(message, instance, () => [...slots.values()].flatMap((other) => (other === slot || other.load === undefined ? [] : (other.instance ?? []))));
    countRequest(message, instance);
    if (message.kind === "load") slot.load = message;
    if (message.kind !== "ready") return;
    slot.readyMs ??= nowMs();
    hasBeenReady = true;
    if (isGreeted || [...slots.values()].filter(({ readyMs }) => readyMs !== undefined).length < scale.min) return;
    isGreeted = true;
    told.ready(message.notes);
  }

  function look(): void {
    const change = scaler([...slots.values()], nowMs());
    if (change === undefined) return;
    const { from, to, load, leaving } = change;
    told.scaled(from, to, load);
    if (to > from) return add();
    if (leaving === undefined) return;
    leaving.isLeaving = true;
    clearTimeout(leaving.restart);
    if (leaving.instance === undefined) remove(leaving);
    else endInTime(leaving.instance, { limitMs: leaveMs, onLate: () => told.forced(leaving.name) });
  }

  const timer = scale.max > scale.min ? setInterval(look, lookMs) : undefined;
  for (let i = 0; i < scale.min; i++) add();
  return {
    ended,
    announceStop() {
      for (const { instance } of slots.values()) instance?.send({ kind: "stop-announced" });
    },
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
    kill() {
      for (const { instance } of slots.values()) instance?.kill();
    },
  };
}

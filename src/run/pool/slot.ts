import type { Instance } from "../../ports/instance.ts";

/** One place of a pool: it keeps its name when what runs in it ends and starts again. */
export interface Slot {
  readonly name: string;
  /** undefined between an end and the next start. */
  instance: Instance | undefined;
  startedMs: number;
  /** Since when it does its work; undefined before. */
  readyMs: number | undefined;
  /** What it said last about what there is to do; undefined before its first word. */
  load: { readonly own: number; readonly waiting?: number } | undefined;
  /** Asked to end because there are more than are needed. */
  isLeaving: boolean;
  /** How often in a row it has failed. */
  crashes: number;
  restart: NodeJS.Timeout | undefined;
}

export function emptySlot(name: string): Slot {
  return { name, instance: undefined, startedMs: 0, readyMs: undefined, load: undefined, isLeaving: false, crashes: 0, restart: undefined };
}

import type { Json } from "../core/canonical-json.ts";

/** Starts further processes of this very program, which share each port that they listen on. */
export interface Instances {
  /** `args` as on the command line, without the flags that every command takes: those are passed on. */
  start(args: readonly string[], options: InstanceOptions): Instance;
}

export interface InstanceOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly onMessage: (message: FromInstance) => void;
  /** Told of each whole line of its output, without the line end. */
  readonly onLine: (stream: "stdout" | "stderr", line: string) => void;
}

export interface Instance {
  readonly pid: number | undefined;
  /** When it has ended and all that it said was told. */
  readonly ended: Promise<{ readonly exitCode: number | null; readonly signal: string | null }>;
  /** Nothing happens where it is gone already. */
  send(message: ToInstance): void;
  /** The first one asks it to stop in good order, the second one forces it. */
  stop(): void;
}

export type FromInstance =
  /**
   * It does its work now; `notes` are what a person should read, once for all instances of a type. `group` is the process group
   * that it started, which must not outlive it.
   */
  | { readonly kind: "ready"; readonly notes: readonly string[]; readonly group?: number | undefined }
  /** `own` is what it does right now; `waiting` is the work that waits for all of its type. */
  | { readonly kind: "load"; readonly own: number; readonly waiting?: number }
  /** Answers a `metrics-asked`. */
  | { readonly kind: "metrics"; readonly id: number; readonly families: Json }
  /** Asks for the metrics of every instance of its type. */
  | { readonly kind: "metrics-wanted"; readonly id: number };

export type ToInstance =
  | { readonly kind: "metrics-asked"; readonly id: number }
  /** Answers a `metrics-wanted`. */
  | { readonly kind: "metrics-collected"; readonly id: number; readonly all: readonly Json[] };

/** The process that started this one, as one of its instances. */
export interface Parent {
  /** Such as web.1. */
  readonly name: string;
  send(message: FromInstance): void;
  onMessage(listener: (message: ToInstance) => void): void;
  /** Told when it is gone, however it ended. */
  onLost(listener: () => void): void;
}

/** A line that an instance wrote. */
export interface RelayedLine {
  readonly stream: "stdout" | "stderr";
  /** Such as web.1. */
  readonly instance: string;
  /** The number of its type, for its colour. */
  readonly type: number;
  /** Of the longest name of an instance. */
  readonly width: number;
  readonly text: string;
}

/** The variable that tells an instance its name. */
export const instanceVariable = "TWELVE_INSTANCE";

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
  readonly ended: Promise<InstanceEnd>;
  /** Nothing happens where it is gone already. */
  send(message: ToInstance): void;
  /** The first one asks it to stop in good order, the second one forces it. */
  stop(): void;
  /** Ends it and what it started, whatever it was asked before. */
  kill(): void;
}

export interface InstanceEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  /** Why it could not be started at all. */
  readonly failure?: string;
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
  /** Asks for the metrics of every instance of its type; `families` are its own. */
  | { readonly kind: "metrics-wanted"; readonly id: number; readonly families: Json }
  /** Its metrics when it ends. */
  | { readonly kind: "metrics-last"; readonly families: Json }
  /** Asks for one request of a key that may send so many a minute. */
  | ({ readonly kind: "limit-asked"; readonly id: number } & KeyLimit)
  /** The release that it found by itself, where it was told none. */
  | { readonly kind: "release-found"; readonly release: Json };

export type ToInstance =
  | { readonly kind: "metrics-asked"; readonly id: number }
  /** Answers a `metrics-wanted`. */
  | { readonly kind: "metrics-collected"; readonly id: number; readonly all: readonly Json[] }
  /** Answers a `limit-asked`. */
  | { readonly kind: "limit-told"; readonly id: number; readonly taken: TakenRequest }
  /** Answers a `release-found`: what the first one found holds for all. */
  | { readonly kind: "release-kept"; readonly release: Json }
  /** It is to stop in good order. */
  | { readonly kind: "stop-asked" }
  /** It will be asked to stop soon, when those that may need it have stopped. */
  | { readonly kind: "stop-announced" };

/** So many requests of a key a minute, and after a pause so many at once. */
export interface KeyLimit {
  readonly key: string;
  readonly perMinute: number;
  readonly burst: number;
}

/** Whether a request of a limited key is let in, and how much is left. */
export interface TakenRequest {
  readonly isAllowed: boolean;
  /** Whole requests that are left now. */
  readonly remaining: number;
  /** Until everything is left again. */
  readonly fullInMs: number;
  /** Until one more is; 0 where one is left. */
  readonly nextInMs: number;
}

/** The process that started this one, as one of its instances. */
export interface Parent {
  /** Such as web.1. */
  readonly name: string;
  /** Resolves when it is on its way, or cannot be sent any more. */
  send(message: FromInstance): Promise<void>;
  onMessage(listener: (message: ToInstance) => void): void;
  /** Told when it asks this process to stop, or has asked already. */
  onStopAsked(listener: () => void): void;
  /** Told when it is gone, or is gone already, however it ended. */
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

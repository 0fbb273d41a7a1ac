import { TwelveError } from "../../core/errors.ts";
import type { ProcessDeclaration } from "../../manifest/process.ts";
import { type ChosenProcess, chooseProcess, type Declared } from "../choose-plan.ts";
import type { Scale } from "./scale-plan.ts";

/** One type of process, as it is run on this machine. */
export interface ProcessType {
  readonly name: string;
  readonly kind: ChosenProcess["kind"];
  readonly scale: Scale;
  /** 0 for any free one. */
  readonly port: number;
}

/** Further types listen so far above each other. */
export const portStep = 100;
const lastPort = 65_535;

export interface Asked {
  readonly process: string | undefined;
  readonly concurrency: number | undefined;
  readonly port: number;
}

/**
 * What `twelve run` starts: every type that is declared, scaled as it is declared, or the one that was named, with one process
 * unless more are asked for. Fails with PROCESS_UNKNOWN or USAGE_INVALID.
 */
export function typesToRun(declared: Declared, { process, concurrency, port }: Asked): readonly ProcessType[] {
  // A release keeps its types by name; twelve.yaml in the order in which they were written.
  const names = Object.keys(declared.processes).toSorted();
  const chosen = process === undefined && names.length > 0 ? names.map((name) => chooseProcess(declared, name)) : [chooseProcess(declared, process)];
  const [only, another] = chosen;
  if (concurrency !== undefined && another !== undefined) {
    throw new TwelveError("USAGE_INVALID", `\`--concurrency\` is about one type of process, and the release has ${names.join(", ")}`, { fix: `Name one: \`twelve run ${inOrder(chosen)[0]?.name} --concurrency ${concurrency}\`, or declare \`scale:\` for each in twelve.yaml` });
  }
  if (concurrency !== undefined && only?.kind === "command") throw new TwelveError("USAGE_INVALID", `${only.name} is a program of your own, of which \`--concurrency\` can start no more`, { fix: "Declare `scale: { min: ... }` for it in twelve.yaml, and start all types with `twelve run`" });
  const isServer = only?.kind === "serve" || only?.kind === "rerank";
  const scaleOf = (name: string): Scale => (concurrency !== undefined && isServer ? fixed(concurrency) : process === undefined ? declaredScale(declared.processes[name]) : fixed(1));
  return inOrder(chosen).map(({ name, kind }, place) => ({ name, kind, scale: scaleOf(name), port: portAt(port, place) }));
}

/** What serves is what the port is for, and `web` before all. */
function inOrder(chosen: readonly ChosenProcess[]): readonly ChosenProcess[] {
  const servers = chosen.filter(({ kind }) => kind === "serve");
  const first = servers.find(({ name }) => name === "web") ?? servers[0] ?? chosen[0];
  return [...chosen.filter((type) => type === first), ...chosen.filter((type) => type !== first)];
}

function fixed(processes: number): Scale {
  return { min: processes, max: processes, perProcess: undefined };
}

/** Whether it takes a process of its own to look after them. */
export function needsParent(types: readonly ProcessType[]): boolean {
  return types.length > 1 || types.some(({ scale: { min, max } }) => min > 1 || max > 1);
}

function declaredScale(declaration: ProcessDeclaration | undefined): Scale {
  const { min = 1, max, inFlight, depth }: { readonly min?: number; readonly max?: number | undefined; readonly inFlight?: number | undefined; readonly depth?: number | undefined } = declaration?.scale ?? {};
  return { min, max: max ?? min, perProcess: inFlight ?? depth };
}

function portAt(first: number, place: number): number {
  if (first === 0) return 0;
  const port = first + place * portStep;
  if (port <= lastPort) return port;
  throw new TwelveError("USAGE_INVALID", `Every type of process has a port, ${portStep} above the one before, and from ${first} on there are not enough`, { fix: "Choose a lower port with `--port` or PORT" });
}

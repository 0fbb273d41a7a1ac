import { TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { ProcessDeclaration } from "../manifest/process.ts";

export type ChosenProcess =
  | { readonly kind: "serve"; readonly name: string; readonly agents: readonly string[] }
  | { readonly kind: "command"; readonly name: string; readonly command: string }
  | { readonly kind: "work"; readonly name: string; readonly queues: readonly string[] }
  | { readonly kind: "rerank"; readonly name: string; readonly model: string };

/** By a release, or by twelve.yaml. */
export interface Declared {
  readonly processes: Readonly<Record<string, ProcessDeclaration>>;
  readonly agents: Readonly<Record<string, unknown>>;
}

/**
 * The process to run: the named one, else `web`, else the first one. A release that declares none serves all its agents
 * as `web`. Fails with PROCESS_UNKNOWN.
 */
export function chooseProcess({ processes, agents }: Declared, wanted: string | undefined): ChosenProcess {
  const names = Object.keys(processes);
  if (names.length === 0 && (wanted ?? "web") === "web") {
    if (Object.keys(agents).length === 0) throw new TwelveError("PROCESS_UNKNOWN", "The release has no process and no agent, so there is nothing to run", { fix: "Declare an agent under `agents:` in twelve.yaml, then build and release" });
    return { kind: "serve", name: "web", agents: Object.keys(agents) };
  }
  const name = wanted ?? (names.includes("web") ? "web" : names[0]) ?? "web";
  const list = names.join(", ") || "none";
  const process = Object.hasOwn(processes, name) ? processes[name] : undefined;
  if (process === undefined) throw new TwelveError("PROCESS_UNKNOWN", `The release has no process "${name}".${didYouMean(name, names)} It has: ${list}`);
  return chosen(name, process);
}

function chosen(name: string, process: ProcessDeclaration): ChosenProcess {
  if ("serve" in process) return { kind: "serve", name, agents: process.serve };
  if ("command" in process) return { kind: "command", name, command: process.command };
  if ("work" in process) return { kind: "work", name, queues: process.work };
  return { kind: "rerank", name, model: process.rerank };
}

import type { EndedInstance, PoolListener } from "./pool.ts";
import { restMs } from "./stop.ts";
import type { ProcessType } from "./type-plan.ts";
import type { Voice } from "./voice.ts";

/** Tells what happens to the processes of one type. */
export function tellPool({ name, scale }: ProcessType, { note, warn, write: writeEvent }: Voice): PoolListener {
  const write = (event: string, fields: object): void => writeEvent(event, { "twelve.process": name, ...fields });
  return {
    ready(notes) {
      write("process-type-ready", { processes: scale.min });
      for (const each of notes) note(each, name);
      if (scale.min > 1) note(`${name}: ${scale.min} processes share the work`);
    },
    exited(ended) {
      const { instance, pid, failure, ranMs, restartInMs } = ended;
      write("process-exited", { ...factsOf(ended), restart_in_ms: restartInMs });
      const again = restartInMs === 0 ? "it starts again at once" : `it starts again in ${(restartInMs / 1000).toFixed(1)} s`;
      warn(failure === undefined ? `${instance} (process ${pid}) ended ${howOf(ended)} after ${(ranMs / 1000).toFixed(1)} s; ${again}` : `${instance} could not be started (${failure}); ${again}`);
    },
    restarted(instance, pid) {
      write("process-restarted", { "twelve.instance": instance, "process.pid": pid });
      note(`${instance} was started again, as process ${pid}`);
    },
    scaled(from, to, load) {
      write("processes-scaled", { from, to, load });
      note(`${name}: ${to} ${to === 1 ? "process" : "processes"} instead of ${from}, at a load of ${load}`);
    },
    forced(instance) {
      warn(`${instance} did not end in time, and is forced to`);
    },
    hopeless(ended) {
      write("process-type-failed", factsOf(ended));
      warn(`${ended.instance} cannot begin its work as things are: the others are stopped`);
    },
  };
}

function factsOf({ instance, pid, exitCode, signal, failure, ranMs }: EndedInstance): object {
  return { "twelve.instance": instance, "process.pid": pid, "process.exit_code": exitCode, "process.signal": signal, ...(failure !== undefined && { "error.message": failure }), "twelve.duration_ms": Math.round(ranMs) };
}

function howOf({ signal, exitCode }: EndedInstance): string {
  return signal === null ? `with exit code ${exitCode}` : `by ${signal}`;
}

/** How long which processes have, where all are asked to end. */
export function describeStop(types: readonly ProcessType[], { preStopMs, drainMs }: { readonly preStopMs: number; readonly drainMs: number }): string {
  const servers = types.filter(({ kind }) => kind === "serve");
  if (servers.length === 0) return `every process has up to ${(preStopMs + drainMs + restMs) / 1000} s to end`;
  const before = preStopMs > 0 ? `, after ${preStopMs / 1000} s in which new ones are still taken` : "";
  const told = `what serves agents has up to ${drainMs / 1000} s for open requests${before}`;
  return servers.length < types.length ? `${told}; the others end after it, with ${restMs / 1000} s at least` : told;
}

export function describeType({ name, kind, scale: { min, max }, port }: ProcessType): string {
  const number = max > min ? ` ×${min} to ${max}` : min > 1 ? ` ×${min}` : "";
  return `${name}${number} (${kind}, port ${port})`;
}

import type { Json } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { JobInput, JobResult, JobShard, ShardOutcome } from "../index/job-schema.ts";
import type { JobHandler } from "../ports/queue.ts";

interface Telling {
  readonly write: (event: string, fields: object) => void;
  readonly nowMs: () => number;
}

/** Steps of index jobs that are done here: an event for each that ends, whichever way, and how many run. */
export function tellSteps(handler: JobHandler, { write, nowMs }: Telling): { readonly handler: JobHandler; readonly running: () => number } {
  let running = 0;
  const log = async (step: "shard" | "join", signal: AbortSignal, facts: object, work: () => Promise<Json>, resultFacts: (result: Json) => object): Promise<Json> => {
    const startMs = nowMs();
    const end = (how: "finished" | "stopped", more: object): void => write(`${step}-${how}`, { ...facts, "twelve.duration_ms": Math.round(nowMs() - startMs), ...more });
    running += 1;
    try {
      const result = await work();
      end("finished", { ...resultFacts(result), "error.type": null });
      return result;
    } catch (error) {
      // Given back to the queue, or of a job that was cancelled.
      if (signal.aborted) end("stopped", {});
      else end("finished", { "error.type": error instanceof TwelveError ? error.code : "error", "error.message": error instanceof Error ? error.message : String(error) });
      throw error;
    } finally {
      running -= 1;
    }
  };
  return {
    running: () => running,
    handler: {
      shard(input, shard, options) {
        const { number, documents } = JobShard.parse(shard);
        return log("shard", options.signal, { "twelve.job": JobInput.parse(input).id, shard: number, documents }, () => handler.shard(input, shard, options), (result) => ({ embedded: ShardOutcome.parse(result).embedded }));
      },
      join(input, results, options) {
        return log("join", options.signal, { "twelve.job": JobInput.parse(input).id, shards: results.length }, () => handler.join(input, results, options), (result) => ({ "twelve.index.digest": JobResult.parse(result).digest }));
      },
    },
  };
}

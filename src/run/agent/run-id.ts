import { canonicalJson } from "../../core/canonical-json.ts";
import { type Digest, digestOf, hexOf } from "../../core/descriptor.ts";
import type { RunEngine, RunKey } from "../../ports/runs.ts";
import { toldUntil } from "./told.ts";

/** What no other ID is made of. */
export const runIdBytes = 12;

export function newRunId(randomHex: (sizeBytes: number) => string): string {
  return `run_${randomHex(runIdBytes)}`;
}

/** The same request with the same Idempotency-Key has the same run, even where no record of its answer could be kept. */
export function keyedRunId(key: string, request: Digest): string {
  return `run_${hexOf(digestOf(canonicalJson({ key, request }))).slice(0, 32)}`;
}

/**
 * The run of a request that may be sent again. One that failed before it called a tool has changed nothing, and the request begins another;
 * one that has called a tool, which nobody may do twice, is what the request is answered by.
 */
export async function findAgain(engine: RunEngine, run: RunKey): Promise<{ readonly id: string; readonly isBegun: boolean }> {
  for (let number = 1; ; number++) {
    const tried = number === 1 ? run : { ...run, id: `${run.id}-${number}` };
    const status = await engine.status(tried);
    if (status === undefined) return { id: tried.id, isBegun: false };
    if (status.state !== "failed" || (await hasTold(engine, tried, "tool_call_started"))) return { id: tried.id, isBegun: true };
  }
}

/** Whether the run has told something of that type so far. */
export async function hasTold(engine: RunEngine, run: RunKey, type: string): Promise<boolean> {
  const told = await toldUntil(engine, run, (await engine.status(run))?.position ?? 0);
  return told.some(({ data }) => (data as { readonly type?: string }).type === type);
}

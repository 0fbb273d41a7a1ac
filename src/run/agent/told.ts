import type { RunEngine, RunEvent, RunKey } from "../../ports/runs.ts";

const never = new AbortController().signal;

/** Everything up to a position, without waiting for more. */
export async function toldUntil(engine: RunEngine, run: RunKey, position: number): Promise<readonly RunEvent[]> {
  const events: RunEvent[] = [];
  if (position === 0) return events;
  for await (const event of engine.events(run, { after: 0, signal: never })) {
    events.push(event);
    if (event.position >= position) break;
  }
  return events;
}

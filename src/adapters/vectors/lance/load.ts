import { setFlagsFromString } from "node:v8";

/** LanceDB, which is large and native: loaded when an index is first used. */
export async function loadLance(): Promise<typeof import("@lancedb/lancedb")> {
  // Otherwise the engine warns on stderr that it will change what its statistics hold, which nobody here reads,
  process.env["LANCE_INCLUDE_VECTOR_CENTROIDS"] ??= "false";
  // and tells of every attempt that it repeats. What fails in the end is said by us.
  process.env["LANCEDB_LOG"] ??= "error";
  // In the bundle a CommonJS package has only its default export; Node gives it the same one.
  return (await import("@lancedb/lancedb")).default;
}

/** Of the room that V8 has for new objects, which is 64 MB on Node 24. */
const lookedThroughAtPercent = 15;

/**
 * The rows that a search gives are the engine's memory for as long as V8 has not found that nobody needs them. It looks for that when
 * 80 percent of the room for new objects are used, and by then holds hundreds of results. Looked for earlier, between two turns of the event
 * loop, a server takes 100 MB less under load, and searches are as fast. V8 reads this anew after each look, so it may be set in a process that runs.
 */
export function freeResultsSoon(): void {
  setFlagsFromString(`--minor-gc-task-trigger=${lookedThroughAtPercent}`);
}

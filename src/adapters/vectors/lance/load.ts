/** LanceDB, which is large and native: loaded when an index is first used. */
export async function loadLance(): Promise<typeof import("@lancedb/lancedb")> {
  // Otherwise the engine warns on stderr that it will change what its statistics hold, which nobody here reads,
  process.env["LANCE_INCLUDE_VECTOR_CENTROIDS"] ??= "false";
  // and tells of every attempt that it repeats. What fails in the end is said by us.
  process.env["LANCEDB_LOG"] ??= "error";
  // In the bundle a CommonJS package has only its default export; Node gives it the same one.
  return (await import("@lancedb/lancedb")).default;
}

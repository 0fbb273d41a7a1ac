import { serveState } from "./server.ts";

/** A process of its own: `state-server.worker.ts <folder> <idleMs>`. What goes wrong is told on stderr, which is the folder's log. */
const [, , folder = "", idleMs = ""] = process.argv;
const stop = new AbortController();
process.on("SIGTERM", () => stop.abort());
process.on("SIGINT", () => stop.abort());
try {
  await serveState(folder, Number(idleMs), stop.signal);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`, () => process.exit(1));
}

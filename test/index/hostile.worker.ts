import { parentPort, workerData } from "node:worker_threads";
import type { ChunkSizes } from "../../src/index/chunk.ts";
import { openCut } from "../../src/index/cut.ts";
import type { CutterTask } from "../../src/index/cutter.ts";

/** Reads files as the real reader does, save that some do to their reader what a hostile file may do to a parser. */
const cut = openCut(workerData as ChunkSizes);

parentPort?.on("message", (task: CutterTask) => void answer(task));

async function answer(task: CutterTask): Promise<void> {
  if (task.kind === "digest") return process.exit(3);
  const results = [];
  for (const request of task.requests) {
    if (request.path.startsWith("hang")) for (;;) Math.sqrt(2);
    if (request.path.startsWith("throw")) throw new RangeError("Maximum call stack size exceeded");
    if (request.path.startsWith("exit")) process.exit(3);
    if (request.path.startsWith("greedy")) for (const held: number[][] = []; ; ) held.push(Array.from({ length: 10_000 }, Math.random));
    if (request.path.startsWith("bloated")) for (const held: Uint8Array[] = []; ; ) if (held.length < 40) held.push(new Uint8Array(4 * 1024 * 1024).fill(1));
    results.push(await cut(request));
  }
  parentPort?.postMessage({ kind: "cut", results }, []);
  // Not at once: an error may overtake the answer, and would then be about it.
  if (task.requests.some(({ path }) => path.startsWith("late"))) setTimeout(() => {
    throw new Error("after the answer");
  }, 50);
}

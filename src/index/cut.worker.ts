import { parentPort, workerData } from "node:worker_threads";
import type { ChunkSizes } from "./chunk.ts";
import { digestFiles, openCut } from "./cut.ts";
import type { CutterAnswer, CutterTask } from "./cutter.ts";

const cut = openCut(workerData as ChunkSizes);

parentPort?.on("message", (task: CutterTask) => {
  void answer(task).then((found) => parentPort?.postMessage(found, []));
});

async function answer(task: CutterTask): Promise<CutterAnswer> {
  if (task.kind === "digest") return { kind: "digest", digests: digestFiles(task.files) };
  const results = [];
  for (const request of task.requests) results.push(await cut(request));
  return { kind: "cut", results };
}

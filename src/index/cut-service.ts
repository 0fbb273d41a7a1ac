import { parentPort, workerData } from "node:worker_threads";
import type { ChunkSizes } from "./chunk.ts";
import { digestFiles, openCut } from "./cut.ts";
import type { CutterAnswer, CutterTask } from "./cutter.ts";

/** Answers the tasks of the thread that started this one. */
export function serveCuts(): void {
  const cut = openCut(workerData as ChunkSizes);
  const answer = async (task: CutterTask): Promise<CutterAnswer> => {
    if (task.kind === "digest") return { kind: "digest", digests: digestFiles(task.files) };
    const results = [];
    for (const request of task.requests) results.push(await cut(request));
    return { kind: "cut", results };
  };
  parentPort?.on("message", (task: CutterTask) => {
    void answer(task).then((found) => parentPort?.postMessage(found, []));
  });
}

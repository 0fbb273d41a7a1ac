import { parentPort } from "node:worker_threads";
import { type BatchRequest, readBatch } from "./read-batch.ts";

/** Answers each request with its batch; the buffers change hands, nothing is copied. */
parentPort?.on("message", (request: BatchRequest) => {
  const batch = readBatch(request);
  parentPort?.postMessage(batch, [...batch.archives.map(({ bytes }) => bytes.buffer), ...batch.unused]);
});

import type { Worker } from "node:worker_threads";

const everyMs = 200;

/**
 * Calls back once when a thread holds more than so many MB in buffers. The limit that a thread is started with is for
 * its objects alone, while parsers unpack into buffers. Objects and buffers each have the whole of the limit, as what is
 * counted has garbage in it.
 *
 * Not seen: what libraries allocate outside JavaScript (zlib's own state, say), and what comes and goes between two
 * looks, so a thread can be above the limit for a moment. A thread within one long native call answers after it.
 */
export function watchMemory(worker: Worker, memoryMb: number, onExceeded: () => void): { stop(): void } {
  let isAsking = false;
  const timer = setInterval(() => {
    if (isAsking) return;
    isAsking = true;
    // Fails for a thread that has ended, which is noticed elsewhere.
    worker.getHeapStatistics().then(({ external_memory: bytes }) => {
      if (bytes > memoryMb * 1024 * 1024) onExceeded();
    }, () => {}).finally(() => void (isAsking = false));
  }, everyMs).unref();
  return { stop: () => clearInterval(timer) };
}

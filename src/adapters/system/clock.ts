import { randomBytes } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";

/** Drawing a few bytes costs the system as much as drawing many, and every request needs a few. */
const poolBytes = 4096;
let pool = Buffer.alloc(0);

function drawBytes(sizeBytes: number): Buffer {
  if (sizeBytes > pool.length) pool = randomBytes(Math.max(poolBytes, sizeBytes));
  const drawn = pool.subarray(0, sizeBytes);
  pool = pool.subarray(sizeBytes);
  return drawn;
}

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  randomHex: (sizeBytes) => drawBytes(sizeBytes).toString("hex"),
};

import { randomBytes } from "node:crypto";
import type { Clock } from "../../ports/clock.ts";

export const systemClock: Clock = {
  now: () => new Date(),
  monotonicMs: () => performance.now(),
  randomHex: (sizeBytes) => randomBytes(sizeBytes).toString("hex"),
};

import { memoryUsage } from "node:process";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Below this, the time costs more than the memory is worth. */
const worthBytes = 48 * 1024 * 1024;

/**
 * Gives back the buffers that nobody uses any more, if they are many. For a program that hands over to native code which allocates
 * by itself: V8 sees no reason to collect then, and what lies around counts on top of what the native code takes.
 */
export function releaseBuffers(): void {
  if (memoryUsage().arrayBuffers < worthBytes) return;
  setFlagsFromString("--expose-gc");
  (runInNewContext("gc") as () => void)();
}

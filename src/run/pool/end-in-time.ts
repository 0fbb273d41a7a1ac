import type { Instance } from "../../ports/instance.ts";

/** What is forced ends at once, unless it hears nothing any more. */
export const lastMs = 2000;

interface Ending {
  readonly limitMs: number;
  /** Told when it has not ended by then. */
  readonly onLate: () => void;
}

/** Asks a process to end. What has not by the limit is forced, and what is frozen is killed. */
export function endInTime(instance: Instance, { limitMs, onLate }: Ending): void {
  instance.stop();
  let timer = setTimeout(() => {
    onLate();
    instance.stop();
    timer = setTimeout(() => instance.kill(), lastMs);
  }, limitMs);
  void instance.ended.then(() => clearTimeout(timer));
}

import type { Activation } from "./schema.ts";

/**
 * The activations that a rollback can go back to, oldest first; the last one is current. A rollback takes away what
 * it went back over, so that the next one goes further back instead of forth again.
 */
export function standing(history: readonly Activation[]): readonly Activation[] {
  const stack: Activation[] = [];
  for (const activation of history.toReversed()) {
    const restored = activation.reason === "rollback" ? stack.findLastIndex(({ number }) => number === activation.number) : -1;
    if (restored >= 0) stack.splice(restored);
    stack.push(activation);
  }
  return stack;
}

/** The last standing activation of another release than the current one; two numbers of one digest are one release. */
export function previousRelease(history: readonly Activation[]): Activation | undefined {
  const [current] = history;
  return standing(history).findLast(({ release }) => release.digest !== current?.release.digest);
}

/** The newest activation, standing or not, that `matches`: every release that was active here passed this environment's gate. */
export function earlierActivation(history: readonly Activation[], matches: (activation: Activation) => boolean): Activation | undefined {
  return standing(history).findLast(matches) ?? history.find(matches);
}

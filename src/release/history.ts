import type { Activation } from "./schema.ts";

type Attachments = Activation["attachments"];

export interface ChangedAttachment {
  readonly key: string;
  readonly before: string | null;
  readonly after: string | null;
}

/**
 * The keys that name another service afterwards. Where a URL was read from does not count: of a password that was changed there is only
 * a newer version.
 */
export function changedAttachments(before: Attachments, after: Attachments): readonly ChangedAttachment[] {
  const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])];
  const changes = keys.map((key) => ({ key, before: before[key]?.url ?? null, after: after[key]?.url ?? null }));
  return changes.filter((change) => change.before !== change.after);
}

export function formatChanges(changes: readonly ChangedAttachment[]): string {
  return changes.map(({ key, before, after }) => `${key}=${after ?? "unset"} (was ${before ?? "unset"})`).join(", ");
}

/**
 * The activations that a rollback can go back to, oldest first; the last one is current. A rollback takes away what
 * it went back over, so that the next one goes further back instead of forth again.
 */
export function standing(history: readonly Activation[]): readonly Activation[] {
  const stack: Activation[] = [];
  for (const activation of history.toReversed()) {
    const isRestored = ({ number, attachments }: Activation): boolean => number === activation.number && changedAttachments(attachments, activation.attachments).length === 0;
    const restored = activation.reason === "rollback" ? stack.findLastIndex(isRestored) : -1;
    if (restored >= 0) stack.splice(restored);
    stack.push(activation);
  }
  return stack;
}

/** The last standing activation of another release, or with other services, than the current one; two numbers of one digest are one release. */
export function previousActivation(history: readonly Activation[]): Activation | undefined {
  const [current] = history;
  if (current === undefined) return undefined;
  return standing(history).findLast(({ release, attachments }) => release.digest !== current.release.digest || changedAttachments(attachments, current.attachments).length > 0);
}

/** The newest activation, standing or not, that `matches`: every release that was active here passed this environment's gate. */
export function earlierActivation(history: readonly Activation[], matches: (activation: Activation) => boolean): Activation | undefined {
  return standing(history).findLast(matches) ?? history.find(matches);
}

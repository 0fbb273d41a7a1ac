import type { StoreProblem } from "./schema.ts";

export type Fault = Pick<StoreProblem, "kind" | "message">;

/** Who names whom; a key is the digest of a blob or the name of a ref. */
export interface Graph {
  readonly users: ReadonlyMap<string, ReadonlySet<string>>;
  /** What a person calls it: `release 0b12ab34cd56`, or the name of the ref. */
  readonly labels: ReadonlyMap<string, string>;
}

/** Each fault with who names it and every ref that leads there, sorted. */
export function planProblems({ users, labels }: Graph, faults: ReadonlyMap<string, Fault>): StoreProblem[] {
  const problems = [...faults].map(([subject, fault]) => {
    const referredBy = [...(users.get(subject) ?? [])].map((key) => labels.get(key) ?? key).sort();
    const neededBy = [...usersOf(users, subject)].filter((key) => !key.startsWith("sha256:")).sort();
    return { ...fault, subject, referredBy, neededBy };
  });
  return problems.sort((left, right) => (`${left.kind} ${left.subject}` < `${right.kind} ${right.subject}` ? -1 : 1));
}

/** Everything that names it, and what names that, and so on. */
function usersOf(users: Graph["users"], subject: string): ReadonlySet<string> {
  const found = new Set<string>(users.get(subject));
  // The set grows while it is walked.
  for (const key of found) for (const user of users.get(key) ?? []) found.add(user);
  return found;
}

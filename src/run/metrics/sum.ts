import type { Family } from "./family.ts";

/** What must never fall: the counts of processes that are gone belong to the sum for good. What else they said is no longer so. */
export function countsOf(families: readonly Family[]): readonly Family[] {
  return families.filter(({ type }) => type !== "gauge");
}

/** The counts of two processes in one. */
export function addCounts(left: readonly Family[], right: readonly Family[]): readonly Family[] {
  const sums = new Map<string, { readonly family: Family; readonly values: Map<string, Family["values"][number]> }>();
  for (const family of [...left, ...right]) {
    const sum = sums.get(family.name) ?? { family, values: new Map() };
    sums.set(family.name, sum);
    for (const each of family.values) {
      const key = `${each.metricName ?? ""} ${JSON.stringify(Object.entries(each.labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`;
      sum.values.set(key, { ...each, value: each.value + (sum.values.get(key)?.value ?? 0) });
    }
  }
  return Array.from(sums.values(), ({ family, values }) => ({ ...family, values: [...values.values()] }));
}

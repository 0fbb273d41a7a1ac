import type { VectorFilter, VectorRow } from "../../ports/vectors.ts";
import { labelOf, labelsOf } from "./lance/filter.ts";

/** Everything a chunk can be filtered by, one label for each value. What would break a line is escaped. */
export function escapedLabels(row: VectorRow): readonly string[] {
  return labelsOf(row).map(escaped);
}

/** For each key of a filter, the labels of which a chunk must have one, as they are written in the store. */
export function labelSets(filter: VectorFilter | undefined, written: (label: string) => string = escaped): readonly (readonly string[])[] {
  return Object.entries(filter ?? {}).map(([key, values]) => values.map((value) => written(labelOf(key, value))));
}

function escaped(label: string): string {
  return JSON.stringify(label).slice(1, -1);
}

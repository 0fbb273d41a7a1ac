import type { Metadata } from "../../../ports/document.ts";
import type { VectorFilter, VectorRow } from "../../../ports/vectors.ts";

/** Stands in no key that a person would write, so that `a=b: c` and `a: b=c` are two labels. */
const between = "\u001f";

/** Everything a chunk can be filtered by, one label for each value. */
export function labelsOf({ document, language, metadata }: Pick<VectorRow, "document" | "language" | "metadata">): readonly string[] {
  const own: Metadata = { ...(language === null ? {} : { language }), ...metadata, document };
  return Object.entries(own).flatMap(([key, value]) => [value].flat().map((item) => labelOf(key, String(item))));
}

/** The engine's SQL for a filter; undefined where everything passes. */
export function whereOf(filter: VectorFilter | undefined): string | undefined {
  const clauses = Object.entries(filter ?? {}).map(([key, values]) => {
    const labels = values.map((value) => quoted(labelOf(key, value)));
    return labels.length === 0 ? "false" : `array_has_any(labels, [${labels.join(", ")}])`;
  });
  return clauses.length === 0 ? undefined : clauses.join(" AND ");
}

/** The engine's SQL for the chunks of these IDs. */
export function idsIn(ids: readonly string[]): string {
  return `id IN (${ids.map(quoted).join(", ")})`;
}

/** What one label says; undefined for a label of another key. */
export function valueIn(label: string, key: string): string | undefined {
  return label.startsWith(`${key}${between}`) ? label.slice(key.length + between.length) : undefined;
}

/** A string literal: the quote is the only character that means anything in it. */
export function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

export function labelOf(key: string, value: string): string {
  return `${key}${between}${value}`.toWellFormed();
}

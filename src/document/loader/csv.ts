import type { LoadedDocument } from "../schema.ts";
import { tableBlock } from "../table.ts";

const delimiters = [",", ";", "\t", "|"] as const;

/** One table, whose first row is its head. Rows may be of unequal length and quoted loosely, as in files from real programs. */
export async function loadCsv(text: string, path: string): Promise<LoadedDocument> {
  const { parse } = await import("csv-parse/sync");
  // Excel says on the first line what stands between the values.
  const [declaration, declared] = /^sep=(.)\n/.exec(text) ?? [""];
  const rows: string[][] = parse(text.slice(declaration?.length ?? 0), {
    delimiter: declared ?? (/\.tsv$/i.test(path) ? "\t" : delimiterOf(text)),
    relax_column_count: true, relax_quotes: true, skip_empty_lines: true,
  });
  const table = tableBlock(rows);
  return { blocks: table === undefined ? [] : [table], metadata: {} };
}

/** The one that parts most lines into equally many values, more than one. */
function delimiterOf(text: string): string {
  const lines = text.slice(0, 20_000).split("\n").slice(0, 20).map((line) => line.replaceAll(/"[^"]*"/g, "")).filter((line) => line.trim() !== "");
  const scores = delimiters.map((delimiter) => {
    const counts = lines.map((line) => line.split(delimiter).length - 1);
    const [first = 0] = counts;
    return { delimiter, score: first === 0 ? 0 : counts.filter((count) => count === first).length / counts.length, first };
  });
  const [best] = scores.toSorted((left, right) => right.score - left.score || right.first - left.first);
  return best === undefined || best.score === 0 ? "," : best.delimiter;
}

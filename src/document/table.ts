import type { TextBlock } from "./schema.ts";

/** Cells as a markdown table, whose first row is its head; undefined where no cell says anything. Empty columns are left out. */
export function tableBlock(rows: readonly (readonly string[])[], page?: number): TextBlock | undefined {
  const filled = rows.map((row) => row.map(cellText)).filter((row) => row.some((cell) => cell !== ""));
  const width = filled.reduce((most, row) => Math.max(most, row.length), 0);
  const columns = Array.from({ length: width }, (_, i) => i).filter((i) => filled.some((row) => (row[i] ?? "") !== ""));
  const [header, ...body] = filled.map((row) => `| ${columns.map((i) => row[i] ?? "").join(" | ")} |`);
  if (header === undefined) return undefined;
  const head = `${header}\n|${" --- |".repeat(columns.length)}\n`;
  return { kind: "table", text: `${head}${body.join("\n")}`.trimEnd(), parts: body, head, ...(page === undefined ? {} : { page }) };
}

function cellText(cell: string): string {
  return cell.replaceAll(/\s+/g, " ").trim().replaceAll("|", "\\|");
}

/** Rows as columns, each as wide as its widest cell; the last column is not padded. */
export function formatTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? "").length)));
  return lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()).join("\n");
}

/** Narrower than this, a column says nothing any more. */
const narrowest = 10;

/** Like `formatTable` where that fits into `width` columns; else the widest cells go on in further lines, at a space where there is one. */
export function fitTable(head: readonly string[], rows: readonly (readonly string[])[], width: number): string {
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((line) => (line[column] ?? "").length)));
  const most = width - 2 * (head.length - 1);
  while (widths.reduce((sum, each) => sum + each, 0) > most) {
    const widest = widths.indexOf(Math.max(...widths));
    if ((widths[widest] ?? 0) <= narrowest) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  const folded = rows.flatMap((row) => {
    const cells = row.map((cell, column) => foldCell(cell, widths[column] ?? cell.length));
    return Array.from({ length: Math.max(...cells.map((lines) => lines.length)) }, (_, line) => cells.map((lines) => lines[line] ?? ""));
  });
  return formatTable(head, folded);
}

function foldCell(cell: string, width: number): readonly string[] {
  const lines: string[] = [];
  let rest = cell;
  while (rest.length > width) {
    const space = rest.lastIndexOf(" ", width);
    lines.push(rest.slice(0, space > 0 ? space : width));
    rest = rest.slice(space > 0 ? space + 1 : width);
  }
  return [...lines, rest];
}

/** Label and value under each other, the values aligned; lines without a value are left out. */
export function formatFields(fields: readonly (readonly [string, string | undefined])[]): string {
  const shown = fields.filter((field): field is readonly [string, string] => field[1] !== undefined && field[1] !== "");
  const width = Math.max(...shown.map(([label]) => label.length));
  return shown.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`).join("\n");
}

/** A value in one line: empty text, line breaks and control characters are shown, not printed. */
export function formatValue(value: string | number | boolean | null): string {
  if (value === null) return "not set";
  return typeof value === "string" && (value === "" || /[\p{Cc}\p{Cf}]/u.test(value)) ? JSON.stringify(value).replaceAll(/[\p{Cc}\p{Cf}]/gu, (mark) => `\\u{${mark.codePointAt(0)?.toString(16)}}`) : String(value);
}

import type { Cell, Line } from "./line.ts";

interface Column {
  left: number;
  right: number;
}

/**
 * Lines of several cells below each other, as rows of a table; undefined where the cells do not stand in columns, as
 * in text that is set with wide gaps.
 */
export function tableRows(lines: readonly Line[]): readonly (readonly string[])[] | undefined {
  const columns = columnsOf(lines.flatMap(({ cells }) => cells));
  const widest = Math.max(...lines.map(({ cells }) => cells.length));
  if (columns.length < widest || columns.length < 2) return undefined;
  return lines.map(({ cells }) => {
    const row = columns.map(() => "");
    for (const cell of cells) {
      const i = columns.findIndex(({ left, right }) => cell.left >= left && cell.right <= right);
      row[i] = [row[i], cell.text.trim()].filter(Boolean).join(" ");
    }
    return row;
  });
}

/** Cells that overlap from side to side stand in one column. */
function columnsOf(cells: readonly Cell[]): readonly Column[] {
  const columns: Column[] = [];
  for (const { left, right } of cells.toSorted((one, other) => one.left - other.left)) {
    const last = columns.at(-1);
    if (last !== undefined && left < last.right) last.right = Math.max(last.right, right);
    else columns.push({ left, right });
  }
  return columns;
}

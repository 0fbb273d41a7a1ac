/** A run of characters as the PDF draws it. */
export interface TextItem {
  readonly str: string;
  readonly dir: string;
  /** A matrix: the size is in its third and fourth number, the place in its last two. */
  readonly transform: readonly number[];
  readonly width: number;
}

/** What stands together on a line, apart from the next by more than a space. */
export interface Cell {
  text: string;
  left: number;
  right: number;
}

export interface Line {
  readonly cells: readonly Cell[];
  /** Height of its letters, in points. */
  readonly size: number;
  /** Height above the bottom of the page. */
  readonly y: number;
  readonly left: number;
  readonly right: number;
}

interface OpenLine {
  readonly cells: Cell[];
  size: number;
  readonly y: number;
}

/** A PDF has no spaces and no columns, only places; these are shares of the height of the letters. */
const spaceGap = 0.12;
const cellGap = 1.15;

/** The lines of a page in the order in which they are drawn, which is that of reading in nearly all files. */
export function linesOf(items: readonly TextItem[]): readonly Line[] {
  const lines: OpenLine[] = [];
  let last: TextItem | undefined;
  for (const item of items) {
    if (item.str.trim() === "" || isSameAgain(item, last)) continue;
    last = item;
    const [, , skew = 0, scale = 0, , y = 0] = item.transform;
    const size = Math.hypot(skew, scale);
    const current = lines.at(-1);
    if (current !== undefined && Math.abs(current.y - y) <= Math.max(current.size, size) * 0.5) addItem(current, item, size);
    else lines.push({ cells: [newCell(item)], size, y });
  }
  return lines.map(({ cells, size, y }) => ({ cells, size, y, left: Math.min(...cells.map(({ left }) => left)), right: Math.max(...cells.map(({ right }) => right)) }));
}

export function lineText({ cells }: Line): string {
  return cells.map(({ text }) => text).join(" ");
}

function addItem(line: OpenLine, item: TextItem, size: number): void {
  const [, , , , left = 0] = item.transform;
  const right = left + item.width;
  const cell = line.cells.at(-1);
  line.size = Math.max(line.size, size);
  if (cell === undefined) return;
  const gap = item.dir === "rtl" ? cell.left - right : left - cell.right;
  if (gap > line.size * cellGap || gap < -line.size * 3) {
    line.cells.push(newCell(item));
    return;
  }
  const needsSpace = gap > line.size * spaceGap && !/\s$/.test(cell.text) && !/^\s/.test(item.str);
  cell.text += (needsSpace ? " " : "") + item.str;
  cell.left = Math.min(cell.left, left);
  cell.right = Math.max(cell.right, right);
}

function newCell({ str, transform, width }: TextItem): Cell {
  const [, , , , left = 0] = transform;
  return { text: str, left, right: left + width };
}

/** Some programs make letters bold by drawing them twice, a hair apart. */
function isSameAgain(item: TextItem, last: TextItem | undefined): boolean {
  if (last === undefined || item.str !== last.str) return false;
  return Math.abs((item.transform[4] ?? 0) - (last.transform[4] ?? 0)) < 1 && Math.abs((item.transform[5] ?? 0) - (last.transform[5] ?? 0)) < 1;
}

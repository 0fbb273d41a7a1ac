import { proseBlock, type TextBlock } from "../schema.ts";
import { tableBlock } from "../table.ts";

type Row = readonly unknown[];

/**
 * The tables of a sheet, parted by empty rows. Single cells above a table are its caption. Rows that go on after an
 * empty one with numbers or dates belong to the same columns, and are given their head again.
 */
export function sheetBlocks(rows: readonly Row[]): readonly TextBlock[] {
  const blocks: TextBlock[] = [];
  let head: Row | undefined;
  for (const region of regionsOf(rows)) {
    const captions = region.findIndex((row) => filled(row) > 1);
    const notes = captions === -1 ? region : region.slice(0, captions);
    const isColumn = captions === -1 && notes.length > 1;
    const table = isColumn ? region : captions === -1 ? [] : region.slice(captions);
    if (!isColumn && notes.length > 0) blocks.push(proseBlock(notes.map((row) => row.map(cellText).filter((cell) => cell !== "").join(" ")).join("\n")));
    const [first] = table;
    if (first === undefined) continue;
    const goesOn = head !== undefined && notes.length === 0 && first.some((cell) => cell !== null && typeof cell !== "string") && lastFilled(first) <= lastFilled(head);
    const block = tableBlock((goesOn && head !== undefined ? [head, ...table] : table).map((row) => row.map(cellText)));
    if (block !== undefined) blocks.push(block);
    if (!goesOn) head = first;
  }
  return blocks;
}

function regionsOf(rows: readonly Row[]): readonly (readonly Row[])[] {
  const regions: Row[][] = [[]];
  for (const row of rows) {
    if (filled(row) > 0) regions.at(-1)?.push(row);
    else if (regions.at(-1)?.length !== 0) regions.push([]);
  }
  return regions.filter((region) => region.length > 0);
}

function filled(row: Row): number {
  return row.filter((cell) => cellText(cell) !== "").length;
}

function lastFilled(row: Row): number {
  return row.findLastIndex((cell) => cellText(cell) !== "");
}

/** Dates as people sort them. A sheet stores a time of day as a part of its first day. */
function cellText(cell: unknown): string {
  if (cell === null || cell === undefined) return "";
  if (typeof cell === "number") return Number.isInteger(cell) ? String(cell) : String(Number(cell.toPrecision(15)));
  if (!(cell instanceof Date)) return typeof cell === "string" || typeof cell === "boolean" ? String(cell) : "";
  if (Number.isNaN(cell.getTime())) return "";
  const [day = "", time = ""] = cell.toISOString().split("T");
  const clock = time.startsWith("00:00:00") ? "" : time.slice(0, time.slice(6, 8) === "00" ? 5 : 8);
  return cell.getUTCFullYear() < 1900 ? clock : [day, clock].filter((part) => part !== "").join(" ");
}

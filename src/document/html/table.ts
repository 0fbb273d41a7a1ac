import { type DomElement, isElement } from "./dom.ts";
import { inlineText } from "./inline.ts";

/** No table that people read spans more; the number comes from the file. */
const maxSpan = 100;

/** A table that only arranges a page: its cells are read as parts of the page, one after the other. */
export function isLayout(table: DomElement): boolean {
  if (/^(?:presentation|none)$/.test(table.getAttribute("role") ?? "") || table.querySelector("table, h1, h2, h3, pre") !== null) return true;
  return tableRows(table).every((row) => row.length < 2);
}

/** The cells of a table as text. A cell over several rows is repeated in each, as rows may be read apart; one over several columns is not. */
export function tableRows(table: DomElement): readonly (readonly string[])[] {
  const carried = new Map<number, { readonly text: string; left: number }>();
  const rows: (readonly string[])[] = [];
  for (const row of table.querySelectorAll("tr")) {
    const cells: string[] = [];
    const takeCarried = (): void => {
      for (let found = carried.get(cells.length); found !== undefined; found = carried.get(cells.length)) {
        if (--found.left === 0) carried.delete(cells.length);
        cells.push(found.text);
      }
    };
    for (const cell of Array.from(row.childNodes).filter(isElement)) {
      if (cell.localName !== "td" && cell.localName !== "th") continue;
      takeCarried();
      const text = inlineText(cell).replaceAll("\n", " ");
      const down = spanOf(cell, "rowspan");
      if (down > 1) carried.set(cells.length, { text, left: down - 1 });
      cells.push(text, ...Array.from({ length: spanOf(cell, "colspan") - 1 }, () => ""));
    }
    takeCarried();
    rows.push(cells);
  }
  return rows;
}

function spanOf(cell: DomElement, name: string): number {
  const span = Number(cell.getAttribute(name) ?? 1);
  return Number.isInteger(span) && span > 1 ? Math.min(span, maxSpan) : 1;
}

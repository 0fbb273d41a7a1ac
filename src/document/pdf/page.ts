import { type Line, lineText } from "./line.ts";

/** Running titles take no more, at the top and at the bottom. */
const edgeLines = 2;

/** The pages without what is printed at the top or bottom of most of them: running titles and page numbers. */
export function withoutRunningLines(pages: readonly (readonly Line[])[]): readonly (readonly Line[])[] {
  const numberless = pages.map(withoutPageNumber);
  return numberless.length < 3 ? numberless : withoutRepeats(numberless);
}

function withoutPageNumber(page: readonly Line[]): readonly Line[] {
  const lowest = page.toSorted((above, below) => above.y - below.y)[0];
  return page.length > 1 && lowest !== undefined && /^(?:\p{L}{1,6}\.? )?[-–]?\s*\d{1,4}\s*[-–]?(?: ?(?:of|\/|von|sur|de) ?\d{1,4})?$/u.test(lineText(lowest).trim()) ? page.filter((line) => line !== lowest) : page;
}

function withoutRepeats(pages: readonly (readonly Line[])[]): readonly (readonly Line[])[] {
  const counts = new Map<string, number>();
  for (const page of pages) for (const key of new Set(edgesOf(page).map(keyOf))) counts.set(key, (counts.get(key) ?? 0) + 1);
  const isRunning = (line: Line): boolean => (counts.get(keyOf(line)) ?? 0) > Math.max(2, pages.length * 0.5);
  return pages.map((page) => {
    const edges = new Set(edgesOf(page).filter(isRunning));
    return edges.size === 0 ? page : page.filter((line) => !edges.has(line));
  });
}

function edgesOf(page: readonly Line[]): readonly Line[] {
  const byHeight = page.toSorted((above, below) => below.y - above.y);
  return [...new Set([...byHeight.slice(0, edgeLines), ...byHeight.slice(-edgeLines)])];
}

/** Page numbers differ, their place does not. */
function keyOf(line: Line): string {
  return `${lineText(line).replaceAll(/\d+/g, "#").trim()}@${Math.round(line.y / 4)}`;
}

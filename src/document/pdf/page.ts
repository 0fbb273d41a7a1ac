import { type Line, lineText } from "./line.ts";

const edgeLines = 2;

/** The pages without what is printed at the top or bottom of most of them: running titles and page numbers. */
export function withoutRunningLines(pages: readonly (readonly Line[])[]): readonly (readonly Line[])[] {
  if (pages.length < 3) return pages;
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

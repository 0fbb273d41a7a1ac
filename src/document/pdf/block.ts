import { type Block, proseBlock } from "../schema.ts";
import { tableBlock } from "../table.ts";
import { type Line, lineText } from "./line.ts";
import { beginsParagraph, bullet, joinLines, type PageShape, shapeOf } from "./paragraph.ts";
import { tableRows } from "./table.ts";

const maxHeadingLength = 200;

/** What holds for the whole file. */
export interface Print {
  /** Sizes of letters that only headings have, the largest first. */
  readonly headingSizes: readonly number[];
  /** Every word that is not broken at the end of a line. */
  readonly words: ReadonlySet<string>;
}

export function printOf(pages: readonly (readonly Line[])[]): Print {
  const lengths = new Map<number, number>();
  const words = new Set<string>();
  for (const line of pages.flat()) {
    const text = lineText(line);
    lengths.set(sizeOf(line), (lengths.get(sizeOf(line)) ?? 0) + text.length);
    for (const word of text.replace(/\S+[-\u2010\u00ad]$/, "").toLowerCase().match(/[\p{L}\p{N}]+(?:-[\p{L}\p{N}]+)*/gu) ?? []) words.add(word);
  }
  const [[body, length] = [0, 0]] = [...lengths].sort(([, left], [, right]) => right - left);
  const total = [...lengths.values()].reduce((sum, each) => sum + each, 0);
  const larger = [...lengths].filter(([size]) => size >= body * 1.15);
  // Where much is set large, size tells nothing.
  const isTelling = larger.reduce((sum, [, each]) => sum + each, 0) < total * 0.3 && length > 0;
  return { headingSizes: isTelling ? larger.map(([size]) => size).sort((left, right) => right - left) : [], words };
}

/** The blocks of one page: headings by their size, tables by their columns, paragraphs by the gaps between lines. */
export function pageBlocks(lines: readonly Line[], page: number, print: Print): readonly Block[] {
  const shape = shapeOf(lines);
  const blocks: Block[] = [];
  for (let i = 0; i < lines.length;) {
    const rows = tableEnd(lines, i);
    const table = rows - i < 2 ? undefined : tableRows(lines.slice(i, rows));
    const block = table === undefined ? undefined : tableBlock(table, page);
    const end = block === undefined ? paragraphEnd(lines, i, shape, print) : rows;
    blocks.push(block ?? textBlock(lines.slice(i, end), page, shape, print));
    i = end;
  }
  return joinLists(blocks);
}

/** Sizes differ by rounding alone. */
function sizeOf({ size }: Line): number {
  return Math.round(size * 2) / 2;
}

function tableEnd(lines: readonly Line[], start: number): number {
  let end = start;
  while ((lines[end]?.cells.length ?? 0) > 1) end++;
  return end;
}

function paragraphEnd(lines: readonly Line[], start: number, shape: PageShape, print: Print): number {
  let end = start + 1;
  for (; end < lines.length; end++) {
    const line = lines[end];
    const above = lines[end - 1];
    if (line === undefined || above === undefined || beginsParagraph(line, above, shape)) break;
    if (isHeading(line, print) !== isHeading(above, print)) break;
    // A table that follows closely is no part of the sentence above it.
    if (line.cells.length > 1 && tableEnd(lines, end) - end > 1) break;
  }
  return end;
}

function isHeading(line: Line, { headingSizes }: Print): boolean {
  return headingSizes.includes(sizeOf(line));
}

function textBlock(lines: readonly Line[], page: number, shape: PageShape, print: Print): Block {
  const text = joinLines(lines, shape, print.words).replaceAll(/[ \t]+/g, " ");
  const [first] = lines;
  if (first !== undefined && isHeading(first, print) && text.length <= maxHeadingLength && /\p{L}/u.test(text)) {
    return { kind: "heading", depth: Math.min(6, print.headingSizes.indexOf(sizeOf(first)) + 1), text: text.replaceAll("\n", " "), page };
  }
  if (!bullet.test(text)) return { ...proseBlock(text), page };
  const item = text.replace(bullet, "- ").replaceAll("\n", " ");
  return { kind: "list", text: item, parts: [item], page };
}

/** Items that follow each other are one list. */
function joinLists(blocks: readonly Block[]): readonly Block[] {
  const joined: Block[] = [];
  for (const block of blocks) {
    const last = joined.at(-1);
    if (block.kind === "list" && last?.kind === "list") joined[joined.length - 1] = { ...last, text: `${last.text}\n${block.text}`, parts: [...last.parts, ...block.parts] };
    else joined.push(block);
  }
  return joined;
}

import { proseBlock, type TextBlock } from "../schema.ts";
import { tableBlock } from "../table.ts";
import { childrenOf, find, findAll, textOf, type XmlElement } from "../xml.ts";

/** Shapes that may hold text, those in groups too, in the order in which they lie on the slide. */
export function shapesOf(tree: XmlElement | undefined): readonly XmlElement[] {
  return childrenOf(tree).flatMap((child) => {
    if (child.name === "grpSp") return shapesOf(child);
    // What newer programs draw comes with a picture of it for older ones.
    if (child.name === "AlternateContent") return shapesOf(find(child, "Choice"));
    return child.name === "sp" || child.name === "graphicFrame" ? [child] : [];
  });
}

/** The words in the boxes of a diagram, in the order in which they were written. */
export function diagramBlocks(data: XmlElement): readonly TextBlock[] {
  const texts = findAll(data, "pt").map((point) => childrenOf(find(point, "t"), "p").map(paragraphText).join(" ").trim()).filter((text) => text !== "");
  return texts.length === 0 ? [] : [listOf(texts.map((text) => ({ level: 0, text })))];
}

/** What a shape is for, such as `title` or `body`; undefined for a free one. */
export function placeholderOf(shape: XmlElement): string | undefined {
  const placeholder = find(shape, "nvSpPr", "nvPr", "ph");
  return placeholder === undefined ? undefined : (placeholder.attributes["type"] ?? "body");
}

export function shapeText(shape: XmlElement): string {
  return childrenOf(find(shape, "txBody"), "p").map(paragraphText).join("\n");
}

/** Dates, numbers and footers stand on every slide and say nothing about it. */
const repeated = new Set(["dt", "sldNum", "ftr", "hdr", "sldImg"]);

export function shapeBlocks(shape: XmlElement): readonly TextBlock[] {
  if (repeated.has(placeholderOf(shape) ?? "")) return [];
  const table = find(shape, "graphic", "graphicData", "tbl");
  const block = table === undefined ? undefined : tableBlock(childrenOf(table, "tr").map((row) => childrenOf(row, "tc").map(shapeText)));
  if (block !== undefined) return [block];
  const lines = childrenOf(find(shape, "txBody"), "p").map((paragraph) => ({ level: levelOf(paragraph), text: paragraphText(paragraph).trim() })).filter(({ text }) => text !== "");
  const [only] = lines;
  if (only === undefined) return [];
  if (lines.length === 1) return [proseBlock(only.text)];
  return [listOf(lines)];
}

interface Line {
  readonly level: number;
  readonly text: string;
}

/** Paragraphs of a slide are its points. One part for each point of the first level, with those below it. */
function listOf(lines: readonly Line[]): TextBlock {
  const top = Math.min(...lines.map(({ level }) => level));
  const parts: string[] = [];
  for (const { level, text } of lines) {
    const item = `${"  ".repeat(level - top)}- ${text.replaceAll("\n", " ")}`;
    if (level === top || parts.length === 0) parts.push(item);
    else parts[parts.length - 1] += `\n${item}`;
  }
  return { kind: "list", text: parts.join("\n"), parts };
}

function levelOf(paragraph: XmlElement): number {
  const level = Number(find(paragraph, "pPr")?.attributes["lvl"] ?? 0);
  return Number.isInteger(level) && level > 0 && level < 9 ? level : 0;
}

function paragraphText(paragraph: XmlElement): string {
  return childrenOf(paragraph).map((run) => (run.name === "br" ? "\n" : run.name === "r" || run.name === "fld" ? textOf(find(run, "t")) : "")).join("");
}

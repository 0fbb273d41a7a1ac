/**
 * Most of a document is paragraphs, headings and fenced code that stand alone. These are told by their lines, a hundred
 * times faster than the markdown parser would; `other` is everything between them, and is left to the parser.
 */
export type Segment =
  | { readonly kind: "heading"; readonly depth: number; readonly text: string }
  | { readonly kind: "code"; readonly text: string; readonly value: string }
  | { readonly kind: "prose"; readonly text: string }
  | { readonly kind: "other"; readonly text: string };

/** A letter, or what may begin a line of prose and of nothing else. */
const plainLine = /^(?:[A-Za-z"'(\u00c0-\u1fff\u2c00-\ufeef]|\*\*[^\s*]|`[^`]|\d+[^\d.)\s]|!?\[[^\]]*\]\()/;
const heading = /^(#{1,6})(?:[ \t]+(.*))?$/;
const fence = /^(?:(`{3,})[^`]*|(~{3,}).*)$/;
const indentedFence = /^(?:[ \t>]|[-*+](?=\s)|\d{1,9}[.)](?=\s))+(?:```|~~~)/;
/** HTML that runs on over empty lines: no line below it can be told by itself. */
const openHtml = /^(?:[ \t>]|[-*+](?=\s)|\d{1,9}[.)](?=\s))*<(?:script|pre|style|textarea|!|\?)/im;

/** undefined for a document whose lines do not tell where its blocks end; the parser then reads the whole of it. */
export function segmentsOf(source: string): readonly Segment[] | undefined {
  if (openHtml.test(source)) return undefined;
  const lines = source.split("\n");
  const segments: Segment[] = [];
  const others: string[] = [];
  const closeOthers = (): boolean => {
    const text = others.join("\n");
    // A fence that stays open here might hold what follows.
    const isBalanced = others.filter((line) => indentedFence.test(line)).length % 2 === 0;
    if (text.trim() !== "") segments.push({ kind: "other", text });
    others.length = 0;
    return isBalanced;
  };

  let i = frontMatterEnd(lines);
  others.push(...lines.slice(0, i));
  while (i < lines.length) {
    const line = lines[i] ?? "";
    const [, marks, title = ""] = heading.exec(line) ?? [];
    const isFence = fence.test(line);
    if (marks !== undefined || isFence) {
      if (!closeOthers()) return undefined;
      if (marks !== undefined) segments.push({ kind: "heading", depth: marks.length, text: withoutClosingMarks(title) });
      const end = isFence ? fenceEnd(lines, i) : i;
      if (end === undefined) return undefined;
      if (isFence) segments.push({ kind: "code", text: lines.slice(i, end + 1).join("\n").trimEnd(), value: lines.slice(i + 1, end).join("\n") });
      i = end + 1;
      continue;
    }
    const end = groupEnd(lines, i);
    const group = lines.slice(i, end);
    // What stands directly below HTML may be part of it.
    if (group.some((each) => /^\s*</.test(each)) && (lines[end] ?? "").trim() !== "") return undefined;
    if (group.every((each) => plainLine.test(each)) && group.length > 0) {
      if (!closeOthers()) return undefined;
      segments.push({ kind: "prose", text: group.join("\n") });
    } else {
      others.push(...group);
    }
    if (end < lines.length && (lines[end] ?? "").trim() === "") others.push("");
    i = end < lines.length && (lines[end] ?? "").trim() === "" ? end + 1 : end;
  }
  return closeOthers() ? segments : undefined;
}

/** `## Title ##`. A pattern would look for the marks from each space of the line on, and a long one would never end. */
function withoutClosingMarks(title: string): string {
  const text = title.trim();
  let end = text.length;
  while (text[end - 1] === "#") end--;
  return end === 0 || /[ \t]/.test(text[end - 1] ?? "") ? text.slice(0, end).trim() : text;
}

/** The line after a group: an empty one, a heading or a fence. */
function groupEnd(lines: readonly string[], start: number): number {
  let end = start;
  while (end < lines.length) {
    const line = lines[end] ?? "";
    if (line.trim() === "" || heading.test(line) || fence.test(line)) break;
    end++;
  }
  return end;
}

function fenceEnd(lines: readonly string[], start: number): number | undefined {
  const [, ticks, tildes] = fence.exec(lines[start] ?? "") ?? [];
  const opening = ticks ?? tildes ?? "";
  const closing = new RegExp(`^ {0,3}${opening.charAt(0)}{${opening.length},}[ \\t]*$`);
  for (let end = start + 1; end < lines.length; end++) if (closing.test(lines[end] ?? "")) return end;
  return undefined;
}

function frontMatterEnd(lines: readonly string[]): number {
  const [first = ""] = lines;
  const mark = first.trimEnd();
  if (mark !== "---" && mark !== "+++") return 0;
  return lines.findIndex((line, i) => i > 0 && line.trimEnd() === mark) + 1;
}

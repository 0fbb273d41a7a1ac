/**
 * Most of a document is paragraphs, headings, fenced code and plain lists that stand alone. These are told by their lines, a hundred
 * times faster than the markdown parser would; `other` is everything between them, and is left to the parser.
 */
export type Segment =
  | { readonly kind: "heading"; readonly depth: number; readonly text: string }
  | { readonly kind: "code"; readonly text: string; readonly value: string }
  | { readonly kind: "prose"; readonly text: string }
  | { readonly kind: "list"; readonly text: string; readonly items: readonly string[] }
  | { readonly kind: "other"; readonly text: string };

/** A letter, or what may begin a line of prose and of nothing else. */
const plainLine = /^(?:[A-Za-z"'(\u00c0-\u1fff\u2c00-\ufeef]|\*\*[^\s*]|`[^`]|\d+[^\d.)\s]|!?\[[^\]]*\]\()/;
/** An item and its mark; what follows the mark must be plain. */
const plainItem = /^([-*+]|\d{1,9}[.)]) {1,4}(?=\S)/;
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
    const isBalanced = areFencesClosed(others);
    if (text.trim() !== "") segments.push({ kind: "other", text });
    others.length = 0;
    return isBalanced;
  };

  const start = frontMatterEnd(lines);
  if (start === undefined) return undefined;
  let i = start;
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
    } else if (group.length > 0) {
      // After an empty line a list may go on, so only the parser can tell where this one ends.
      const last = others.every((each) => each.trim() === "") ? segments.at(-1) : undefined;
      if (last?.kind === "list") others.unshift(segments.pop()?.text ?? "");
      if (isPlainList(group) && others.every((each) => each.trim() === "")) {
        others.length = 0;
        segments.push({ kind: "list", text: group.join("\n"), items: group });
      } else {
        others.push(...group);
      }
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

/** A fence that stays open might hold what follows. A list's mark inside one is text of it, and then nothing is sure. */
function areFencesClosed(lines: readonly string[]): boolean {
  let isOpen = false;
  for (const line of lines) {
    if (!indentedFence.test(line)) continue;
    if (isOpen && !/^[ \t>]*(?:```|~~~)/.test(line)) return false;
    isOpen = !isOpen;
  }
  return !isOpen;
}

/** Of one level and one mark, each item a line of prose. */
function isPlainList(group: readonly string[]): boolean {
  const marks = group.map((line) => {
    const [all, mark] = plainItem.exec(line) ?? [];
    return all !== undefined && plainLine.test(line.slice(all.length)) ? mark?.at(-1) : undefined;
  });
  return marks.every((mark) => mark !== undefined && mark === marks[0]);
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

/** undefined where it has no end: the parser takes the lines below such a mark differently. */
function frontMatterEnd(lines: readonly string[]): number | undefined {
  const [first = ""] = lines;
  const mark = first.trimEnd();
  if (mark !== "---" && mark !== "+++") return 0;
  const end = lines.findIndex((line, i) => i > 0 && line.trimEnd() === mark);
  return end < 0 ? undefined : end + 1;
}

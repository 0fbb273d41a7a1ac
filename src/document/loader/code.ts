import { fencedBlock } from "../fence.ts";
import type { Block, LoadedDocument, Unreadable } from "../schema.ts";

/** A declaration of more lines is cut inside too, below a heading with its first line. */
const wholeLines = 60;
/** Shorter ones are kept with their neighbours: imports, constants. */
const fewLines = 4;

/** A file of source code below its path: one block for each declaration with the comments above it. */
export function loadCode(text: string, path: string): LoadedDocument | Unreadable {
  if (isPacked(text, path)) return { reason: "is code packed for machines, not for reading" };
  const language = languages[/\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? ""] ?? /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
  const title: Block = { kind: "heading", depth: 1, text: path };
  const blocks: Block[] = [];
  for (const lines of joinShort(partsAt(text.split("\n"), 0))) {
    const inner = lines.length > wholeLines ? joinShort(partsAt(lines, innerIndent(lines))) : [];
    // Back to the level of the file: what follows is no part of the declaration before it.
    if (blocks.at(-1)?.kind !== "heading") blocks.push(title);
    if (inner.length < 2) {
      blocks.push(block(lines, language));
      continue;
    }
    blocks.push({ kind: "heading", depth: 2, text: signatureOf(lines) }, ...inner.map((part) => block(part, language)));
  }
  return { blocks: withoutRepeats(blocks), metadata: {} };
}

/** A bundle has few lines, whatever it is called. */
function isPacked(text: string, path: string): boolean {
  return /\.(?:[cm]?[jt]sx?|css)$/i.test(path) && text.length > 20_000 && text.length / text.split("\n").length > 500;
}

/** Text that is code of some kind but has no declarations to cut at. */
export function linesBlock(text: string, language: string): readonly Block[] {
  return text.trim() === "" ? [] : [fencedBlock(text.replace(/^\n+/, "").trimEnd(), language)];
}

const languages: Readonly<Record<string, string>> = { py: "python", rs: "rust", kt: "kotlin", kts: "kotlin", cs: "csharp", rb: "ruby", sh: "bash", yml: "yaml", h: "c", hpp: "cpp", cc: "cpp", cxx: "cpp", mjs: "js", cjs: "js", mts: "ts", cts: "ts", pl: "perl", ps1: "powershell", ex: "elixir", exs: "elixir", hs: "haskell", ml: "ocaml", tf: "hcl" };

/** Cut before each line at an indent that follows an empty one and goes on with nothing that was begun above. */
function partsAt(lines: readonly string[], indent: number): readonly (readonly string[])[] {
  const parts: string[][] = [[]];
  let isAfterGap = true;
  for (const line of lines) {
    if (line.trim() === "") {
      isAfterGap = true;
      parts.at(-1)?.push(line);
      continue;
    }
    const begins = isAfterGap && indentOf(line) <= indent && !/^\s*(?:[)\]}]|end\b|else\b|elif\b|except\b|catch\b|finally\b|rescue\b)/.test(line);
    if (begins && parts.at(-1)?.some((each) => each.trim() !== "") === true) parts.push([]);
    parts.at(-1)?.push(line);
    isAfterGap = false;
  }
  return parts.map(trimLines).filter((part) => part.length > 0);
}

function joinShort(parts: readonly (readonly string[])[]): readonly (readonly string[])[] {
  const joined: (readonly string[])[] = [];
  for (const part of parts) {
    const last = joined.at(-1);
    // A comment that stands alone belongs to what follows it.
    if (last !== undefined && (last.every(isComment) || (last.length <= fewLines && part.length <= fewLines))) joined[joined.length - 1] = [...last, "", ...part];
    else joined.push(part);
  }
  return joined;
}

function isComment(line: string): boolean {
  return /^\s*(?:\/\/|\/?\*|#(?!\[|!|include|define|if|endif|pragma)|--|;|<!--|$)/.test(line);
}

/** The smallest indent below the first line: that of members. */
function innerIndent(lines: readonly string[]): number {
  const indents = lines.map((line) => (line.trim() === "" ? 0 : indentOf(line))).filter((indent) => indent > 0);
  return indents.reduce((least, indent) => Math.min(least, indent), Number.MAX_SAFE_INTEGER);
}

function indentOf(line: string): number {
  return /^[ \t]*/.exec(line)?.[0].length ?? 0;
}

function signatureOf(lines: readonly string[]): string {
  const line = lines.find((each) => !isComment(each) && !/^\s*[@[]/.test(each)) ?? lines[0] ?? "";
  return line.trim().replace(/\s*[{:(]$/, "");
}

function trimLines(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== "");
  return first === -1 ? [] : lines.slice(first, lines.findLastIndex((line) => line.trim() !== "") + 1);
}

function block(lines: readonly string[], language: string): Block {
  return fencedBlock(lines.join("\n"), language);
}

/** The title again only after a declaration that was cut inside. */
function withoutRepeats(blocks: readonly Block[]): readonly Block[] {
  let depth = 0;
  return blocks.filter((each) => {
    if (each.kind !== "heading") return true;
    const isRepeat = each.depth === 1 && depth === 1;
    depth = each.depth;
    return !isRepeat;
  });
}

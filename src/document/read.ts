import { type Block, type LoadedDocument, proseBlock, type Unreadable } from "./schema.ts";
import { markdownBlocks } from "./markdown.ts";

export const maxDocumentBytes = 20 * 1024 * 1024;

const loaders: Readonly<Record<string, "markdown" | "mdx" | "text">> = {
  ".md": "markdown",
  ".markdown": "markdown",
  ".mdx": "mdx",
  ".txt": "text",
  ".text": "text",
};
export type LoaderName = (typeof loaders)[string];

export const knownEndings: readonly string[] = Object.keys(loaders);

/** The ending that decides about a file, lower-cased; empty for a name without one. */
export function endingOf(path: string): string {
  return /[^/](\.[^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? "";
}

/** By ending; a README without one is text. */
export function loaderFor(path: string): LoaderName | undefined {
  const ending = endingOf(path);
  if (ending === "" && /(^|\/)readme$/i.test(path)) return "text";
  return Object.hasOwn(loaders, ending) ? loaders[ending] : undefined;
}

/** The text of a file, or why it cannot be read as text. */
export function decodeText(bytes: Uint8Array): { readonly text: string } | { readonly reason: string } {
  if (bytes.includes(0)) return { reason: "holds NUL bytes, so it is not UTF-8 text" };
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return { reason: "is not UTF-8" };
  }
  if (text.trim() === "") return { reason: "is empty" };
  return { text };
}

/**
 * A hundred quotes or lists inside each other. No person writes that, and the parser's time grows with the square of
 * the depth, so a small hostile file would hold up the run for minutes.
 */
const nestedBeyondReason = /^(?:[ \t]{0,8}(?:>|(?:[-+*]|\d{1,9}[.)])[ \t])){100}|^[ \t]{200,}(?:>|(?:[-+*]|\d{1,9}[.)])[ \t])/m;

/** The same blocks for CRLF and LF. Embedded images are cut to their type: nobody searches for base64. */
export function loadBlocks(text: string, loader: LoaderName): readonly Block[] {
  const source = text.replaceAll(/\r\n?/g, "\n").replaceAll(/(data:[\w.+/-]+;base64,)[A-Za-z0-9+/=]+/g, "$1");
  return loader === "text" || nestedBeyondReason.test(source) ? textBlocks(source) : markdownBlocks(source, loader);
}

function textBlocks(source: string): readonly Block[] {
  return source.split(/\n[ \t]*\n/).filter((paragraph) => paragraph.trim() !== "").map((paragraph) => proseBlock(paragraph.replace(/^\n+/, "").trimEnd()));
}

/**
 * What is in a file: its text as blocks, and what it says about itself. The same bytes give the same document on every
 * machine. Never fails because of what is in the file: that is a reason, and the caller goes on with the next one.
 */
export async function loadDocument(bytes: Uint8Array, { loader }: { readonly path: string; readonly loader: LoaderName }): Promise<LoadedDocument | Unreadable> {
  const decoded = decodeText(bytes);
  return "reason" in decoded ? decoded : { blocks: loadBlocks(decoded.text, loader), metadata: {} };
}

/** Name and version of what the loader makes, as the ledger keeps it: another version means that the file is loaded again. */
export function loaderIdentity(loader: LoaderName): string {
  return `${loader}@1`;
}

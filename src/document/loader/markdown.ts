import { type Dialect, markdownBlocks } from "../markdown.ts";
import type { LoadedDocument } from "../schema.ts";
import { withTitle } from "../title.ts";
import { textBlocks } from "./text.ts";

/**
 * A hundred quotes or lists inside each other. No person writes that, and the parser's time grows with the square of
 * the depth, so a small hostile file would hold up the run for minutes.
 */
const nestedBeyondReason = /^(?:[ \t]{0,8}(?:>|(?:[-+*]|\d{1,9}[.)])[ \t])){100}|^[ \t]{200,}(?:>|(?:[-+*]|\d{1,9}[.)])[ \t])/m;

export async function loadMarkdown(text: string): Promise<LoadedDocument> {
  return load(text, "markdown");
}

export async function loadMdx(text: string): Promise<LoadedDocument> {
  return load(text, "mdx");
}

async function load(text: string, dialect: Dialect): Promise<LoadedDocument> {
  // Embedded images are cut to their type: nobody searches for base64.
  const source = text.replaceAll(/(data:[\w.+/-]+;base64,)[A-Za-z0-9+/=]+/g, "$1");
  if (nestedBeyondReason.test(source)) return { blocks: textBlocks(source), metadata: {} };
  const metadata = /^(?:---|\+\+\+)/.test(source) ? (await import("../front-matter.ts")).readFrontMatter(source) : {};
  return { blocks: withTitle(markdownBlocks(source, dialect), metadata["title"]), metadata };
}

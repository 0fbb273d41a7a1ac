import type { Nodes, RootContent } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { frontmatterFromMarkdown } from "mdast-util-frontmatter";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { toString } from "mdast-util-to-string";
import { frontmatter } from "micromark-extension-frontmatter";
import { gfmTable } from "micromark-extension-gfm-table";
import { textBlocks } from "./loader/text.ts";
import { type Block, proseBlock } from "./schema.ts";
import { withoutMarkup } from "./markup.ts";
import { isNestedBeyondReason } from "./nesting.ts";
import { type Segment, segmentsOf } from "./segment.ts";

/**
 * Chunks keep the source text of a block, so emphasis, links and the like need not be found. That alone takes most
 * of a parser's time.
 */
const withoutInline = ["attention", "autolink", "characterEscape", "characterReference", "codeText", "hardBreakEscape", "htmlText", "labelStartLink", "labelStartImage", "labelEnd"];
const blocksOnly = { disable: { null: withoutInline } };
/** In MDX indentation is layout of components, never code. */
const mdxBlocksOnly = { disable: { null: [...withoutInline, "codeIndented"] } };

export type Dialect = "markdown" | "mdx";

/** The blocks of a markdown or MDX file, without its front matter. */
export function markdownBlocks(source: string, dialect: Dialect): readonly Block[] {
  const segments = segmentsOf(source);
  if (segments !== undefined) return segmentBlocks(segments, dialect);
  return isNestedBeyondReason(source) ? textBlocks(source) : wholeBlocks(source, dialect);
}

/** All by the parser; slower, and what the faster way is tested against. */
export function wholeBlocks(source: string, dialect: Dialect): readonly Block[] {
  return parse(source, dialect).flatMap((node) => blocksOf(node, source, dialect));
}

/** A heading ends whatever stands above it, so the segments for the parser can be parsed in one go, as one text. */
const boundary = "# \u{F0000}";

function segmentBlocks(segments: readonly Segment[], dialect: Dialect): readonly Block[] {
  const others = segments.filter(({ kind }) => kind === "other").map(({ text }) => text);
  const queue = batchesOf(others).flatMap((batch, i) => parseBatch(batch, { dialect, isStart: i === 0 && segments[0]?.kind === "other" })).values();
  return segments.flatMap((segment) => (segment.kind === "other" ? (queue.next().value ?? []) : knownBlocks(segment, dialect)));
}

/** Enough to be worth a start of the parser, whose time grows faster than the text. */
const batchLength = 8192;

function batchesOf(texts: readonly string[]): readonly (readonly string[])[] {
  const batches: string[][] = [];
  let length = batchLength;
  for (const text of texts) {
    if (length >= batchLength) {
      batches.push([]);
      length = 0;
    }
    batches.at(-1)?.push(text);
    // A text of one line costs as much as its boundary.
    length += text.length + 40;
  }
  return batches;
}

/** The blocks of each of the texts. Front matter counts only at the very start, and must not come there from further down. */
function parseBatch(texts: readonly string[], { dialect, isStart }: { readonly dialect: Dialect; readonly isStart: boolean }): readonly (readonly Block[])[] {
  const text = [...(isStart ? [] : [""]), ...texts].join(`\n\n${boundary}\n\n`);
  if (isNestedBeyondReason(text)) return texts.map(textBlocks);
  const parsed: Block[][] = isStart ? [[]] : [];
  for (const node of parse(text, dialect)) {
    if (node.type === "heading" && sourceOf(node, text) === boundary) parsed.push([]);
    else parsed.at(-1)?.push(...blocksOf(node, text, dialect));
  }
  return parsed;
}

function knownBlocks(segment: Exclude<Segment, { readonly kind: "other" }>, dialect: Dialect): readonly Block[] {
  if (segment.kind === "heading") return [{ kind: "heading", depth: segment.depth, text: headingText(segment.text) }];
  if (segment.kind === "list") return [{ kind: "list", text: segment.text.trimEnd(), parts: segment.items.map((item) => item.trimEnd()) }];
  return segment.kind === "code" ? [codeBlock(segment.text, segment.value)] : paragraphBlocks(segment.text, dialect);
}

function parse(source: string, dialect: Dialect): readonly RootContent[] {
  return fromMarkdown(source, {
    extensions: [dialect === "mdx" ? mdxBlocksOnly : blocksOnly, gfmTable(), frontmatter(["yaml", "toml"])],
    mdastExtensions: [gfmTableFromMarkdown(), frontmatterFromMarkdown(["yaml", "toml"])],
  }).children;
}

/** TOML front matter is no node of standard markdown, so only its name is known here. */
const unread: ReadonlySet<string> = new Set(["yaml", "toml", "thematicBreak", "definition"]);

function blocksOf(node: Nodes, source: string, dialect: Dialect): readonly Block[] {
  if (unread.has(node.type)) return [];
  const text = sourceOf(node, source);
  if (node.type === "heading") return [{ kind: "heading", depth: node.depth, text: headingText(toString(node)) }];
  if (node.type === "code") return [codeBlock(text, node.value)];
  if (node.type === "list") return [{ kind: "list", text, parts: node.children.map((item) => sourceOf(item, source)) }];
  if (node.type === "table") {
    const [header = "", rule = "", ...rows] = text.split("\n");
    return [{ kind: "table", text, parts: rows, head: `${header}\n${rule}\n` }];
  }
  if (node.type === "html") return proseBlocks(withoutMarkup(text));
  return node.type === "paragraph" ? paragraphBlocks(text, dialect) : proseBlocks(plainText(text));
}

function paragraphBlocks(text: string, dialect: Dialect): readonly Block[] {
  return dialect === "mdx" && /^(import|export)\s/.test(text) ? [] : proseBlocks(plainText(text));
}

/** Between backticks a tag is what the text is about. */
function plainText(text: string): string {
  return text.includes("`") ? text : withoutMarkup(text);
}

function proseBlocks(text: string): readonly Block[] {
  return text.trim() === "" ? [] : [proseBlock(text.trim())];
}

/** Every piece of a long listing is fenced again, so that it still reads as code. */
function codeBlock(text: string, value: string): Block {
  const fence = /^(`{3,}|~{3,}).*\n/.exec(text);
  const edges = fence === null ? {} : { head: fence[0], tail: `\n${fence[1]}` };
  return { kind: "code", text, parts: value.split("\n"), ...edges };
}

function sourceOf({ position }: Nodes, source: string): string {
  return source.slice(position?.start.offset ?? 0, position?.end.offset ?? 0).trimEnd();
}

/** A heading as plain words: it is shown and searched, not rendered. */
function headingText(text: string): string {
  const words = /[`*_[\]<>&\\]/.test(text) ? toString(fromMarkdown(withoutMarkup(text))) : text;
  return withoutAnchor(words.replaceAll(/\s+/g, " ").trim());
}

/** `Title {#anchor}`. */
function withoutAnchor(text: string): string {
  if (!text.endsWith("}")) return text;
  const start = text.indexOf("{#", text.lastIndexOf("}", text.length - 2) + 1);
  return start < 0 ? text : text.slice(0, start).trim();
}

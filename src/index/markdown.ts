import type { Nodes } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { frontmatterFromMarkdown } from "mdast-util-frontmatter";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { toString } from "mdast-util-to-string";
import { frontmatter } from "micromark-extension-frontmatter";
import { gfmTable } from "micromark-extension-gfm-table";
import { parse as parseYaml } from "yaml";
import { type Block, proseBlock } from "./block.ts";
import { withoutMarkup } from "./markup.ts";

/**
 * Chunks keep the source text of a block, so emphasis, links and the like need not be found. That alone takes most
 * of a parser's time.
 */
const withoutInline = ["attention", "autolink", "characterEscape", "characterReference", "codeText", "hardBreakEscape", "htmlText", "labelStartLink", "labelStartImage", "labelEnd"];
const blocksOnly = { disable: { null: withoutInline } };
/** In MDX indentation is layout of components, never code. */
const mdxBlocksOnly = { disable: { null: [...withoutInline, "codeIndented"] } };

/** The blocks of a markdown or MDX file. Without a first-level heading, the title of the front matter becomes one. */
export function markdownBlocks(source: string, dialect: "markdown" | "mdx"): readonly Block[] {
  const root = fromMarkdown(source, {
    extensions: [dialect === "mdx" ? mdxBlocksOnly : blocksOnly, gfmTable(), frontmatter(["yaml", "toml"])],
    mdastExtensions: [gfmTableFromMarkdown(), frontmatterFromMarkdown(["yaml", "toml"])],
  });
  const blocks = root.children.flatMap((node) => blocksOf(node, source, dialect));
  const hasTitle = blocks.some((block) => block.kind === "heading" && block.depth === 1);
  const [first] = root.children;
  const title = hasTitle || first?.type !== "yaml" ? undefined : titleOf(first.value);
  return title === undefined ? blocks : [{ kind: "heading", depth: 1, text: title }, ...blocks];
}

/** TOML front matter is no node of standard markdown, so only its name is known here. */
const unread: ReadonlySet<string> = new Set(["yaml", "toml", "thematicBreak", "definition"]);

function blocksOf(node: Nodes, source: string, dialect: "markdown" | "mdx"): readonly Block[] {
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
  if (node.type === "paragraph" && dialect === "mdx" && /^(import|export)\s/.test(text)) return [];
  // Between backticks a tag is what the text is about.
  return proseBlocks(text.includes("`") ? text : withoutMarkup(text));
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
  return source.slice(position?.start.offset ?? 0, position?.end.offset ?? 0);
}

/** A heading as plain words: it is shown and searched, not rendered. */
function headingText(text: string): string {
  const words = /[`*_[\]<>&\\]/.test(text) ? toString(fromMarkdown(withoutMarkup(text))) : text;
  return words.replace(/\s*\{#[^}]*\}\s*$/, "").replaceAll(/\s+/g, " ").trim();
}

function titleOf(yaml: string): string | undefined {
  if (!/^title\s*:/m.test(yaml)) return undefined;
  try {
    const title: unknown = (parseYaml(yaml) as { title?: unknown } | null)?.title;
    return typeof title === "string" && title.trim() !== "" ? title.trim() : typeof title === "number" ? String(title) : undefined;
  } catch {
    // Broken front matter is left out like any other: the text below it is still worth reading.
    return undefined;
  }
}

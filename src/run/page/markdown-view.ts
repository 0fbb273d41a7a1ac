import type { RootContent, TableRow } from "mdast";
import { fromMarkdown } from "mdast-util-from-markdown";
import { gfmTableFromMarkdown } from "mdast-util-gfm-table";
import { gfmTable } from "micromark-extension-gfm-table";
import { element } from "./element.ts";
import { splitMarks } from "./marks.ts";

interface Sources {
  readonly isSource: (number: number) => boolean;
  /** The button that leads to a source. */
  readonly mark: (number: number) => HTMLElement;
}

/** Draws markdown as it grows: blocks that have not changed stay as they are, with the focus and selection inside them. */
export function markdownView(into: HTMLElement, sources: Sources): (text: string, how?: "anew") => void {
  let drawn: readonly { readonly source: string; readonly node: Node }[] = [];
  return (text, how) => {
    const blocks = fromMarkdown(text, options).children.map((block) => ({ block, source: sourceOf(block, text) }));
    const same = how === "anew" ? 0 : blocks.findIndex(({ source }, i) => source !== drawn[i]?.source);
    const kept = drawn.slice(0, same === -1 ? blocks.length : same);
    for (const { node } of drawn.slice(kept.length)) into.removeChild(node);
    const added = blocks.slice(kept.length).map(({ block, source }) => ({ source, node: draw(block, { ...sources, text }) }));
    into.append(...added.map(({ node }) => node));
    drawn = [...kept, ...added];
  };
}

/** HTML is nothing but text, and so is the definition of a link: `[1]: ...` would turn the citation [1] into a link. */
const options = { extensions: [gfmTable(), { disable: { null: ["htmlFlow", "htmlText", "definition"] } }], mdastExtensions: [gfmTableFromMarkdown()] };

interface Drawing extends Sources {
  /** All of it. */
  readonly text: string;
}

/** What a model writes is drawn node by node, and whatever is not drawn here stays the text that it is. */
function draw(node: RootContent, drawing: Drawing): Node {
  const children = (): readonly Node[] => ("children" in node ? node.children.map((child: RootContent) => draw(child, drawing)) : []);
  switch (node.type) {
    case "text":
      return textWithMarks(node.value, drawing);
    case "paragraph":
      return element("p", {}, ...children());
    case "heading":
      // The page has headings of its own; an answer's must not stand between them.
      return element("p", { class: "heading" }, ...children());
    case "strong":
      return element("strong", {}, ...children());
    case "emphasis":
      return element("em", {}, ...children());
    case "inlineCode":
      return element("code", {}, node.value);
    case "code":
      return element("pre", { tabindex: "0" }, element("code", {}, node.value));
    case "list":
      return node.ordered === true ? element("ol", { start: String(node.start ?? 1) }, ...children()) : element("ul", {}, ...children());
    case "listItem":
      return element("li", {}, ...children());
    case "blockquote":
      return element("blockquote", {}, ...children());
    case "link":
      return link(node.url, children());
    case "break":
      return element("br");
    case "thematicBreak":
      return element("hr");
    case "table":
      return element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Table" }, element("table", {}, ...node.children.map((row, i) => tableRow(row, i === 0 ? "th" : "td", drawing))));
    case "definition":
    case "delete":
    case "footnoteDefinition":
    case "footnoteReference":
    case "html":
    case "image":
    case "imageReference":
    case "linkReference":
    case "tableRow":
    case "tableCell":
    case "yaml":
      return document.createTextNode(sourceOf(node, drawing.text));
  }
}

function sourceOf({ position }: RootContent, text: string): string {
  return text.slice(position?.start.offset, position?.end.offset);
}

function tableRow({ children }: TableRow, tag: "th" | "td", drawing: Drawing): Node {
  const cells = children.map((cell) => element(tag, tag === "th" ? { scope: "col" } : {}, ...cell.children.map((child) => draw(child, drawing))));
  return element("tr", {}, ...cells);
}

function textWithMarks(text: string, { isSource, mark }: Sources): Node {
  const pieces = document.createDocumentFragment();
  pieces.append(...splitMarks(text, isSource).map((piece) => (typeof piece === "string" ? piece : mark(piece))));
  return pieces;
}

function link(url: string, children: readonly Node[]): Node {
  if (!/^(?:https?:\/\/|mailto:)/i.test(url)) return element("span", {}, ...children, ` (${url})`);
  return element("a", { href: url, rel: "noopener noreferrer", target: "_blank" }, ...children);
}

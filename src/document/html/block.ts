import { fencedBlock } from "../fence.ts";
import { type Block, proseBlock } from "../schema.ts";
import { tableBlock } from "../table.ts";
import { type DomElement, type DomNode, isElement } from "./dom.ts";
import { inlineText, isUnread, rawInline, tidyInline } from "./inline.ts";
import { isLayout, tableRows } from "./table.ts";

const blockNames = new Set([
  "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "div", "dl", "dt", "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hgroup",
  "hr", "html", "li", "main", "ol", "p", "pre", "section", "summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "caption",
]);

/** The blocks below an element, in reading order. What holds a block is looked into; the rest is lines of text. */
export function blocksOfElement(root: DomElement): readonly Block[] {
  const blocks: Block[] = [];
  let line = "";
  const flush = (): void => {
    const text = tidyInline(line);
    if (text !== "") blocks.push(proseBlock(text));
    line = "";
  };
  const walk = (parent: DomNode): void => {
    for (const child of parent.childNodes) {
      if (!isElement(child)) {
        line += rawInline(child, false);
        continue;
      }
      if (isUnread(child)) continue;
      const isBlock = blockNames.has(child.localName);
      if (!isBlock && !holdsBlock(child)) {
        line += rawInline(child, false);
        continue;
      }
      if (isBlock) flush();
      const own = ownBlocks(child);
      if (own === undefined) walk(child);
      else blocks.push(...own);
      if (isBlock) flush();
    }
  };
  walk(root);
  flush();
  return blocks;
}

/** The blocks of an element that is one; undefined for one that only holds others. */
function ownBlocks(element: DomElement): readonly Block[] | undefined {
  const name = element.localName;
  if (/^h[1-6]$/.test(name)) {
    const text = inlineText(element, true).replaceAll(/\s+/g, " ");
    return text === "" ? [] : [{ kind: "heading", depth: Number(name.slice(1)), text }];
  }
  if (name === "pre") return codeBlocks(element);
  if (name === "ul" || name === "ol") return listBlocks(element);
  if (name === "dl") return definitionBlocks(element);
  if (name === "table") return isLayout(element) ? undefined : tableBlocks(element);
  if (name === "blockquote" && !holdsBlock(element, "pre, table, ul, ol, h1, h2, h3, h4, h5, h6")) return quoteBlocks(element);
  return undefined;
}

function holdsBlock(element: DomElement, selector = "p, div, h1, h2, h3, h4, h5, h6, ul, ol, dl, table, pre, blockquote, section, article"): boolean {
  return element.firstChild !== null && element.querySelector(selector) !== null;
}

function codeBlocks(pre: DomElement): readonly Block[] {
  for (const lineBreak of pre.querySelectorAll("br")) lineBreak.replaceWith("\n");
  const code = (pre.textContent ?? "").replaceAll(/\r\n?/g, "\n").replace(/^\n+/, "").trimEnd();
  const classes = `${pre.getAttribute("class") ?? ""} ${pre.querySelector("code")?.getAttribute("class") ?? ""} ${pre.getAttribute("data-language") ?? ""}`;
  const language = /\b(?:language|lang|highlight-source)-([\w+#-]+)/.exec(classes)?.[1] ?? "";
  return code === "" ? [] : [fencedBlock(code, language)];
}

function listBlocks(list: DomElement): readonly Block[] {
  const parts = itemsOf(list, "");
  return parts.length === 0 ? [] : [{ kind: "list", text: parts.join("\n"), parts }];
}

/** One string an item, with the lists inside it below its own words. */
function itemsOf(list: DomElement, indent: string): readonly string[] {
  const items = Array.from(list.childNodes).filter(isElement).filter((child) => !isUnread(child));
  const first = Number(list.getAttribute("start") ?? 1);
  return items.flatMap((item, i) => {
    if (item.localName === "ul" || item.localName === "ol") return itemsOf(item, `${indent}  `);
    const mark = list.localName === "ol" ? `${(Number.isInteger(first) ? first : 1) + i}.` : "-";
    const deeper = `${indent}${" ".repeat(mark.length + 1)}`;
    const nested = blocksOfElement(item).flatMap(({ kind, text }) => (kind === "list" ? text.split("\n").map((line) => `${deeper}${line}`) : [text.split("\n").join(`\n${deeper}`)]));
    const [own = "", ...rest] = nested;
    if (nested.length === 0) return [];
    const isListFirst = own.startsWith(deeper);
    return [`${indent}${mark} ${isListFirst ? own.trimStart() : own}${rest.map((line) => `\n${line.startsWith(deeper) ? line : `${deeper}${line}`}`).join("")}`];
  });
}

function definitionBlocks(list: DomElement): readonly Block[] {
  const parts: string[] = [];
  for (const entry of list.querySelectorAll("dt, dd")) {
    const text = inlineText(entry).replaceAll(/\s+/g, " ");
    if (text === "") continue;
    const last = parts.at(-1);
    if (entry.localName === "dd" && last?.endsWith(":")) parts[parts.length - 1] = `${last} ${text}`;
    else parts.push(entry.localName === "dt" ? `- ${text}:` : `- ${text}`);
  }
  return parts.length === 0 ? [] : [{ kind: "list", text: parts.join("\n"), parts }];
}

function tableBlocks(table: DomElement): readonly Block[] {
  const caption = table.querySelector("caption");
  const title = caption === null ? "" : inlineText(caption);
  const block = tableBlock(tableRows(table));
  return [...(title === "" ? [] : [proseBlock(title)]), ...(block === undefined ? [] : [block])];
}

function quoteBlocks(quote: DomElement): readonly Block[] {
  const text = blocksOfElement(quote).map((block) => block.text).join("\n\n");
  return text === "" ? [] : [proseBlock(text.split("\n").map((line) => `> ${line}`.trimEnd()).join("\n"))];
}

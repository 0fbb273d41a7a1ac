import { withinReason } from "./source.ts";

/** The part of the DOM that is read here; TypeScript's own description of it is not loaded for a command-line tool. */
export interface DomNode {
  readonly nodeType: number;
  readonly nodeName: string;
  readonly textContent: string | null;
  readonly firstChild: DomNode | null;
  readonly nextSibling: DomNode | null;
  readonly parentNode: DomNode | null;
  readonly childNodes: ArrayLike<DomNode> & Iterable<DomNode>;
}

export interface DomElement extends DomNode {
  readonly localName: string;
  getAttribute(name: string): string | null;
  hasAttribute(name: string): boolean;
  querySelector(selector: string): DomElement | null;
  querySelectorAll(selector: string): Iterable<DomElement>;
  remove(): void;
  append(...nodes: readonly DomNode[]): void;
  replaceWith(node: DomNode | string): void;
}

export interface DomDocument extends DomElement {
  readonly documentElement: DomElement;
  readonly body: DomElement;
  createElement(name: string): DomElement;
}

export function isElement(node: DomNode): node is DomElement {
  return node.nodeType === 1;
}

export function isText(node: DomNode): boolean {
  return node.nodeType === 3;
}

/** Parsed as a whole page, whatever of it is there. Scripts are never run and nothing is fetched. */
export async function parseHtml(source: string): Promise<DomDocument> {
  const html = withinReason(source);
  const { parseHTML } = await import("linkedom");
  const language = /<html\b[^>]*?\slang\s*=\s*["']?([\w-]+)/i.exec(html.slice(0, 10_000))?.[1];
  const whole = /<html[\s>]/i.test(html) && /<body[\s>]/i.test(html);
  // The parser adds no missing tags, and its reader then finds no body.
  const page = whole ? html : `<html${language === undefined ? "" : ` lang="${language}"`}><body>${html.replaceAll(/<!doctype[^<>]*>|<\/?(?:html|head|body)(?:\s[^<>]*)?>/gi, "")}</body></html>`;
  return parseHTML(page).document;
}

/** How deep nodes stand inside each other, and how many they are, counted without a call for each level. */
export function measure(root: DomNode): { readonly depth: number; readonly nodes: number } {
  let deepest = 0;
  let nodes = 1;
  let depth = 0;
  let node: DomNode | null = root;
  while (node !== null) {
    if (node.firstChild !== null) {
      node = node.firstChild;
      nodes++;
      deepest = Math.max(deepest, ++depth);
      continue;
    }
    while (node !== null && node !== root && node.nextSibling === null) {
      node = node.parentNode;
      depth--;
    }
    node = node === null || node === root ? null : node.nextSibling;
    nodes++;
  }
  return { depth: deepest, nodes };
}

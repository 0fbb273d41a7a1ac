import { type Block, proseBlock } from "../schema.ts";
import { blocksOfElement } from "./block.ts";
import { maxDepth } from "./content.ts";
import { type DomElement, type DomNode, measure } from "./dom.ts";

/** The blocks of a page or a part of one. Beyond a depth that no editor makes, only its words are taken. */
export function readElement(root: DomElement): readonly Block[] {
  return measure(root).depth <= maxDepth ? blocksOfElement(root) : wordsOf(root);
}

/** Without a call for each level, however many there are. */
function wordsOf(root: DomElement): readonly Block[] {
  const texts: string[] = [];
  let node: DomNode | null = root;
  while (node !== null) {
    if (node.nodeType === 3) texts.push((node.textContent ?? "").replaceAll(/\s+/g, " ").trim());
    const isSkipped = /^(?:script|style)$/i.test(node.nodeName);
    if (node.firstChild !== null && !isSkipped) {
      node = node.firstChild;
      continue;
    }
    while (node !== null && node !== root && node.nextSibling === null) node = node.parentNode;
    node = node === null || node === root ? null : node.nextSibling;
  }
  return texts.filter((text) => text !== "").map(proseBlock);
}

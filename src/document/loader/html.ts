import { findContent, maxDepth } from "../html/content.ts";
import { measure, parseHtml } from "../html/dom.ts";
import { pageMetadata } from "../html/metadata.ts";
import { readElement } from "../html/read.ts";
import { decodeHtml } from "../html/source.ts";
import type { Block, LoadedDocument, Unreadable } from "../schema.ts";
import { withTitle } from "../title.ts";

/** What a page is about, without what is around it on every page of its site. */
export async function loadHtml(bytes: Uint8Array): Promise<LoadedDocument | Unreadable> {
  const decoded = decodeHtml(bytes);
  if ("reason" in decoded) return decoded;
  const document = await parseHtml(decoded.text);
  const metadata = pageMetadata(document);
  if (measure(document.documentElement).depth > maxDepth) return { blocks: withTitle(readElement(document.documentElement), metadata["title"]), metadata };
  const { root, title } = await findContent(decoded.text, document);
  return { blocks: withTitle(withoutTitle(readElement(root), title), title), metadata };
}

/** Reader mode lowers the title of the page among its headings; it is put back at the top, once. */
function withoutTitle(blocks: readonly Block[], title: string): readonly Block[] {
  const first = blocks.find(({ kind }) => kind === "heading");
  return first?.kind === "heading" && first.depth > 1 && first.text === title ? blocks.filter((block) => block !== first) : blocks;
}

import { Readability } from "@mozilla/readability";
import { type DomElement, parseHtml } from "./dom.ts";

/** What a browser's reader mode makes of a page without the parts `around` its text; undefined where it finds no article. */
export async function readArticle(html: string, around: string): Promise<DomElement | undefined> {
  const document = await parseHtml(html);
  for (const element of document.querySelectorAll(around)) element.remove();
  // Reader mode drops them all, but inside an article they are its notes and warnings.
  for (const aside of document.querySelectorAll("aside")) {
    const block = document.createElement("div");
    block.append(...aside.childNodes);
    aside.replaceWith(block);
  }
  try {
    return new Readability<DomElement>(document, { keepClasses: true, serializer: (node) => node }).parse()?.content ?? undefined;
  } catch {
    // It expects a page as browsers see it; what remains is then read without it.
    return undefined;
  }
}

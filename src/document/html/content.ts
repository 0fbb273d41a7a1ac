import { type DomDocument, type DomElement, measure, parseHtml } from "./dom.ts";
import { isUnread } from "./inline.ts";

/** What is around the text on every page of a site. A header or footer inside an article belongs to it. */
const around = [
  "nav", "aside", "script", "style", "noscript", "template", "body > header", "body > footer", "body > div > header", "body > div > footer", "body > div > div > header", "body > div > div > footer",
  "[role=navigation]", "[role=banner]", "[role=contentinfo]", "[role=search]", "[role=complementary]",
].join(", ");

/** Past these the reader mode takes too long, and a page so large or so deep is no article. */
const maxNodes = 50_000;
export const maxDepth = 250;

/** The part of a page that it is about, with the title that goes with it. */
export interface Content {
  readonly root: DomElement;
  readonly title: string;
}

/**
 * What a browser's reader mode shows, where that keeps most of the text. On pages that are no article (tables, indexes,
 * reference) it throws too much away; of those everything is taken but what is around the text.
 */
export async function findContent(html: string, document: DomDocument): Promise<Content> {
  const { nodes } = measure(document.documentElement);
  const title = titleOf(document);
  const headings = Array.from(document.querySelectorAll("h1")).filter((heading) => !isUnread(heading));
  for (const element of document.querySelectorAll(around)) element.remove();
  const mains = Array.from(document.querySelectorAll("main, [role=main]"));
  const rest = mains.length === 1 && mains[0] !== undefined && lengthOf(mains[0]) > 0 ? mains[0] : document.body;
  const article = nodes > maxNodes ? undefined : await readArticle(html);
  const own = headings.length === 1 ? (headings[0]?.textContent ?? "").replaceAll(/\s+/g, " ").trim() : "";
  return { root: article !== undefined && keepsEnough(article, rest) ? article : rest, title: own === "" ? title : own };
}

/** `Page | Site` is the page's: the site's name is on all of them. */
function titleOf(document: DomDocument): string {
  const title = (document.querySelector("title")?.textContent ?? "").replaceAll(/\s+/g, " ").trim();
  const [page = ""] = title.split(/ [|·»] | [–—] (?=[^–—]*$)/);
  return page.length >= 4 ? page : title;
}

async function readArticle(html: string): Promise<DomElement | undefined> {
  const { Readability } = await import("@mozilla/readability");
  const document = await parseHtml(html);
  for (const element of document.querySelectorAll(around)) element.remove();
  try {
    const reader = new Readability<DomElement>(document as never, { keepClasses: true, serializer: (node) => node as unknown as DomElement });
    return reader.parse()?.content ?? undefined;
  } catch {
    return undefined;
  }
}

function keepsEnough(article: DomElement, rest: DomElement): boolean {
  return lengthOf(article) >= lengthOf(rest) * 0.6 && countOf(article, "pre, th") >= countOf(rest, "pre, th") * 0.9;
}

function lengthOf(element: DomElement): number {
  return (element.textContent ?? "").replaceAll(/\s+/g, "").length;
}

function countOf(element: DomElement, selector: string): number {
  return Array.from(element.querySelectorAll(selector)).length;
}

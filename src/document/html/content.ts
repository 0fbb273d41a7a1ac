import { type DomDocument, type DomElement, measure } from "./dom.ts";
import { inlineText, isUnread } from "./inline.ts";

/** What is around the text on every page of a site. A header or an aside inside an article belongs to it. */
const around = [
  "nav", "aside:not(main aside, article aside)", "script", "style", "noscript", "template", "body > header", "body > footer", "body > div > header", "body > div > footer", "body > div > div > header", "body > div > div > footer",
  "[role=navigation]", "[role=banner]", "[role=contentinfo]", "[role=search]", "[role=complementary]:not(main *, article *)",
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
  const mains = Array.from(document.querySelectorAll("main, [role=main]")).filter((main) => lengthOf(main) > 0);
  const rest = mains.length === 1 && mains[0] !== undefined ? mains[0] : document.body;
  // Before anything is taken out: the heading of a page often stands in its header.
  const title = headingOf(rest) ?? headingOf(document.body) ?? titleOf(document);
  for (const element of document.querySelectorAll(around)) element.remove();
  const article = nodes > maxNodes ? undefined : await (await import("./article.ts")).readArticle(html, around);
  return { root: article !== undefined && fits(article, rest) ? article : rest, title };
}

/** Its only first-level heading. */
function headingOf(element: DomElement): string | undefined {
  const [heading, ...others] = Array.from(element.querySelectorAll("h1")).filter((each) => !isUnread(each));
  const text = heading === undefined || others.length > 0 ? "" : inlineText(heading, true).replaceAll(/\s+/g, " ");
  return text === "" ? undefined : text;
}

/** `Page | Site` is the page's: the site's name is on all of them. */
function titleOf(document: DomDocument): string {
  const title = (document.querySelector("title")?.textContent ?? "").replaceAll(/\s+/g, " ").trim();
  const [page = ""] = title.split(/ [|·»] | [–—] (?=[^–—]*$)/);
  return page.length >= 4 ? page : title;
}

/** Neither must it lose much of the page's main part, nor bring in what lies outside of that. */
function fits(article: DomElement, rest: DomElement): boolean {
  const share = lengthOf(article) / Math.max(1, lengthOf(rest));
  return share >= 0.6 && share <= 1.01 && countOf(article, "pre, th") >= countOf(rest, "pre, th") * 0.9;
}

function lengthOf(element: DomElement): number {
  return (element.textContent ?? "").replaceAll(/\s+/g, "").length;
}

function countOf(element: DomElement, selector: string): number {
  return Array.from(element.querySelectorAll(selector)).length;
}

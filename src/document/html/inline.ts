import { type DomElement, type DomNode, isElement, isText } from "./dom.ts";

const unread = new Set(["script", "style", "template", "noscript", "svg", "canvas", "iframe", "object", "audio", "video", "nav", "button", "input", "select", "textarea", "dialog", "head", "title", "meta", "link"]);

/** What a reader of the page does not see, and what is there for the hand and not for the eye. */
export function isUnread(element: DomElement): boolean {
  return unread.has(element.localName) || element.hasAttribute("hidden") || element.getAttribute("aria-hidden") === "true" || /display\s*:\s*none/i.test(element.getAttribute("style") ?? "");
}

/** The words of a node on one line, line breaks apart; `plain` leaves out where links lead, as in headings. */
export function inlineText(node: DomNode, plain = false): string {
  return tidyInline(rawInline(node, plain));
}

export function tidyInline(text: string): string {
  return text.replaceAll(/[\u200b\u00ad]/g, "").replaceAll(/[ \t\f\u00a0]*\n[ \t\f\u00a0]*/g, "\n").replaceAll(/[ \t\f\u00a0]+/g, " ").trim();
}

export function rawInline(node: DomNode, plain: boolean): string {
  if (isText(node)) return (node.textContent ?? "").replaceAll(/\s+/g, " ");
  if (!isElement(node) || isUnread(node)) return "";
  const name = node.localName;
  if (name === "br") return plain ? " " : "\n";
  if (name === "img") return node.getAttribute("alt") ?? "";
  if (name === "math") return mathText(node);
  const inner = Array.from(node.childNodes, (child) => rawInline(child, plain)).join("");
  if (name === "a" && /^[#¶§🔗]$/u.test(inner.trim()) && (node.getAttribute("href") ?? "").includes("#")) return "";
  if (plain || inner.trim() === "") return spaced(name, inner);
  if ((name === "code" || name === "kbd" || name === "samp") && !inner.includes("`")) return `\`${inner.trim()}\``;
  if (name === "a") return linkText(node, inner);
  return name === "q" ? `"${inner}"` : spaced(name, inner);
}

const closed = new Set(["td", "th", "li", "p", "div", "dt", "dd"]);

/** Blocks that stand where only a line is wanted, as in a table's cell, still end a word. */
function spaced(name: string, inner: string): string {
  return closed.has(name) ? ` ${inner} ` : inner;
}

/** Only addresses that mean something away from the page. */
function linkText(link: DomElement, inner: string): string {
  const address = link.getAttribute("href") ?? "";
  const words = inner.trim();
  if (!/^(?:https?:\/\/|mailto:)\S+$/i.test(address) || address.length > 200 || address.replace(/^mailto:/i, "") === words || /[\n[\]]/.test(words)) return inner;
  return `${/^\s/.test(inner) ? " " : ""}[${words}](${address})${/\s$/.test(inner) ? " " : ""}`;
}

/** Formulas are kept as their author wrote them where the page says so. */
function mathText(math: DomElement): string {
  const source = math.querySelector("annotation")?.textContent;
  return source === null || source === undefined ? (math.textContent ?? "") : `$${source.trim()}$`;
}

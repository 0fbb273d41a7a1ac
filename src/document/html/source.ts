import { decodeText } from "../decode.ts";

const voidElements = new Set(["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]);

/** The source of a page in the encoding that it names. In XML every element may be empty, which in HTML would open it. */
export function decodeHtml(bytes: Uint8Array): ReturnType<typeof decodeText> {
  const start = Buffer.from(bytes.subarray(0, 4096)).toString("latin1");
  const declared = /<meta\b[^>]*?charset\s*=\s*["']?\s*([\w:.-]+)/i.exec(start)?.[1] ?? /^\s*<\?xml\b[^>]*?encoding\s*=\s*["']([\w:.-]+)/.exec(start)?.[1];
  const decoded = decodeText(bytes, declared);
  if ("reason" in decoded) return decoded;
  const text = decoded.text.replaceAll(/\r\n?/g, "\n");
  if (!/^\s*<\?xml\b|xmlns=["']http:\/\/www\.w3\.org\/1999\/xhtml/.test(text.slice(0, 2000))) return { text };
  return { text: text.replaceAll(/<([A-Za-z][\w:-]*)((?:\s[^<>]*)?)\/>/g, (whole, name: string, attributes: string) => (voidElements.has(name.toLowerCase()) ? whole : `<${name}${attributes}></${name}>`)) };
}

/** Elements whose end may be left out, so that counting says nothing about them. */
const openEnded = new Set(["p", "li", "dt", "dd", "td", "th", "tr", "thead", "tbody", "tfoot", "option", "colgroup", "rp", "rt", "html", "head", "body"]);
const maxNesting = 1000;
const maxMarks = 1_000_000;

/**
 * A source that the parser can take. No editor nests a thousand elements or makes a page of a million; the parser's
 * time grows faster than either. Of such a page only the words are left.
 */
export function withinReason(html: string): string {
  let depth = 0;
  let marks = 0;
  for (const [mark, slash, name = ""] of html.matchAll(/[<&](?:(\/?)([A-Za-z][\w:-]*))?/g)) {
    if (++marks > maxMarks) return wordsOf(html);
    if (mark.startsWith("&") || name === "" || voidElements.has(name.toLowerCase()) || openEnded.has(name.toLowerCase())) continue;
    depth = slash === "" ? depth + 1 : Math.max(0, depth - 1);
    if (depth > maxNesting) return wordsOf(html);
  }
  return html;
}

function wordsOf(html: string): string {
  return html.replaceAll(/<(script|style)\b[\s\S]*?(?:<\/\1\s*>|$)|<!--[\s\S]*?(?:-->|$)/gi, "").replaceAll(/<\/?[A-Za-z][^<>]*>/g, "\n").replaceAll(/&(?:\w+|#\w+);|[<&]/g, " ");
}

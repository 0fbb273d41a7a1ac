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

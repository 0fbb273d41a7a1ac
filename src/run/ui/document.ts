import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

export interface PageDocument {
  readonly html: string;
  /** Its Content-Security-Policy: its own style and script, its own server, and nothing else. */
  readonly policy: string;
}

/** The page, whole. A package carries it as one file; from source it is put together at each look. */
export async function readPage(): Promise<PageDocument> {
  const html = import.meta.url.endsWith(".ts") ? await makeFromSource() : await readFile(new URL("./page.html", import.meta.url), "utf8");
  return { html, policy: policyOf(html) };
}

/** Not for a bundler to follow: it would take the bundler itself into the bundle. */
async function makeFromSource(): Promise<string> {
  const maker = new URL("../../../scripts/page.ts", import.meta.url).href;
  const { makePage } = (await import(maker)) as { readonly makePage: () => Promise<{ readonly html: string }> };
  return (await makePage()).html;
}

export function policyOf(html: string): string {
  const hashes = (tag: "style" | "script"): string => {
    const texts = [...html.matchAll(new RegExp(`<${tag}\\b[^>]*>([\\s\\S]*?)</${tag}>`, "g"))].map(([, text = ""]) => text);
    return texts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`).join(" ");
  };
  return [
    "default-src 'none'",
    `script-src ${hashes("script")}`,
    `style-src ${hashes("style")}`,
    "connect-src 'self'",
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ");
}

import type { Metadata } from "../ports/document.ts";
import { flattenMetadata } from "./metadata.ts";

/** What a text file says about itself above its first line of text; nothing where that is broken: the text is still worth reading. */
export async function readFrontMatter(source: string): Promise<Metadata> {
  const [, mark, body = ""] = /^(---|\+\+\+)[ \t]*\n([\s\S]*?)^\1[ \t]*$/m.exec(source.startsWith("---") || source.startsWith("+++") ? source : "") ?? [];
  if (mark === undefined || body.trim() === "") return {};
  try {
    return flattenMetadata(mark === "---" ? await parseYaml(body) : await parseToml(body));
  } catch {
    return {};
  }
}

async function parseYaml(body: string): Promise<unknown> {
  const { parse } = await import("yaml");
  return parse(body, { logLevel: "silent", maxAliasCount: 50 });
}

async function parseToml(body: string): Promise<unknown> {
  const { parse } = await import("smol-toml");
  return parse(body);
}

import { parse as parseToml } from "smol-toml";
import { parse as parseYaml } from "yaml";
import type { Metadata } from "../ports/document.ts";
import { flattenMetadata } from "./metadata.ts";

/** What a text file says about itself above its first line of text; nothing where that is broken: the text is still worth reading. */
export function readFrontMatter(source: string): Metadata {
  const [, mark, body = ""] = /^(---|\+\+\+)[ \t]*\n([\s\S]*?)^\1[ \t]*$/m.exec(source) ?? [];
  if (mark === undefined || body.trim() === "") return {};
  try {
    return flattenMetadata(mark === "---" ? parseYaml(body, { logLevel: "error", maxAliasCount: 50 }) : parseToml(body));
  } catch {
    return {};
  }
}

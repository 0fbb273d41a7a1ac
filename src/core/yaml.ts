import { isMap, isScalar, LineCounter, type Node, parseDocument } from "yaml";
import type { Location, Problem } from "./errors.ts";

/** A YAML text that parsed, with the place of each of its fields. */
export interface YamlSource {
  readonly value: unknown;
  /** The place of the field at `path`, or of the nearest parent that exists. `key` asks for the key, not the value. */
  locate(path: readonly PropertyKey[], target?: "key" | "value"): Location;
}

export type YamlResult = { readonly source: YamlSource } | { readonly problems: readonly Problem[] };

/**
 * Parses YAML 1.2, one document, with duplicate keys and unknown aliases as problems. `firstLine` is the line of
 * `file` on which `text` starts, so that front matter reports the lines of its file.
 */
export function parseYaml(text: string, file: string, firstLine = 1): YamlResult {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const place = (offset: number): Location => {
    const { line, col } = lines.linePos(offset);
    return { file, line: line + firstLine - 1, column: col };
  };
  // The parser reports a tab as an indentation error with the tab's own message; that message is the useful one.
  // Only the first: what a parser says after a syntax error is mostly about the first one.
  const [complaint] = [...document.errors, ...document.warnings];
  if (complaint !== undefined) return { problems: [{ ...place(complaint.pos[0]), message: plain(complaint.message) }] };
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 1000 });
  } catch (cause) {
    return { problems: [{ file, line: firstLine, message: cause instanceof Error ? cause.message : String(cause) }] };
  }
  return { source: { value, locate: (path, target = "value") => place(offsetOf(document.contents, path, target)) } };
}

function offsetOf(root: Node | null, path: readonly PropertyKey[], target: "key" | "value"): number {
  let node: unknown = root;
  let offset = root?.range?.[0] ?? 0;
  for (const [index, segment] of path.entries()) {
    const isLast = index === path.length - 1;
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
      if (pair === undefined) return offset;
      const key = pair.key as Node;
      const value = pair.value as Node | null;
      offset = (isLast && target === "key" ? key : (value ?? key)).range?.[0] ?? offset;
      node = value;
    } else if (node !== null && typeof node === "object" && "items" in node && Array.isArray(node.items)) {
      node = node.items[Number(segment)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else {
      return offset;
    }
  }
  return offset;
}

function plain(message: string): string {
  if (message.includes("multiple documents")) return "Only one YAML document is allowed: take out the line ---";
  if (message.includes("Map keys must be unique")) return "Duplicate key; each key may stand only once";
  if (/tab/i.test(message)) return "Tab used for indentation; YAML allows only spaces";
  return message;
}

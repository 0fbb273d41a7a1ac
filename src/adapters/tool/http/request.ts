import type { HttpPlace } from "../../../ports/tool.ts";
import type { Fields } from "../../http/unchecked.ts";

export type ToolRequest = { readonly url: string; readonly body?: Fields } | { readonly problem: string };

const placeholder = /\{([A-Za-z_][\w-]*)\}/g;

/** What to send for these arguments, or why they cannot be sent. Each `{name}` takes its argument, percent-encoded; the others go into the query, or into the body. */
export function toRequest({ url, method }: Pick<HttpPlace, "url" | "method">, given: Fields): ToolRequest {
  const names = new Set([...url.matchAll(placeholder)].map(([, name = ""]) => name));
  const problem = [...names].map((name) => placeProblem(name, given[name])).find((found) => found !== undefined);
  if (problem !== undefined) return { problem };
  const filled = url.replaceAll(placeholder, (_, name: string) => encodeURIComponent(String(given[name])));
  // Read as steps in a tree, they would lead to another place than the one that is declared.
  const path = /^[^:]*:\/\/[^/?#]*([^?#]*)/.exec(filled)?.[1] ?? "";
  if (path.split("/").some((segment) => /^(?:\.|%2e){1,2}$/i.test(segment))) return { problem: `${[...names].join(", ")}: "." and ".." cannot be a part of the address` };
  const parsed = new URL(filled);
  const rest = Object.entries(given).filter(([name, value]) => !names.has(name) && value !== undefined);
  if (method !== "GET" && method !== "DELETE") return { url: parsed.href, body: Object.fromEntries(rest) };
  for (const [name, value] of rest) for (const item of [value].flat()) if (item !== null) parsed.searchParams.append(name, textOf(item));
  return { url: parsed.href };
}

function placeProblem(name: string, value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return `${name}: Missing; it is part of the address`;
  return typeof value === "object" ? `${name}: Expected a text or a number; it is part of the address` : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

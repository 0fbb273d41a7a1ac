import { z } from "zod";
import type { Metadata } from "../../../ports/document.ts";
import { flatMetadata } from "./metadata.ts";

const Format = z.enum(["text", "markdown"]);

/** One line of a feed. Further keys count as metadata: they are what people filter by, and none is lost unseen. */
const FeedLine = z.looseObject({
  id: z.union([z.string().min(1).max(1024), z.int().transform(String)]),
  text: z.string(),
  title: z.string().nullish(),
  format: Format.nullish(),
  metadata: z.record(z.string(), z.unknown()).nullish(),
});

export interface FeedEntry {
  readonly id: string;
  readonly text: string;
  readonly loader: z.infer<typeof Format>;
  readonly metadata: Metadata;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** What a line says, or why it is no document. Undefined for a blank line. */
export function parseEntry(bytes: Uint8Array): FeedEntry | { readonly reason: string } | undefined {
  let line: string;
  try {
    // The decoder drops a byte order mark, which only the first line may have.
    line = utf8.decode(bytes);
  } catch {
    return { reason: "is not UTF-8" };
  }
  if (line.trim() === "") return undefined;
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    // The parser's own words differ between versions of Node, and reasons are part of the ledger's digest.
    return { reason: "is not JSON" };
  }
  const parsed = FeedLine.safeParse(value);
  if (!parsed.success) return { reason: reasonOf(value, parsed.error) };
  const { id, text, title, format, metadata, ...others } = parsed.data;
  if (!id.isWellFormed() || /\p{Cc}/u.test(id)) return { reason: "has an id with control characters" };
  if (text.trim() === "") return { reason: `has no text (id ${JSON.stringify(id)})` };
  const flat = flatMetadata({ ...others, ...(typeof title === "string" ? { title } : {}), ...metadata });
  if (flat === undefined) return { reason: `has metadata that is nested too deep (id ${JSON.stringify(id)})` };
  return { id, text, loader: format ?? "text", metadata: flat };
}

function reasonOf(value: unknown, { issues }: z.ZodError): string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "is not a JSON object such as {\"id\": \"1\", \"text\": \"…\"}";
  const [key] = issues[0]?.path ?? [];
  if (key === "id") return Object.hasOwn(value, "id") ? "has an id that is neither a string of 1 to 1024 characters nor a whole number" : "has no id";
  if (key === "text") return Object.hasOwn(value, "text") ? "has a text that is not a string" : "has no text";
  if (key === "format") return `has a format other than ${Format.options.join(" and ")}`;
  return `has a ${String(key)} that is not ${key === "title" ? "a string" : "an object"}`;
}

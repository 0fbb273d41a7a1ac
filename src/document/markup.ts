/** A tag whose attributes are plain. One that holds objects or functions is left: what it says is in them. */
const tag = /<\/?[A-Za-z][\w.:-]*(?:\s+[\w:@.-]+(?:=(?:"[^"<>]*"|'[^'<>]*'|\{[^{}<>]*\}|[^\s"'<>={}`]+))?)*\s*\/?>/g;
const invisible = /<!--[\s\S]*?(?:-->|$)|\{\/\*[\s\S]*?(?:\*\/\}|$)|<(script|style)\b[\s\S]*?(?:<\/\1>|$)|<>|<\/>/gi;

/** The words between HTML or JSX tags. */
export function withoutMarkup(text: string): string {
  if (!text.includes("<") && !text.includes("{/*")) return text;
  return text.replaceAll(invisible, "").replaceAll(tag, "").replaceAll(/[ \t]+$/gm, "").replaceAll(/\n{3,}/g, "\n\n").trim();
}

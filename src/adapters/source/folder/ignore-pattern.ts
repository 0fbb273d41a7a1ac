/**
 * One line of an ignore file as a pattern of the folder at the top, so that the files of all levels make one list in
 * which the last match wins, as git has it. `prefix` is the file's folder below the top: empty, or ending in a slash.
 * Undefined for comments and blank lines.
 */
export function patternBelow(prefix: string, line: string): string | undefined {
  if (/^\s*$|^#/.test(line)) return undefined;
  if (prefix === "") return line;
  const isNegative = line.startsWith("!");
  const pattern = isNegative ? line.slice(1) : line;
  // A slash before the end ties the pattern to the file's folder; without one it is a name at any depth below.
  const isAnchored = pattern.trimEnd().slice(0, -1).includes("/");
  const depth = isAnchored ? "" : "**/";
  return `${isNegative ? "!" : ""}/${escaped(prefix)}${depth}${isAnchored ? pattern.replace(/^\//, "") : pattern}`;
}

export function patternsBelow(prefix: string, text: string): readonly string[] {
  const lines = text.replace(/^\uFEFF/, "").split(/\r?\n/);
  return lines.map((line) => patternBelow(prefix, line)).filter((pattern) => pattern !== undefined);
}

/** Folder names are meant as they are, whatever a pattern would make of their characters. */
function escaped(path: string): string {
  return path.replaceAll(/[\\*?[\] !#]/g, "\\$&");
}

/** Where a symlink of the tree leads, seen from the application folder: inside it, outside of it, or round in a loop. */
export type LinkTarget = "inside" | "outside" | "loop";

/** More steps than any honest chain of links has; the same limit as Linux has. */
const maxHops = 40;

/**
 * Follows the link at `path` through the tree's other links, as the system would: `..` after a link goes up from where
 * that link leads, so comparing the text of the target alone would not do.
 */
export function linkTarget(path: string, links: ReadonlyMap<string, string>): LinkTarget {
  const pending = path.split("/").toReversed();
  const at: string[] = [];
  let hops = 0;
  for (let part = pending.pop(); part !== undefined; part = pending.pop()) {
    if (part === "" || part === ".") continue;
    if (part === "..") {
      if (at.pop() === undefined) return "outside";
      continue;
    }
    at.push(part);
    const target = links.get(at.join("/"));
    if (target === undefined) continue;
    if (++hops > maxHops) return "loop";
    if (isAbsolute(target)) return "outside";
    at.pop();
    pending.push(...target.split("/").toReversed());
  }
  return "inside";
}

/** Absolute on any system: `/x`, and what Windows takes for absolute, `C:\x` and `\x`. */
function isAbsolute(target: string): boolean {
  return /^([/\\]|[A-Za-z]:)/.test(target);
}

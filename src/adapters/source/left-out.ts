const leftOut = new Set([".git", "node_modules", ".twelve"]);

/** Folders that hold no documents of the team's own, wherever they are. */
export function isLeftOut(name: string): boolean {
  return leftOut.has(name);
}

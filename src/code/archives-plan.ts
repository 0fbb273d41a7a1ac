import type { CodeData, CodeFile, CodeTree } from "./schema.ts";
import { blockBytes, paddedSize } from "./tar.ts";

/** Files that no archive of an earlier tree holds. The executable bit is the tree's own, not the archive's. */
export function filesToPack(tree: CodeTree, earlier: CodeTree): readonly CodeFile[] {
  const stored = new Map(earlier.files.map((file) => [file.path, contentKey(file)]));
  return tree.files.filter((file) => stored.get(file.path) !== contentKey(file));
}

function contentKey({ mode, digest }: CodeFile): string {
  return mode === "symlink" ? `link ${digest}` : digest;
}

/**
 * Whether it is time to pack a tree anew: more than half of what its archives hold is out of date, or they are so many
 * that laying out the code slows down.
 */
export function isFragmented({ archives, contentBytes }: CodeData, tree: CodeTree): boolean {
  const live = tree.files.reduce((sum, { size }) => sum + blockBytes + paddedSize(size), 0);
  const whole = Math.ceil(tree.files.length / 512) + Math.ceil(live / (32 << 20));
  return contentBytes > 2 * live + (1 << 20) || archives.length > whole + 16;
}

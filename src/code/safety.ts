import { TwelveError } from "../core/errors.ts";
import { linkTarget } from "./link.ts";
import type { CodeFile, CodeTree } from "./schema.ts";

/**
 * Fails with ARTIFACT_INVALID when a file of the tree would land outside the folder that it is laid out in: an absolute
 * path, `..`, or a path that leads through another file or a link. A build never makes such a tree; a hand might.
 */
export function assertContained(tree: CodeTree, name: string): void {
  const kinds = new Map(tree.files.map(({ path, mode }) => [path, mode]));
  if (kinds.size !== tree.files.length) throw refused(name, "a path that is listed twice");
  for (const { path } of tree.files) {
    if (!isPlain(path)) throw refused(name, `the path ${JSON.stringify(path)}, which is not below it`);
    for (let end = path.indexOf("/"); end !== -1; end = path.indexOf("/", end + 1)) {
      const parent = path.slice(0, end);
      if (kinds.has(parent)) throw refused(name, `${JSON.stringify(path)}, which leads through the ${kinds.get(parent)} ${JSON.stringify(parent)}`);
    }
  }
}

/** Fails with ARTIFACT_INVALID when a link's target, found in an archive, leads out of the folder. */
export function assertLinksContained(targets: ReadonlyMap<string, string>, name: string): void {
  for (const [path, target] of targets) {
    if (linkTarget(path, targets) === "outside") throw refused(name, `the link ${JSON.stringify(path)} to ${JSON.stringify(target)}, which leads out of it`);
  }
}

export function refused(name: string, what: string): TwelveError {
  return new TwelveError("ARTIFACT_INVALID", `The code ${name} is not laid out in its folder: it has ${what}`, {
    fix: "Make the build again from a checkout that you trust",
  });
}

/** Whether a path stays below its folder on every system. */
function isPlain(path: string): boolean {
  const segments = path.split("/");
  return !/^[A-Za-z]:/.test(path) && !path.includes("\0") && segments.every((segment) => segment !== "" && segment !== "." && segment !== "..") && (process.platform !== "win32" || !path.includes("\\"));
}

/** The files of a tree by path. */
export function filesByPath(tree: CodeTree): ReadonlyMap<string, CodeFile> {
  return new Map(tree.files.map((file) => [file.path, file]));
}

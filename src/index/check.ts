import { type Problem, TwelveError } from "../core/errors.ts";
import type { SkippedDocument } from "./schema.ts";

/** What `--strict` does: fails with DOCUMENT_UNREADABLE when anything was skipped. */
export function refuseSkips(skipped: readonly SkippedDocument[]): void {
  if (skipped.length === 0) return;
  throw new TwelveError("DOCUMENT_UNREADABLE", `${skipped.length === 1 ? "A file" : `${skipped.length} files`} of the sources cannot be indexed, and --strict was given`, { problems: problemsOf(skipped) });
}

export function problemsOf(skipped: readonly SkippedDocument[]): readonly Problem[] {
  return skipped.map(({ path, reason }) => ({ file: path, message: reason }));
}

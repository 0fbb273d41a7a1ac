import { relative, sep } from "node:path";
import { TwelveError } from "../../core/errors.ts";
import { hasCredentials, withoutCredentials } from "../../core/url.ts";

/** What the ledger calls a local file: its path below the application's folder, with forward slashes; `../` leads outside. */
export function ledgerPath(dir: string, file: string): string {
  return relative(dir, file).split(sep).join("/");
}

/** The code of a system error such as ENOENT; anything else in its own words. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

/** The root of a source as messages name it: what was mistaken for a path may be a URL with a password. */
export function shownRoot(reference: string, root: string): ShownRoot {
  if (!hasCredentials(reference)) return { name: reference, path: root };
  const name = withoutCredentials(reference);
  return { name, path: name };
}

export interface ShownRoot {
  readonly name: string;
  readonly path: string;
}

/** A source that the system does not let us list. */
export function unreadable(file: string, cause: unknown): TwelveError {
  return new TwelveError("SOURCE_INVALID", `The source ${file} cannot be read: ${codeOf(cause)}`, { cause });
}

/** A document that was listed and cannot be read. The message begins with its path, so that the rest is the reason. */
export function unreadableDocument(path: string, cause: unknown): TwelveError {
  return new TwelveError("SOURCE_INVALID", `${path} cannot be read: ${codeOf(cause)}`, { cause });
}

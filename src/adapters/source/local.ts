import { relative, sep } from "node:path";
import { TwelveError } from "../../core/errors.ts";

/** What the ledger calls a local file: its path below the application's folder, with forward slashes; `../` leads outside. */
export function ledgerPath(dir: string, file: string): string {
  return relative(dir, file).split(sep).join("/");
}

/** The code of a system error such as ENOENT; anything else in its own words. */
export function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}

/** A source that the system does not let us list. */
export function unreadable(file: string, cause: unknown): TwelveError {
  return new TwelveError("SOURCE_INVALID", `The source ${file} cannot be read: ${codeOf(cause)}`, { cause });
}

/** A document that was listed and cannot be read. The message begins with its path, so that the rest is the reason. */
export function unreadableDocument(path: string, cause: unknown): TwelveError {
  return new TwelveError("SOURCE_INVALID", `${path} cannot be read: ${codeOf(cause)}`, { cause });
}

import { TwelveError } from "../../../core/errors.ts";

const reasons: Readonly<Record<string, string>> = {
  EACCES: "permission denied",
  EPERM: "the operation is not permitted there",
  EROFS: "the filesystem is read-only",
  ENOSPC: "no space is left on the device",
  EDQUOT: "the disk quota is used up",
  EFBIG: "the file is larger than the system allows",
  ENOTDIR: "a file is where a folder should be",
  EEXIST: "a file is where a folder should be",
  EISDIR: "a folder is where a file should be",
  ENOENT: "it is gone",
  EIO: "the device reports an error",
  EMFILE: "too many files are open",
  ENFILE: "too many files are open",
  ELOOP: "its symbolic links form a loop",
  ENAMETOOLONG: "the path is too long",
  EMLINK: "the filesystem allows no more hard links",
  ENOTSUP: "the filesystem has no hard links",
};

/** The code of a system error such as ENOENT; undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

/** Why the system refused, in words. */
export function reasonOf(error: unknown): string {
  const code = errorCode(error) ?? "";
  return reasons[code] === undefined ? String(error) : `${reasons[code]} (${code})`;
}

/** Errors of an open file, such as a full disk, do not say which file it was. */
export function withPath(error: unknown, path: string): unknown {
  return isSystemError(error) && error.path === undefined ? Object.assign(error, { path }) : error;
}

/** Runs one operation of the store. A system error becomes STORE_UNUSABLE with its path; anything else passes through. */
export async function guard<Result>(root: string, operation: () => Promise<Result>): Promise<Result> {
  try {
    return await operation();
  } catch (cause) {
    if (cause instanceof TwelveError || !isSystemError(cause)) throw cause;
    // Of two paths the second is the one that is written.
    const path = (cause as { readonly dest?: string }).dest ?? cause.path ?? root;
    throw new TwelveError("STORE_UNUSABLE", `The store ${root} cannot be used: ${path === root ? "" : `${path}: `}${reasonOf(cause)}`, { cause });
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "syscall" in error;
}

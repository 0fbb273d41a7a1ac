import { TwelveError } from "../core/errors.ts";

/** Turns what the file system says into FOLDER_UNUSABLE. */
export function unusable(path: string): (cause: unknown) => never {
  return (cause) => {
    const isFull = cause instanceof Error && "code" in cause && cause.code === "ENOSPC";
    throw new TwelveError("FOLDER_UNUSABLE", `${path} cannot be written: ${String(cause)}`, { cause, ...(isFull ? { fix: "Free some space" } : {}) });
  };
}

import { type FailureCode, TwelveError } from "../../../core/errors.ts";
import { errorCode, reasonOf } from "../../store/fs/failure.ts";

const rights = new Set(["EACCES", "EPERM", "EROFS"]);
/** Of folders on other machines, and of machines that are busy: it may be better in a moment. */
const passing = new Set(["EIO", "ESTALE", "EBUSY", "EAGAIN", "ETIMEDOUT", "EHOSTDOWN", "EHOSTUNREACH", "ENOTCONN", "ECONNRESET", "EREMOTEIO", "EMFILE", "ENFILE"]);
const full = new Set(["ENOSPC", "EDQUOT"]);

/** What the system says of a shared folder, in our words. */
export function folderFailure(root: string, cause: unknown): TwelveError {
  if (cause instanceof TwelveError) return cause;
  const code = errorCode(cause) ?? "";
  const { path } = cause as { readonly path?: string };
  const where = path === undefined || path === root ? "" : `${path}: `;
  const failed = (as: FailureCode, fix: string): TwelveError => new TwelveError(as, `The folder ${root} cannot be used: ${where}${reasonOf(cause)}`, { cause, fix, ...(passing.has(code) ? { retry: { afterMs: null } } : {}) });
  if (rights.has(code)) return failed("SERVICE_DENIED", "Let the user that twelve runs as read it and all that is in it; who publishes must also be able to write there");
  if (passing.has(code)) return failed("SERVICE_UNAVAILABLE", "Check that its disk or its server is there, then try again");
  if (full.has(code)) return failed("SERVICE_QUOTA", "Free some space there, then try again");
  return failed("FOLDER_UNUSABLE", "Check that it is there and is a folder, or name another one");
}

import { join } from "node:path";
import { type Descriptor, hexOf } from "../core/descriptor.ts";

/** Where the code of a build is laid out: below the application folder, so that its installed packages are found. */
export function codeFolder(dir: string, code: Descriptor): string {
  return join(dir, ".twelve", "cache", "code", hexOf(code.digest));
}

import { isAbsolute, join, normalize } from "node:path";
import { TwelveError } from "../../../core/errors.ts";
import { openScriptModel } from "../../../mock/model.ts";
import { readScript } from "../../../mock/read.ts";
import type { Model } from "../../../ports/model.ts";

/**
 * A model that answers as `file` of the application in `dir` says. A build packages it with the code, and a release answers by what
 * was packaged, so it must lie inside. Fails with SCRIPT_INVALID.
 */
export async function openScript(file: string, dir: string): Promise<Model> {
  const path = normalize(file);
  if (file === "" || isAbsolute(path) || /^\.\.(?:[/\\]|$)/.test(path)) {
    throw new TwelveError("SCRIPT_INVALID", `mock:script:${file} names no file inside the application's folder`, { fix: "Write its path from that folder, such as mock:script:evals/model.yaml" });
  }
  const missing = { message: `The application has no script ${file}`, fix: `Correct the path. A release has only what its build packaged: \`git add ${file}\`, then build and release again` };
  return openScriptModel({ script: await readScript({ path: join(dir, path), name: file, missing }), file });
}

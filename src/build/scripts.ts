import { normalize } from "node:path/posix";
import { TwelveError } from "../core/errors.ts";
import { declaredModels } from "../manifest/lifecycle.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";

const scheme = "mock:script:";

/**
 * Looks at the files behind `mock:script:` references: they are part of the code. One that an environment chooses is seen at its release.
 * Fails with SCRIPT_INVALID, naming each problem's place.
 */
export async function checkScripts({ openModel }: Pick<Context, "openModel">, manifest: Manifest, packaged: readonly string[]): Promise<void> {
  const scripts = new Set(declaredModels(manifest).flatMap(({ role, reference }) => (role === "model" && reference.startsWith(scheme) ? [reference] : [])));
  for (const reference of scripts) {
    await openModel(reference);
    const file = normalize(reference.slice(scheme.length));
    if (!packaged.includes(file)) throw new TwelveError("SCRIPT_INVALID", `A build would not package the script ${file}, and a release has only what its build packaged`, { fix: `Run \`git add ${file}\`, and look at \`code:\` in twelve.yaml` });
  }
}

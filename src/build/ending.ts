import { type Problem, TwelveError } from "../core/errors.ts";
import { declaredModels, type LifecycleComplaint, lifecycleComplaints } from "../manifest/lifecycle.ts";
import { manifestFile } from "../manifest/read.ts";
import type { Manifest } from "../manifest/schema.ts";
import { askLives } from "../manifest/told-lives.ts";
import type { Context } from "../ports/context.ts";
import { formatProblem, locate } from "./place.ts";

/** Where the models stand that will end soon. Fails with MODEL_RETIRED for those that have ended. */
export async function refuseEnded(dir: string, complaints: readonly LifecycleComplaint[]): Promise<readonly Problem[]> {
  const located = await locate(dir, complaints.map(({ path, message }) => ({ file: manifestFile, path, message })));
  const ended = located.filter((_, i) => complaints[i]?.isEnded === true);
  if (ended.length > 0) throw new TwelveError("MODEL_RETIRED", `${ended.length === 1 ? "A model is" : `${ended.length} models are`} past the end of life`, { problems: ended });
  return located;
}

/** The same of models whose provider must be asked for it, as lines for a person. */
export async function askForEnding(context: Context, manifest: Manifest): Promise<readonly string[]> {
  const models = declaredModels(manifest);
  const told = await askLives(context, models, manifest.lifecycle);
  const complaints = lifecycleComplaints(models, manifest.lifecycle, context.clock.now(), told).filter(({ reference }) => told.has(reference));
  return complaints.length === 0 ? [] : (await refuseEnded(context.dir, complaints)).map(formatProblem);
}

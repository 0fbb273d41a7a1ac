import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Problem, TwelveError } from "../core/errors.ts";
import { schemaProblems } from "../core/problems.ts";
import { parseYaml } from "../core/yaml.ts";
import { isPathBelow, type LockedModel, ModelLock } from "./schema.ts";

export const lockFile = "twelve.lock";

/** Reads `twelve.lock` in `dir`; a lock without models where there is none. Fails with LOCK_INVALID, with every problem and its place. */
export async function readLock(dir: string): Promise<ModelLock> {
  let text: string;
  try {
    text = await readFile(join(dir, lockFile), "utf8");
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return { version: 1, models: {} };
    throw new TwelveError("LOCK_INVALID", `${join(dir, lockFile)} cannot be read: ${String(cause)}`, { cause });
  }
  // JSON is YAML, and the YAML parser knows the line of each field.
  const yaml = parseYaml(text, lockFile);
  if ("problems" in yaml) throw invalid(yaml.problems);
  const result = ModelLock.safeParse(yaml.source.value ?? {});
  if (!result.success) throw invalid(schemaProblems(result.error, ModelLock, yaml.source));
  return result.data;
}

function invalid(problems: readonly Problem[]): TwelveError {
  return new TwelveError("LOCK_INVALID", `${lockFile} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`, { problems });
}

/** Fails with MODEL_UNPINNED, naming the command that pins the model. */
export function findLockedModel(lock: ModelLock, folder: string): LockedModel {
  const model = Object.hasOwn(lock.models, folder) ? lock.models[folder] : undefined;
  if (model !== undefined) return model;
  throw new TwelveError("MODEL_UNPINNED", `${lockFile} does not name the model ${folder}, so nothing says which files it must have`, {
    fix: `Run \`twelve models pull ${folder} --from <https://… or s3://bucket/prefix>\`; for files that are there already, \`twelve models pull ${folder} --from file:${folder}\``,
  });
}

/** One spelling for a model's folder: `./models/x/` is `models/x`. undefined when no model may be there. */
export function modelFolder(text: string): string | undefined {
  const folder = text.replaceAll("\\", "/").replace(/^(?:\.\/+)+/, "").replace(/\/+$/, "").replaceAll(/\/{2,}/g, "/");
  return isPathBelow(folder) ? folder : undefined;
}

import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatLocation, type Problem } from "../core/errors.ts";
import { parseYaml } from "../core/yaml.ts";
import { manifestFile } from "../manifest/read.ts";

/** Gives problems of the manifest their lines, which the parsed manifest no longer knows. */
export async function locate(dir: string, problems: readonly Problem[]): Promise<readonly Problem[]> {
  const yaml = parseYaml(await readFile(join(dir, manifestFile), "utf8"), manifestFile);
  if ("problems" in yaml) return problems;
  return problems.map((problem) => ({ ...yaml.source.locate(problem.path?.split(".") ?? []), ...problem }));
}

/** A line for a person. */
export function formatProblem(problem: Problem): string {
  const field = problem.path === undefined ? "" : ` ${problem.path}:`;
  const place = formatLocation(problem);
  return field === "" ? `${place}${place === "" ? "" : " "}${problem.message}` : `${place}${field} ${problem.message}`;
}

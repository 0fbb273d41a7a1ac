import { readFile } from "node:fs/promises";
import { type Problem, TwelveError } from "../core/errors.ts";
import { schemaProblems } from "../core/problems.ts";
import { parseYaml } from "../core/yaml.ts";
import { Script } from "./schema.ts";

/** Where a script is, what messages call it, and what to do where it is missing. */
export interface ScriptFile {
  readonly path: string;
  readonly name: string;
  readonly missing: { readonly message: string; readonly fix: string };
}

/** Fails with SCRIPT_INVALID, naming each problem's place. */
export async function readScript(file: ScriptFile): Promise<Script> {
  return parseScript(await readText(file), file.name);
}

export function parseScript(text: string, name: string): Script {
  const yaml = parseYaml(text, name);
  if ("problems" in yaml) throw invalid(name, yaml.problems);
  const result = Script.safeParse(yaml.source.value ?? {});
  if (!result.success) throw invalid(name, schemaProblems(result.error, Script, yaml.source));
  return result.data;
}

async function readText({ path, name, missing }: ScriptFile): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    if (code !== "ENOENT" && code !== "ENOTDIR") throw new TwelveError("SCRIPT_INVALID", `The script ${name} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`, { cause, fix: `Make ${name} a readable file` });
    throw new TwelveError("SCRIPT_INVALID", missing.message, { cause, fix: missing.fix });
  }
}

function invalid(name: string, problems: readonly Problem[]): TwelveError {
  return new TwelveError("SCRIPT_INVALID", `The script ${name} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`, { problems });
}

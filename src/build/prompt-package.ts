import { readdir, readFile, realpath } from "node:fs/promises";
import { dirname, join, sep } from "node:path";
import { z } from "zod";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Digest, digestOf } from "../core/descriptor.ts";
import { type Problem, TwelveError } from "../core/errors.ts";
import type { PromptFile } from "../prompt/compile.ts";
import { readText } from "./prompts.ts";

export interface PromptPackage {
  readonly name: string;
  readonly version: string;
  /** Digest over the paths and contents of its prompt files. */
  readonly digest: Digest;
  readonly texts: readonly PromptFile[];
  readonly problems: readonly Problem[];
}

/** What we read of a package.json. A package may name its folder of prompts; without that it is `prompts`. */
const PackageFile = z.object({
  name: z.string(),
  version: z.string(),
  twelve: z.object({ prompts: z.string() }).optional(),
});

/** Reads the prompts of a package that is installed in the application's `node_modules` or in one above it. Fails with PROMPT_PACKAGE_MISSING or PROMPT_INVALID. */
export async function readPromptPackage(dir: string, name: string): Promise<PromptPackage> {
  if (!/^(@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/.test(name)) {
    throw new TwelveError("PROMPT_PACKAGE_MISSING", `"npm:${name}" under \`prompts\` in twelve.yaml is not the name of a package, such as npm:@acme/prompts`, { fix: "Correct the name; its version belongs into package.json" });
  }
  const folder = await findPackage(dir, name);
  if (folder === undefined) throw new TwelveError("PROMPT_PACKAGE_MISSING", `The package ${name}, which twelve.yaml takes prompts from, is not installed in ${dir}`, { fix: `Run \`npm install ${name}\`` });
  const { version, prompts } = await readPackageFile(folder, name);
  const source = join(folder, prompts);
  const paths = await listPrompts(source);
  if (paths.length === 0) throw new TwelveError("PROMPT_INVALID", `The package ${name}@${version} has no .prompt file in its folder ${prompts}`, { fix: "Choose a version that has some, or remove it from `prompts` in twelve.yaml" });
  const read = await Promise.all(paths.map((path) => readText(join(source, path), `npm:${name}@${version}/${prompts}/${path}`, path)));
  const texts = read.flatMap(({ texts }) => texts);
  const digest = digestOf(canonicalJson(texts.map(({ name, text }) => ({ path: name, digest: digestOf(text) }))));
  return { name, version, digest, texts, problems: read.flatMap(({ problems }) => problems) };
}

/** As Node looks packages up, but without their `exports`: those say what code may import, and prompts are no code. */
async function findPackage(dir: string, name: string): Promise<string | undefined> {
  try {
    // Workspaces and some package managers put links there.
    const folder = await realpath(join(dir, "node_modules", name));
    await readFile(join(folder, "package.json"));
    return folder;
  } catch {
    return dirname(dir) === dir ? undefined : findPackage(dirname(dir), name);
  }
}

async function readPackageFile(folder: string, name: string): Promise<{ readonly version: string; readonly prompts: string }> {
  const path = join(folder, "package.json");
  const broken = (cause: unknown): TwelveError => new TwelveError("PROMPT_INVALID", `${path} of the package ${name} cannot be used`, { cause, fix: `Run \`npm install ${name}\` again` });
  let value: unknown;
  try {
    value = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    throw broken(cause);
  }
  const result = PackageFile.safeParse(value);
  if (!result.success) throw broken(result.error);
  const prompts = (result.data.twelve?.prompts ?? "prompts").replace(/^\.\//, "").replace(/\/+$/, "");
  if (prompts.split(/[/\\]/).includes("..") || /^([/\\]|[A-Za-z]:)/.test(prompts)) throw broken(new Error("its folder of prompts is outside of the package"));
  return { version: result.data.version, prompts };
}

/** Only real files count: a package cannot name files of the machine through links. */
async function listPrompts(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && entry.name.endsWith(".prompt"));
  return files.map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1).replaceAll(sep, "/")).sort();
}

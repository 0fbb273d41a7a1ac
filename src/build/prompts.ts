import { readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { type Problem, TwelveError } from "../core/errors.ts";
import { listUntracked } from "../code/repository.ts";
import type { Git } from "../code/git.ts";
import type { TrackedFile } from "../code/repository.ts";
import { shellWord } from "../code/select-plan.ts";
import type { PromptFile } from "../prompt/compile.ts";
import { type PromptPackage, readPromptPackage } from "./prompt-package.ts";

export interface PromptSources {
  readonly texts: readonly PromptFile[];
  readonly packages: readonly PromptPackage[];
  readonly warnings: readonly Problem[];
}

/** Reads the tracked prompt files of the manifest's folders, and those of installed packages. Fails with PROMPT_INVALID or PROMPT_PACKAGE_MISSING. */
export async function readPrompts(dir: string, sources: readonly string[], tracked: readonly TrackedFile[]): Promise<PromptSources> {
  const folders = promptFolders(sources);
  const found = await Promise.all(folders.map((folder) => readFolder(dir, folder, tracked)));
  const names = sources.filter((source) => source.startsWith("npm:")).map((source) => source.slice("npm:".length));
  const packages = await Promise.all(names.map((name) => readPromptPackage(dir, name)));
  const problems = [...found.flatMap(({ problems }) => problems), ...packages.flatMap(({ problems }) => problems)];
  if (problems.length > 0) throw new TwelveError("PROMPT_INVALID", `${problems.length === 1 ? "A prompt file" : `${problems.length} prompt files`} cannot be read`, { problems });
  return {
    texts: [...found.flatMap(({ texts }) => texts), ...packages.flatMap(({ texts }) => texts)],
    packages,
    warnings: folders.filter((_, index) => found[index]?.texts.length === 0).map((folder) => ({ file: "twelve.yaml", path: "prompts", message: `Git tracks no .prompt file in the folder ${folder}` })),
  };
}

/** Prompt files that a build leaves out because nobody has added them to git yet. */
export async function untrackedPrompts(git: Git, sources: readonly string[]): Promise<readonly Problem[]> {
  const paths = (await listUntracked(git, promptFolders(sources))).filter((path) => path.endsWith(".prompt"));
  return paths.map((path) => ({ file: path, message: `is not tracked by git, so the build leaves it out. Add it with \`git add ${shellWord(path)}\`` }));
}

/** Folders of the application, without `./` and slashes at the end. Fails with MANIFEST_INVALID for one outside of it. */
function promptFolders(sources: readonly string[]): readonly string[] {
  const folders = sources.filter((source) => !source.startsWith("npm:"));
  const outside = folders.filter((folder) => /^([/\\]|[A-Za-z]:)/.test(folder) || posix.normalize(folder).startsWith(".."));
  if (outside.length > 0) {
    const problems = outside.map((folder): Problem => ({ file: "twelve.yaml", path: "prompts", message: `${folder} is outside of the application's folder; share prompts as a package: npm:@scope/name` }));
    throw new TwelveError("MANIFEST_INVALID", "twelve.yaml names a folder of prompts that cannot be used", { problems });
  }
  return folders.map((folder) => posix.normalize(folder).replace(/\/+$/, ""));
}

interface FolderTexts {
  readonly texts: readonly PromptFile[];
  readonly problems: readonly Problem[];
}

async function readFolder(dir: string, folder: string, tracked: readonly TrackedFile[]): Promise<FolderTexts> {
  const start = folder === "." ? "" : `${folder}/`;
  const files = tracked.filter(({ path }) => path.startsWith(start) && path.endsWith(".prompt"));
  const read = files.map(async ({ path, mode }): Promise<FolderTexts> => {
    if (mode === "symlink") return { texts: [], problems: [{ file: path, message: "is a link; a prompt must be a file" }] };
    return readText(join(dir, path), path, path.slice(start.length));
  });
  const all = await Promise.all(read);
  return { texts: all.flatMap(({ texts }) => texts), problems: all.flatMap(({ problems }) => problems) };
}

/** Reads UTF-8, with or without a byte-order mark. */
export async function readText(file: string, path: string, name: string): Promise<FolderTexts> {
  const problem = (message: string): FolderTexts => ({ texts: [], problems: [{ file: path, message }] });
  try {
    const bytes = await readFile(file);
    return { texts: [{ path, name, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) }], problems: [] };
  } catch (cause) {
    if (cause instanceof TypeError) return problem("is not UTF-8. Save it as UTF-8");
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return problem(`is tracked by git but missing on disk. Restore it with \`git restore -- ${shellWord(path)}\``);
    return problem(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`);
  }
}

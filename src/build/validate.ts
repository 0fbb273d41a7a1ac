import { join } from "node:path";
import { openGit } from "../code/git.ts";
import { readRepository, type Repository } from "../code/repository.ts";
import { selectFiles, type Selection, shellWord } from "../code/select-plan.ts";
import { TwelveError } from "../core/errors.ts";
import { declaredModels, lifecycleComplaints } from "../manifest/lifecycle.ts";
import { manifestFile, readManifest } from "../manifest/read.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Context } from "../ports/context.ts";
import { compilePrompts } from "../prompt/compile.ts";
import type { CompiledPrompt } from "../prompt/schema.ts";
import { checkAgents } from "./agents-plan.ts";
import { refuseEnded } from "./ending.ts";
import { formatProblem, locate } from "./place.ts";
import { readPrompts, untrackedPrompts } from "./prompts.ts";
import type { Build } from "./schema.ts";
import { checkPrograms, checkTools } from "./tools-plan.ts";
import { checkScripts } from "./scripts.ts";

/** An application whose manifest, files and prompts can make a build. */
export interface ValidApplication {
  readonly manifest: Manifest;
  readonly repository: Repository;
  readonly selection: Selection;
  readonly prompts: readonly CompiledPrompt[];
  readonly promptPackages: Build["promptPackages"];
  /** What the user should look at, each one a line. */
  readonly warnings: readonly string[];
}

/** Checks everything that a build checks before it reads the code. Nothing is written and no model is called. */
export async function validateApplication(context: Context): Promise<ValidApplication> {
  const { dir, env, processes, clock } = context;
  const git = openGit(processes, dir, env);
  // Git works on its own process meanwhile; a broken manifest has the first word all the same.
  const [manifestRead, repositoryRead] = await Promise.allSettled([readManifest(dir), readRepository(git)]);
  if (manifestRead.status === "rejected") throw manifestRead.reason;
  if (repositoryRead.status === "rejected") throw repositoryRead.reason;
  const manifest = manifestRead.value;
  const repository = repositoryRead.value;
  assertManifestTracked(dir, repository);

  const [sources, untracked] = await Promise.all([readPrompts(dir, manifest.prompts, repository.files), untrackedPrompts(git, manifest.prompts)]);
  const selection = selectFiles(repository, { ...manifest.code, watched: [manifestFile, ...sources.texts.map(({ path }) => path)] });
  if (selection.problems.length > 0) {
    throw new TwelveError("CODE_INVALID", `${selection.problems.length === 1 ? "A file" : `${selection.problems.length} files`} of the application cannot be packaged`, { problems: selection.problems });
  }
  const { prompts, problems, warnings } = compilePrompts(sources.texts);
  if (problems.length > 0) throw new TwelveError("PROMPT_INVALID", `The prompts have ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`, { problems });

  const agents = checkAgents(manifest, prompts);
  if (agents.problems.length > 0) {
    throw new TwelveError("PROMPT_UNKNOWN", `${agents.problems.length === 1 ? "An agent names a prompt" : `${agents.problems.length} agents name prompts`} that cannot be found`, { problems: await locate(dir, agents.problems) });
  }
  const packaged = selection.files.map(({ path }) => path);
  const tools = checkTools(manifest, packaged);
  if (tools.problems.length > 0) throw new TwelveError("TOOL_INVALID", `${tools.problems.length === 1 ? "A tool" : `${tools.problems.length} tools`} cannot be used as declared`, { problems: await locate(dir, tools.problems) });
  const programs = checkPrograms(manifest, packaged);
  if (programs.length > 0) throw new TwelveError("MANIFEST_INVALID", `${programs.length === 1 ? "A process type starts a program" : `${programs.length} process types start programs`} that a release would not have`, { problems: await locate(dir, programs) });
  await checkScripts(context, manifest, packaged);
  const ending = await refuseEnded(dir, lifecycleComplaints(declaredModels(manifest), manifest.lifecycle, clock.now()));
  return {
    manifest,
    repository,
    selection,
    prompts,
    promptPackages: sources.packages.map(({ name, version, digest }) => ({ name, version, digest })),
    warnings: [...untracked, ...sources.warnings, ...warnings, ...agents.warnings, ...tools.warnings, ...ending].map(formatProblem),
  };
}

function assertManifestTracked(dir: string, { files }: Repository): void {
  if (files.some(({ path }) => path === manifestFile)) return;
  const what = files.length === 0 ? `Git tracks no file in ${dir}` : `Git does not track ${join(dir, manifestFile)}`;
  throw new TwelveError("MANIFEST_UNTRACKED", `${what}; a build packages only what git tracks`, {
    fix: files.length === 0 ? `Run \`git -C ${shellWord(dir)} add .\`, look at \`git status\`, and try again` : `Run \`git -C ${shellWord(dir)} add ${manifestFile}\``,
  });
}

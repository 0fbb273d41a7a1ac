import { basename, relative, resolve } from "node:path";
import { z } from "zod";
import { manifestJsonSchema } from "../manifest/json-schema.ts";
import { defineCommand } from "../ports/command.ts";
import type { Context } from "../ports/context.ts";
import { applyInit, checkTarget } from "./apply.ts";
import { commitAll, findRepository } from "./git.ts";
import { appNameFrom, planInit } from "./plan.ts";
import { readTemplate } from "./read.ts";
import { Application } from "./schema.ts";

export default defineCommand({
  input: z.strictObject({
    folder: z.string().default(".").meta({ description: "Folder to make; the current one when it is empty", positional: true }),
    template: z.string().default("rag").meta({ description: "rag: answers from documents, with citations; chat: a prompt and a model; agent: tools, one of which a person approves" }),
  }),
  output: Application,
  examples: ["twelve init support", "twelve init support --template chat", "twelve init desk --template agent"],
  async run({ folder, template }, context) {
    const target = resolve(context.dir, folder);
    const app = appNameFrom(basename(target));
    if (app !== basename(target)) context.story.note(`The application is called ${app}: names have lower-case letters, digits and hyphens`);
    const files = planInit(await readTemplate(template), app, manifestJsonSchema());
    // Before git is asked, so that the plainest mistake gets the first word.
    await checkTarget(target);

    let git: Pick<Application, "repository" | "commit"> = { repository: "missing", commit: null };
    await applyInit({
      target,
      files,
      temporaryName: `.twelve-init-${context.clock.randomHex(6)}`,
      finish: async (prepared) => {
        git = await putUnderGit(context, prepared, target);
      },
    });
    return { app, folder: target, template, files: files.map(({ path }) => path), ...git };
  },
  render({ app, folder, template, files, repository, commit }) {
    // From where it was typed: `--dir` is another place.
    const way = relative("", folder);
    const steps = [
      ...(way === "" ? [] : [`cd ${/^[\w./-]+$/.test(way) ? way : JSON.stringify(way)}`]),
      ...(repository === "missing" ? ["git init"] : []),
      ...(commit === null ? ["git add -A . && git commit -m \"First version\""] : []),
      "twelve build",
      ...(template === "rag" ? ["twelve index --source docs/"] : []),
    ];
    return `Made ${app} in ${folder} from the template ${template}: ${files.length} files\n\nNext:\n${steps.map((step) => `  ${step}`).join("\n")}`;
  },
});

/** `prepared` holds the application's files until they move to `target`; git does not mind being moved. */
async function putUnderGit({ processes, story }: Context, prepared: string, target: string): Promise<Pick<Application, "repository" | "commit">> {
  const repository = await findRepository(processes, prepared, target);
  if (repository === "missing") story.warn("Git is not installed. A build takes its files from git: install it, then run `git init` in the folder");
  if (repository === "enclosing") story.note("The folder is inside a git repository, so none was made: commit the new files there");
  if (repository !== "created") return { repository, commit: null };
  const { commit, complaint, hasFallbackIdentity } = await commitAll(processes, prepared);
  if (commit === null) story.warn(`Git could not make the first commit: ${complaint}. Run \`git add -A && git commit\` in the folder`);
  if (hasFallbackIdentity) story.note("Git knows no author, so the first commit is by twelve <twelve@localhost>; set user.name and user.email for your own");
  return { repository, commit };
}

import { z } from "zod";
import { readCode } from "../code/apply.ts";
import { readCache } from "../code/cache.ts";
import { resolveFor } from "../config/read.ts";
import { checkState, stateUrlOf } from "../config/state.ts";
import { failures } from "../core/failures.ts";
import { defineCommand } from "../ports/command.ts";
import { inspectCode } from "./inspect-code.ts";
import { tellFindings } from "./report.ts";
import { Finding } from "./schema.ts";
import { validateApplication } from "./validate.ts";

const CheckReport = z
  .strictObject({
    app: z.string(),
    prompts: z.int().meta({ description: "Prompts that compiled" }),
    files: z.int().meta({ description: "Files that a build would package" }),
    findings: z.array(Finding),
    warnings: z.array(z.string()),
    isStrict: z.boolean(),
  })
  .meta({ title: "CheckReport", description: "What a build would complain about" });

export default defineCommand({
  input: z.strictObject({
    env: z.string().optional().meta({ description: "Check the configuration of this environment, too", valueName: "name" }),
    strict: z.boolean().default(false).meta({ description: "Exit with 100 when there are findings" }),
  }),
  output: CheckReport,
  description: "Checks the manifest, the prompts, the tools and the code as a build does, and with --env what an environment configures. Nothing is written and no model is called.",
  examples: ["twelve check", "twelve check --strict", "twelve check --env production"],
  async run({ strict, env: environment }, context) {
    const { dir, signal, story } = context;
    const { manifest, repository, selection, prompts, warnings } = await validateApplication(context);
    if (environment !== undefined) await checkState(context, manifest, stateUrlOf(await resolveFor(context, manifest, { environment }), context.env));
    const progress = story.progress("Reading code");
    try {
      const { files } = selection;
      const code = await readCode(files, readCache(dir), { dir, signal, update: (done) => progress.update(done, files.length) });
      const findings = await inspectCode(dir, repository, code.facts);
      tellFindings(story, findings, warnings);
      return { app: manifest.name, prompts: prompts.length, files: files.length, findings: [...findings], warnings: [...warnings], isStrict: strict };
    } finally {
      progress.stop();
    }
  },
  render: ({ app, prompts, files, findings, warnings }) => {
    const count = (number: number, noun: string): string => `${number} ${noun}${number === 1 ? "" : "s"}`;
    return `${app} can be built: ${count(files, "file")}, ${count(prompts, "prompt")}, ${count(findings.length, "finding")}, ${count(warnings.length, "warning")}\n\nNext: twelve build`;
  },
  verdict: ({ isStrict, findings }) =>
    isStrict && findings.length > 0 ? { exit: failures.CHECK_FAILED.exit, message: `${findings.length === 1 ? "A finding stands" : `${findings.length} findings stand`} against the build; correct them, or check without --strict` } : undefined,
});

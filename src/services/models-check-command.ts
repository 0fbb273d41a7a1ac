import { z } from "zod";
import { counted } from "../core/counted.ts";
import { defineCommand } from "../ports/command.ts";
import { askServices } from "./apply.ts";
import { isUntold, missingModels, modelNeeds, modelRow, ModelsReport, renderModels } from "./models.ts";
import { findNeeds } from "./read.ts";

export default defineCommand({
  description:
    "Asks the providers of a release's models, embedders and rerankers, all at the same time, whether each is there, and tells its lifecycle. Bedrock, OpenAI and Anthropic tell state " +
    "and end of life themselves; for the others the dated table of this version does, and twelve.yaml's `lifecycle:` stands above all. Ends with 100 when a model is gone or past its end of " +
    "life, else with 6 when a provider cannot be asked, or tells nothing of a model that nobody else knows.",
  input: z.strictObject({
    env: z.string().default("development").meta({ description: "Environment whose active release is looked at", valueName: "name" }),
    release: z.string().optional().meta({ description: "Another release than the active one, such as v3", valueName: "release" }),
    next: z.boolean().default(false).meta({ description: "Look at what a release made now would need: twelve.yaml and the configuration as they stand" }),
    timeout: z.number().min(0.1).max(600).default(10).meta({ description: "How long each provider may take to answer", valueName: "seconds" }),
  }),
  output: ModelsReport,
  examples: ["twelve models check", "twelve models check --env production --json"],

  async run({ env: environment, release: wanted, next, timeout }, context) {
    const limitMs = timeout * 1000;
    const { app, release, needs, missing, lifecycle, secrets, code } = await findNeeds(context, { environment, release: wanted, isNext: next, limitMs });
    const models = modelNeeds(needs);
    const progress = context.story.progress("Asking providers");
    let answered = 0;
    try {
      const asked = await askServices(context, models, { environment, secrets, code, limitMs, isLifeAsked: true, onAnswer: () => progress.update(++answered, models.length) });
      return { app, environment, release, models: models.map((need, i) => modelRow(need, asked[i], lifecycle, context.clock.now())), missing: missingModels(missing) };
    } finally {
      progress.stop();
    }
  },

  render: (report) => renderModels(report, true),

  verdict({ models, missing }) {
    const gone = models.filter(({ exists, state }) => exists === false || state === "ended").length;
    if (gone > 0) return { exit: 100, message: `${gone} of ${counted(models.length, "model")} ${gone === 1 ? "is" : "are"} gone or past the end of life` };
    if (missing.length > 0) return { exit: 6, message: `${missing.map(({ name }) => name).join(", ")}: not every model is known` };
    const untold = models.filter(isUntold).length;
    return untold === 0 ? undefined : { exit: 6, message: `${untold} of ${counted(models.length, "model")} could not be asked for` };
  },
});

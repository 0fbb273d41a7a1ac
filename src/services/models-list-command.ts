import { z } from "zod";
import { defineCommand } from "../ports/command.ts";
import { missingModels, modelNeeds, modelRow, ModelsReport, renderModels } from "./models.ts";
import { findNeeds } from "./read.ts";

const limitMs = 10_000;

export default defineCommand({
  description:
    "Lists the models, embedders and rerankers of a release with their lifecycle: what twelve.yaml says under `lifecycle:`, else the dated table of this version. No provider is " +
    "asked; `twelve models check` does that. Before the first release it takes what twelve.yaml and the environment's configuration name.",
  input: z.strictObject({
    env: z.string().default("development").meta({ description: "Environment whose active release is looked at", valueName: "name" }),
    release: z.string().optional().meta({ description: "Another release than the active one, such as v3", valueName: "release" }),
    next: z.boolean().default(false).meta({ description: "Look at what a release made now would need: twelve.yaml and the configuration as they stand" }),
  }),
  output: ModelsReport,
  examples: ["twelve models list", "twelve models list --env production --json"],

  async run({ env: environment, release: wanted, next }, context) {
    const { app, release, needs, missing, lifecycle } = await findNeeds(context, { environment, release: wanted, isNext: next, limitMs });
    return { app, environment, release, models: modelNeeds(needs).map((need) => modelRow(need, undefined, lifecycle, context.clock.now())), missing: missingModels(missing) };
  },

  render: (report) => renderModels(report, false),
});

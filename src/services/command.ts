import { z } from "zod";
import { counted } from "../core/counted.ts";
import { fitTable } from "../core/table.ts";
import { defineCommand } from "../ports/command.ts";
import { askServices } from "./apply.ts";
import { findNeeds } from "./read.ts";
import { ServiceRow } from "./schema.ts";

export default defineCommand({
  description:
    "Connects to the models, embedders, rerankers, vector stores, state, store and configuration source of a release, all at the same time, and says of " +
    "each whether it answers, and what to do where it does not. Before the first release it takes what twelve.yaml and the environment's configuration name. " +
    "No model is asked to answer; an embedder embeds one word, and a reranker that cannot be asked for nothing ranks one. Ends with 6 when anything is missing.",
  input: z.strictObject({
    env: z.string().default("development").meta({ description: "Environment whose active release is looked at", valueName: "name" }),
    release: z.string().optional().meta({ description: "Another release than the active one, such as v3", valueName: "release" }),
    next: z.boolean().default(false).meta({ description: "Look at what a release made now would need: twelve.yaml and the configuration as they stand" }),
    timeout: z.number().min(0.1).max(600).default(10).meta({ description: "How long each service may take to answer", valueName: "seconds" }),
  }),
  output: z.strictObject({
    app: z.string(),
    environment: z.string(),
    release: z.int().positive().nullable().meta({ description: "Number of the release; null when twelve.yaml was looked at instead" }),
    services: z.array(ServiceRow),
  }),
  examples: ["twelve services check", "twelve services check --env production --json", "twelve services check --env staging --release v3 --timeout 30", "twelve services check --env staging --next"],

  async run({ env: environment, release: wanted, next, timeout }, context) {
    const limitMs = timeout * 1000;
    const { app, release, needs, missing, secrets, code } = await findNeeds(context, { environment, release: wanted, isNext: next, limitMs });
    const progress = context.story.progress("Asking services");
    let answered = 0;
    try {
      const asked = await askServices(context, needs, { environment, secrets, code, limitMs, onAnswer: () => progress.update(++answered, needs.length) });
      return { app, environment, release, services: [...asked, ...missing] };
    } finally {
      progress.stop();
    }
  },

  render({ app, environment, release, services }) {
    const title = release === null ? `${app} in ${environment}, as twelve.yaml and the configuration stand now` : `Release v${release} of ${app} in ${environment}`;
    const rows = services.map(({ service, url, isReachable, version, detail, latencyMs }) => [
      service,
      url ?? "-",
      isReachable ? "yes" : url === null ? "missing" : "no",
      latencyMs === null ? "-" : `${latencyMs} ms`,
      [version, detail].filter((text) => text !== null).join(", ") || "-",
    ]);
    // Elsewhere than on a terminal every line stays whole, for whatever reads it.
    const table = fitTable(["SERVICE", "URL", "REACHABLE", "LATENCY", "VERSION"], rows, process.stdout.columns ?? Number.POSITIVE_INFINITY);
    const wrong = services.flatMap(({ service, problem }) => (problem === null ? [] : [`\n${service}: ${problem.message}\n  Fix: ${problem.fix}  [${problem.code}]`]));
    return [title, "", table, ...wrong].join("\n");
  },

  verdict({ services }) {
    const away = services.filter(({ isReachable }) => !isReachable).length;
    return away === 0 ? undefined : { exit: 6, message: `${away} of ${counted(services.length, "service")} cannot be used` };
  },
});

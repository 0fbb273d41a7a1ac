import { z } from "zod";
import { withoutCredentials } from "../core/url.ts";
import { fitTable } from "../core/table.ts";
import { dated, lifecycleOf } from "../manifest/lifecycle.ts";
import type { Manifest } from "../manifest/schema.ts";
import type { Need } from "./plan.ts";
import { ServiceProblem, type ServiceRow } from "./schema.ts";

const modelRoles: ReadonlySet<string> = new Set(["model", "embedder", "reranker"]);

export const ModelRow = z.strictObject({
  model: z.string().meta({ description: "Reference without credentials" }),
  use: z.string().meta({ description: "What it is for, such as `model of agent support`" }),
  exists: z.boolean().nullable().meta({ description: "null where nobody was asked, or the provider could not be" }),
  state: z.enum(["unknown", "active", "legacy", "ending", "ended"]).meta({ description: "`ending` has a date that is to come, `ended` one that is past" }),
  endOfLife: z.iso.date().nullable(),
  source: z.string().nullable().meta({ description: "Who tells the date: the provider, twelve.yaml or the dated table of this version" }),
  problem: ServiceProblem.nullable(),
});
export type ModelRow = z.infer<typeof ModelRow>;

export const ModelsReport = z.strictObject({
  app: z.string(),
  environment: z.string(),
  release: z.int().positive().nullable().meta({ description: "Number of the release; null when twelve.yaml was looked at instead" }),
  models: z.array(ModelRow),
});
export type ModelsReport = z.infer<typeof ModelsReport>;

export function modelNeeds(needs: readonly Need[]): readonly Need[] {
  return needs.filter(({ role }) => modelRoles.has(role));
}

/** What is known of a model without asking anybody, and, where its provider was asked, with what it said. */
export function modelRow({ reference, service }: Need, asked: ServiceRow | undefined, overrides: Manifest["lifecycle"], now: Date): ModelRow {
  const known = lifecycleOf(reference, overrides, now);
  const told = asked?.lifecycle ?? undefined;
  // The provider knows best, save for what somebody wrote down on purpose.
  const { state, endOfLife, source } = told === undefined || known.source === "twelve.yaml" ? known : { ...dated(told.endOfLife, "provider", now), ...(told.endOfLife === null ? { state: told.state } : {}) };
  const isMissing = asked?.problem?.code === "SERVICE_NOT_FOUND";
  const exists = asked === undefined ? null : asked.isReachable ? true : isMissing ? false : null;
  return { model: withoutCredentials(reference), use: service, exists, state, endOfLife, source, problem: asked?.problem ?? null };
}

export function renderModels({ app, environment, release, models }: ModelsReport, isAsked: boolean): string {
  const title = release === null ? `${app} in ${environment}, as twelve.yaml and the configuration stand now` : `Release v${release} of ${app} in ${environment}`;
  const there = (exists: boolean | null): readonly string[] => (isAsked ? [exists === null ? "?" : exists ? "yes" : "no"] : []);
  const rows = models.map(({ model, use, exists, state, endOfLife, source }) => [model, use, ...there(exists), state, endOfLife ?? "-", source ?? "-"]);
  const table = fitTable(["MODEL", "USE", ...(isAsked ? ["EXISTS"] : []), "STATE", "END OF LIFE", "SAYS"], rows, process.stdout.columns ?? Number.POSITIVE_INFINITY);
  const wrong = models.flatMap(({ model, problem }) => (problem === null ? [] : [`\n${model}: ${problem.message}\n  Fix: ${problem.fix}  [${problem.code}]`]));
  return [title, "", models.length === 0 ? "No agent and no index names a model." : table, ...wrong].join("\n");
}

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
  exists: z.boolean().nullable().meta({ description: "null where nobody was asked, the provider could not be, or does not tell" }),
  state: z.enum(["unknown", "active", "legacy", "ending", "ended"]).meta({ description: "`ending` has a date that is to come, `ended` one that is past" }),
  endOfLife: z.iso.date().nullable(),
  source: z.string().nullable().meta({ description: "Who tells the date: the provider, twelve.yaml or the dated table of this version" }),
  detail: z.string().nullable().meta({ description: "What else the provider said" }),
  problem: ServiceProblem.nullable(),
});
export type ModelRow = z.infer<typeof ModelRow>;

export const ModelsReport = z.strictObject({
  app: z.string(),
  environment: z.string(),
  release: z.int().positive().nullable().meta({ description: "Number of the release; null when twelve.yaml was looked at instead" }),
  models: z.array(ModelRow),
  missing: z.array(z.strictObject({ name: z.string(), problem: ServiceProblem })).meta({ description: "What has to be set before every model is known" }),
});
export type ModelsReport = z.infer<typeof ModelsReport>;

export function modelNeeds(needs: readonly Need[]): readonly Need[] {
  return needs.filter(({ role }) => modelRoles.has(role));
}

/** A secret, a place of vectors or a state that is missing hides no model; a key or a setting may. */
export function missingModels(missing: readonly ServiceRow[]): ModelsReport["missing"] {
  return missing.flatMap(({ service, problem }) => (problem === null || /^(?:secret .*|state|vectors)$/.test(service) ? [] : [{ name: service, problem }]));
}

/** Failures that say that the model itself is not there; in twelve.lock, for a local one. */
const goneCodes: ReadonlySet<string> = new Set(["SERVICE_NOT_FOUND", "MODEL_UNPINNED", "MODEL_DAMAGED"]);

/** What is known of a model without asking anybody, and, where its provider was asked, with what it said. */
export function modelRow({ reference, service }: Need, asked: ServiceRow | undefined, overrides: Manifest["lifecycle"], now: Date): ModelRow {
  const known = lifecycleOf(reference, overrides, now);
  const told = asked?.lifecycle ?? undefined;
  // The provider knows best, save for what somebody wrote down on purpose.
  const { state, endOfLife, source } = told === undefined || known.source === "twelve.yaml" ? known : { ...dated(told.endOfLife, "provider", now), ...(told.endOfLife === null ? { state: told.state } : {}) };
  return { model: withoutCredentials(reference), use: service, exists: existsBy(asked), state, endOfLife, source, detail: asked?.detail ?? null, problem: asked?.problem ?? null };
}

function existsBy(asked: ServiceRow | undefined): boolean | null {
  if (asked === undefined || asked.isModelUnknown === true) return null;
  if (asked.isReachable) return true;
  return goneCodes.has(asked.problem?.code ?? "") ? false : null;
}

/** Nobody could be asked, or what was answered says neither whether the model is there nor how long. */
export function isUntold({ exists, state, problem }: ModelRow): boolean {
  return exists === null && (problem !== null || state === "unknown");
}

export function renderModels({ app, environment, release, models, missing }: ModelsReport, isAsked: boolean): string {
  const title = release === null ? `${app} in ${environment}, as twelve.yaml and the configuration stand now` : `Release v${release} of ${app} in ${environment}`;
  const there = (exists: boolean | null): readonly string[] => (isAsked ? [exists === null ? "?" : exists ? "yes" : "no"] : []);
  const rows = models.map(({ model, use, exists, state, endOfLife, source }) => [model, use, ...there(exists), state, endOfLife ?? "-", source ?? "-"]);
  const table = fitTable(["MODEL", "USE", ...(isAsked ? ["EXISTS"] : []), "STATE", "END OF LIFE", "SAYS"], rows, process.stdout.columns ?? Number.POSITIVE_INFINITY);
  const untold = models.flatMap(({ model, exists, detail, problem }) => (isAsked && exists === null && problem === null && detail !== null ? [`\n${model}: ${detail}`] : []));
  const wrong = [...models.map(({ model, problem }) => ({ name: model, problem })), ...missing].flatMap(({ name, problem }) => (problem === null ? [] : [`\n${name}: ${problem.message}\n  Fix: ${problem.fix}  [${problem.code}]`]));
  const isEmpty = models.length === 0 && missing.length === 0;
  return [title, ...(isEmpty ? ["", "No agent and no index names a model."] : models.length === 0 ? [] : ["", table]), ...untold, ...wrong].join("\n");
}

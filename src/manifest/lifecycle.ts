import { lifecycleTable } from "./lifecycle-table.ts";
import type { Manifest } from "./schema.ts";
import { resolveReferences } from "./setting.ts";

/** Where a model stands: `ending` has a date that is to come, `ended` one that is past. What runs here, such as a mock, never ends. */
export type LifecycleState = "unknown" | "active" | "legacy" | "ending" | "ended";

export interface Lifecycle {
  readonly state: LifecycleState;
  /** Day from which the provider answers no more, such as 2027-01-31. */
  readonly endOfLife: string | null;
  /** Who says so; null where nobody does. */
  readonly source: string | null;
}

/** What the manifest says about models, above the table. */
export type LifecycleOverrides = Manifest["lifecycle"];

const local = /^(?:mock|hash|transformers):/;
const dayMs = 24 * 60 * 60 * 1000;
/** From here on a build warns. */
export const warnDays = 90;

/** What twelve.yaml, else the table in this package, says of a model. */
export function lifecycleOf(reference: string, overrides: LifecycleOverrides, now: Date): Lifecycle {
  const names = namesOf(reference);
  if (names.some((name) => local.test(name))) return { state: "active", endOfLife: null, source: null };
  const override = firstOf(overrides, names);
  if (override !== undefined) return dated(override.endOfLife, "twelve.yaml", now);
  const endOfLife = firstOf(lifecycleTable.ends, names) ?? null;
  return endOfLife === null ? { state: "unknown", endOfLife, source: null } : dated(endOfLife, `table of ${lifecycleTable.madeOn}`, now);
}

/** As it is written, then as a table has it: OpenAI's own address is `openai:`, and a model that was tuned there ends with the one it was made of. */
function namesOf(reference: string): readonly string[] {
  const written = reference.split("?", 1)[0] ?? reference;
  const plain = written.replace(/^[a-z0-9+.-]+:/i, (scheme) => scheme.toLowerCase()).replace(/^https:\/\/api\.openai\.com\/v1\/?#/, "openai:");
  const base = /^openai:ft:([^:]+):/.exec(plain)?.[1];
  return [written, plain, ...(base === undefined ? [] : [`openai:${base}`])];
}

function firstOf<Value>(table: Readonly<Record<string, Value>>, names: readonly string[]): Value | undefined {
  const name = names.find((each) => Object.hasOwn(table, each));
  return name === undefined ? undefined : table[name];
}

/** The state that a date means today; null is a model without an end that anybody knows of. */
export function dated(endOfLife: string | null, source: string, now: Date): Lifecycle {
  if (endOfLife === null) return { state: "active", endOfLife, source };
  return { state: daysUntil(endOfLife, now) > 0 ? "ending" : "ended", endOfLife, source };
}

/** Whole days, in UTC; 0 on the day itself and negative after it. */
export function daysUntil(day: string, now: Date): number {
  return Math.ceil((Date.parse(`${day}T00:00:00Z`) - now.getTime()) / dayMs);
}

export interface DeclaredModel {
  readonly role: "model" | "embedder" | "reranker";
  readonly reference: string;
  /** Field of twelve.yaml that names it. */
  readonly path: string;
}

/** The models that the manifest names itself, or by the default of a key. What an environment chooses is seen at its release. */
export function declaredModels({ agents, indexes, config }: Pick<Manifest, "agents" | "indexes" | "config">): readonly DeclaredModel[] {
  const defaults = Object.fromEntries(Object.entries(config).flatMap(([key, declaration]) => (declaration.default === undefined ? [] : [[key, declaration.default] as const])));
  const fields = [
    ...Object.entries(agents).flatMap(([name, { model, retrieve }]) => [
      ...[model].flat().map((reference, i) => ["model", reference, typeof model === "string" ? `agents.${name}.model` : `agents.${name}.model.${i}`] as const),
      ...(retrieve?.reranker === undefined ? [] : [["reranker", retrieve.reranker, `agents.${name}.retrieve.reranker`] as const]),
    ]),
    ...Object.entries(indexes).map(([name, { embedder }]) => ["embedder", embedder, `indexes.${name}.embedder`] as const),
  ];
  return fields.flatMap(([role, field, path]) => {
    const reference = resolveReferences(field, defaults);
    return typeof reference === "string" && reference !== "" && !reference.includes("${") ? [{ role, reference, path }] : [];
  });
}

/** By reference. */
export type ToldLives = ReadonlyMap<string, Lifecycle>;

export interface LifecycleComplaint extends DeclaredModel {
  readonly isEnded: boolean;
  readonly message: string;
}

/** Models that have ended, or will within ninety days; `told` has what providers said of those that nobody else knows. */
export function lifecycleComplaints(models: readonly DeclaredModel[], overrides: LifecycleOverrides, now: Date, told: ToldLives = new Map()): readonly LifecycleComplaint[] {
  return models.flatMap((model) => {
    const { reference } = model;
    const { state, endOfLife, source } = told.get(reference) ?? lifecycleOf(reference, overrides, now);
    if (endOfLife === null || (state !== "ended" && daysUntil(endOfLife, now) > warnDays)) return [];
    const isEnded = state === "ended";
    const when = isEnded ? `reached its end of life on ${endOfLife}` : `reaches its end of life on ${endOfLife}, in ${daysUntil(endOfLife, now)} days`;
    return [{ ...model, isEnded, message: `${reference.split("?", 1)[0]} ${when} (${source})` }];
  });
}

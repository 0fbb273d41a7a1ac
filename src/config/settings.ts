import type { z } from "zod";
import { type Problem, TwelveError } from "../core/errors.ts";
import { formatPath } from "../core/problems.ts";
import { ServiceUrl } from "../manifest/name.ts";
import { AgentSettings, IndexSettings, type Manifest } from "../manifest/schema.ts";
import { type ConfigValue, referencesIn, resolveReferences } from "../manifest/setting.ts";

/** A value with its source: what `resolveConfig` gives, and what a release has frozen. */
export type SourcedValues = Readonly<Record<string, { readonly value: ConfigValue | null; readonly source: string | null }>>;
type Declared = Pick<Manifest, "config" | "agents" | "indexes">;

/** Indexes with every `${KEY}` replaced. Fails with CONFIG_INVALID, naming the key that gives a wrong setting. */
export function resolvedIndexes(manifest: Declared, values: SourcedValues, names: readonly string[] = Object.keys(manifest.indexes)): Readonly<Record<string, IndexSettings>> {
  return resolveAll(IndexSettings, manifest, { group: "indexes", names, values });
}

/** The frozen keys that an index's own settings name. Where it is searched is the environment's business, not the index's. */
export function keysOfIndex({ indexes }: Pick<Manifest, "indexes">, name: string): readonly string[] {
  return [...new Set(referencesIn(withoutPlace(indexes[name] ?? {})).map(({ key }) => key))];
}

/** Agents with every `${KEY}` replaced; an empty variant means none. Fails with CONFIG_INVALID, as above. */
export function resolvedAgents(manifest: Declared, values: SourcedValues, names: readonly string[] = Object.keys(manifest.agents)): Readonly<Record<string, AgentSettings>> {
  return resolveAll(AgentSettings, manifest, { group: "agents", names, values });
}

/** What an agent names, as far as it can be told. */
export interface NamedServices {
  readonly model: readonly string[];
  readonly retrieve?: { readonly reranker?: string | undefined };
  readonly session: AgentSettings["session"];
}

/** The services of an agent of which another setting cannot be used. */
export function servicesOfAgent({ agents }: Declared, values: SourcedValues, name: string): NamedServices | undefined {
  const agent = agents[name];
  if (agent === undefined) return undefined;
  return { model: urlsIn(agent.model, values), retrieve: { reranker: urlsIn(agent.retrieve?.reranker, values)[0] }, session: agent.session };
}

/** The embedder of an index of which another setting cannot be used. */
export function embedderOfIndex({ indexes }: Declared, values: SourcedValues, name: string): string | undefined {
  return urlsIn(indexes[name]?.embedder, values)[0];
}

function urlsIn(field: unknown, values: SourcedValues): readonly string[] {
  const given = givenIn(values);
  const resolved = [field].flat().filter((item) => referencesIn(item).every(({ key }) => Object.hasOwn(given, key))).map((item) => resolveReferences(item, given));
  return resolved.flatMap((item) => ServiceUrl.safeParse(item).data ?? []);
}

function givenIn(values: SourcedValues): Readonly<Record<string, ConfigValue>> {
  return Object.fromEntries(Object.entries(values).flatMap(([key, { value }]) => (value === null ? [] : [[key, value]])));
}

interface Wanted {
  readonly group: "agents" | "indexes";
  readonly names: readonly string[];
  readonly values: SourcedValues;
}

function resolveAll<Schema extends z.ZodType>(schema: Schema, manifest: Declared, { group, names, values }: Wanted): Record<string, z.output<Schema>> {
  const given = givenIn(values);
  const problems: Problem[] = [];
  const settings: Record<string, z.output<Schema>> = {};
  for (const name of names) {
    const found = manifest[group][name];
    if (found === undefined) continue;
    const declared = withoutPlace(found);
    const kept = withoutUnset(declared, given);
    const unset = referencesIn(kept).filter(({ key }) => !Object.hasOwn(given, key));
    problems.push(...unset.map(({ key, path }) => ({ path: formatPath([group, name, ...path]), message: `${key} is not set` })));
    if (unset.length > 0) continue;
    const result = schema.safeParse(withoutEmptyVariant(resolveReferences(kept, given)));
    if (result.success) settings[name] = result.data;
    else problems.push(...result.error.issues.map((issue) => explain(issue, { declared: kept, path: [group, name, ...issue.path], values, manifest })));
  }
  if (problems.length > 0) throw new TwelveError("CONFIG_INVALID", `Configuration gives ${problems.length === 1 ? "a setting" : "settings"} that ${group === "agents" ? "an agent" : "an index"} cannot use`, { problems });
  return settings;
}

function withoutPlace(declared: object): object {
  const { vectors: _, ...own } = declared as { readonly vectors?: unknown };
  return own;
}

/** A field, or an item of a list, that is nothing but a `${KEY}` without a value is left out, so that the field's own default holds. Of an item, an empty value is none, too. */
function withoutUnset(value: unknown, given: Readonly<Record<string, ConfigValue>>): unknown {
  if (typeof value !== "object" || value === null) return value;
  const keyOf = (field: unknown): string | undefined => (typeof field === "string" ? /^\$\{([^}]*)\}$/.exec(field)?.[1] : undefined);
  const isUnset = (field: unknown): boolean => keyOf(field) !== undefined && !Object.hasOwn(given, keyOf(field) ?? "");
  const isEmpty = (item: unknown): boolean => given[keyOf(item) ?? ""] === "";
  if (Array.isArray(value)) return value.filter((item) => !isUnset(item) && !isEmpty(item));
  return Object.fromEntries(Object.entries(value).flatMap(([key, field]) => (isUnset(field) ? [] : [[key, withoutUnset(field, given)]])));
}

function withoutEmptyVariant(settings: unknown): unknown {
  if (typeof settings !== "object" || settings === null || !("variant" in settings) || settings.variant !== "") return settings;
  const { variant: _, ...others } = settings;
  return others;
}

interface Place {
  readonly declared: unknown;
  readonly path: readonly PropertyKey[];
  readonly values: SourcedValues;
  readonly manifest: Declared;
}

function explain(issue: z.core.$ZodIssue, { declared, path, values, manifest }: Place): Problem {
  const field = issue.path.reduce<unknown>((inner, key) => (typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined), declared);
  const causes = [...new Set(referencesIn(field).map(({ key }) => key))].map((key) => {
    const { value = null, source = null } = values[key] ?? {};
    if (value === null) return `${key} is not set`;
    const isText = typeof value === "string" && issue.code === "invalid_type" && manifest.config[key]?.type === "string";
    return `${key} is ${JSON.stringify(value)} (from ${source ?? "nowhere"})${isText ? `; declare it with \`type: ${issue.expected === "int" ? "integer" : issue.expected}\`` : ""}`;
  });
  return { path: formatPath(path), message: [issue.message, ...causes].join(". ") };
}

import { z } from "zod";

const reference = /\$\{([^}]*)\}/g;

/** A string with at least one `${KEY}`: the value of a declared, frozen configuration key. */
export const Reference = z
  .string()
  // Aborting, so that a wrong value is reported by its own type and not as a bad reference.
  .regex(/\$\{[A-Z][A-Z0-9_]*\}/, { abort: true, error: "Expected ${KEY} with a key of `config`" })
  .meta({ description: "${KEY}: the value of a configuration key" });

type Shape = Readonly<Record<string, z.ZodType>>;
type Settings<S extends Shape> = { [Key in keyof S]: z.ZodUnion<[S[Key], typeof Reference]> };

/** The shape of a group as it is written: each field takes its value or a `${KEY}` that gives one at release time. */
export function settings<S extends Shape>(shape: S): Settings<S> {
  const entries = Object.entries(shape).map(([key, schema]) => [key, z.union([schema, Reference]).meta(schema.meta() ?? {})]);
  return Object.fromEntries(entries) as Settings<S>;
}

/** The keys that `${KEY}` names anywhere inside `value`, each with the path of the field that names it. */
export function referencesIn(value: unknown, path: readonly PropertyKey[] = []): readonly { readonly key: string; readonly path: readonly PropertyKey[] }[] {
  if (typeof value === "string") return [...value.matchAll(reference)].map(([, key]) => ({ key: key ?? "", path }));
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => referencesIn(inner, [...path, Array.isArray(value) ? Number(key) : key]));
}

export type ConfigValue = string | number | boolean;

/**
 * Replaces every `${KEY}` inside `value`. A string that is nothing but one reference takes the value with its type;
 * inside a longer string the value is written out. Keys without a value stay as they are.
 */
export function resolveReferences(value: unknown, values: Readonly<Record<string, ConfigValue>>): unknown {
  if (typeof value === "string") {
    const whole = /^\$\{([^}]*)\}$/.exec(value)?.[1];
    if (whole !== undefined) return values[whole] ?? value;
    return value.replaceAll(reference, (text, key: string) => String(values[key] ?? text));
  }
  if (Array.isArray(value)) return value.map((inner) => resolveReferences(inner, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolveReferences(inner, values)]));
}

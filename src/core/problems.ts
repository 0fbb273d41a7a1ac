import { z } from "zod";
import type { Problem } from "./errors.ts";
import { didYouMean } from "./nearest.ts";
import type { YamlSource } from "./yaml.ts";

type Issue = z.core.$ZodIssue;
type JsonSchema = z.core.JSONSchema.BaseSchema;

/**
 * What a schema says against a value, one problem per field: its place, its path, what is allowed, and the nearest
 * name for a typo. `schema` is the one that was parsed with; its allowed keys are looked up only here.
 */
export function schemaProblems(error: z.ZodError, schema: z.ZodType, source: YamlSource): readonly Problem[] {
  const root = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
  return error.issues.flatMap((issue) => issueProblems(issue, root, source));
}

/** `agents.support.stop[0]` */
export function formatPath(path: readonly PropertyKey[]): string {
  return path.map((segment, index) => (typeof segment === "number" ? `[${segment}]` : `${index > 0 ? "." : ""}${String(segment)}`)).join("");
}

function issueProblems(issue: Issue, root: JsonSchema, source: YamlSource): readonly Problem[] {
  if (issue.code === "unrecognized_keys") {
    const allowed = allowedKeys(root, issue.path);
    return issue.keys.map((key) => ({
      ...source.locate([...issue.path, key], "key"),
      path: formatPath([...issue.path, key]),
      message: `Unknown key.${didYouMean(key, allowed)} Allowed: ${allowed.join(", ")}`,
    }));
  }
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    const reason = issue.issues.map(({ message }) => message).join("; ");
    return [{ ...source.locate(issue.path, "key"), path: formatPath(issue.path), message: reason }];
  }
  if (issue.code === "invalid_union") {
    const branch = closestBranch(issue.errors);
    if (branch !== undefined) {
      return branch.flatMap((inner) => issueProblems({ ...inner, path: [...issue.path, ...inner.path] }, root, source));
    }
  }
  return [{ ...source.locate(issue.path), path: formatPath(issue.path), message: describe(issue, source) }];
}

/** The alternative that got furthest into the value; the first one declared where several did. */
export function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depth = (issues: readonly Issue[]): number => Math.max(...issues.map(({ path }) => path.length));
  return branches.filter(({ length }) => length > 0).toSorted((left, right) => depth(right) - depth(left))[0];
}

function describe(issue: Issue, source: YamlSource): string {
  const found = valueAt(source.value, issue.path);
  if (issue.code === "invalid_type") {
    return found === undefined ? `Required; expected ${issue.expected}` : `Expected ${issue.expected}, found ${show(found)}`;
  }
  if (issue.code === "invalid_value") {
    const allowed = issue.values.map(String);
    return `${show(found)} is not allowed.${typeof found === "string" ? didYouMean(found, allowed) : ""} Allowed: ${allowed.join(", ")}`;
  }
  return issue.message;
}

function show(value: unknown): string {
  if (typeof value === "string") return `the string ${JSON.stringify(value)}`;
  if (Array.isArray(value)) return "a list";
  if (value === null) return "nothing";
  return typeof value === "object" ? "a mapping" : `the ${typeof value} ${JSON.stringify(value)}`;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

function allowedKeys(root: JsonSchema, path: readonly PropertyKey[]): readonly string[] {
  const schemas = path.reduce<readonly JsonSchema[]>((level, key) => level.flatMap((schema) => childSchemas(schema, key)), [root]);
  return [...new Set(schemas.flatMap(alternatives).flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

function childSchemas(schema: JsonSchema, key: PropertyKey): readonly JsonSchema[] {
  return alternatives(schema).flatMap(({ properties, additionalProperties, items }) => {
    const child = typeof key === "number" ? items : (properties?.[String(key)] ?? additionalProperties);
    return typeof child === "object" && !Array.isArray(child) ? [child] : [];
  });
}

function alternatives(schema: JsonSchema): readonly JsonSchema[] {
  return schema.anyOf === undefined ? [schema] : schema.anyOf.flatMap((branch) => alternatives(branch));
}

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
  if (issue.code === "unrecognized_keys") return issue.keys.map((key) => unknownKey([...issue.path, key], root, source));
  if (issue.code === "invalid_key" || issue.code === "invalid_element") {
    const reason = issue.issues.map(({ message }) => message).join("; ");
    return [{ ...source.locate(issue.path, "key"), path: formatPath(issue.path), message: reason }];
  }
  if (issue.code === "invalid_union") {
    const problems = unionProblems(issue, root, source);
    if (problems !== undefined) return problems;
  }
  return [{ ...source.locate(issue.path), path: formatPath(issue.path), message: describe(issue, source) }];
}

/** What is wrong by the alternative that was meant; nothing where that cannot be told. */
function unionProblems({ path, errors }: z.core.$ZodIssueInvalidUnion, root: JsonSchema, source: YamlSource): readonly Problem[] | undefined {
  const { schemas } = placeAt(root, source.value, path);
  const value = valueAt(source.value, path);
  const kinds = kindsOf(schemas);
  const [meant, ...others] = kinds.filter(({ key }) => hasKey(value, key));
  const problem = (message: string): readonly Problem[] => [{ ...source.locate(path, "key"), path: formatPath(path), message }];
  if (meant !== undefined && others.length > 0) return problem(`Has both ${[meant, ...others].map(({ key }) => `\`${key}\``).join(" and ")}; choose one`);
  if (meant === undefined && kinds.length > 0 && typeof value === "object" && value !== null) {
    const allowed = keysOf(schemas);
    const unknown = Object.keys(value).filter((key) => !allowed.includes(key));
    return unknown.length > 0 ? unknown.map((key) => unknownKey([...path, key], root, source)) : problem(`Needs one of ${kinds.map(({ key }) => `\`${key}\``).join(", ")}`);
  }
  const branch = meant !== undefined && kinds.length === errors.length ? errors[kinds.indexOf(meant)] : closestBranch(errors);
  return branch?.flatMap((inner) => issueProblems({ ...inner, path: [...path, ...inner.path] }, root, source));
}

/** A key that nothing here has, or that only another kind of entry has. */
function unknownKey(path: readonly PropertyKey[], root: JsonSchema, source: YamlSource): Problem {
  const key = String(path.at(-1));
  const { schemas, own, others } = placeAt(root, source.value, path.slice(0, -1));
  const allowed = keysOf(schemas);
  const owners = own === undefined ? [] : others.filter((other) => keysOf(other.schemas).includes(key)).map((other) => `\`${other.key}:\``);
  const reason = owners.length > 0 ? `\`${key}\` is for ${owners.join(" and ")}, not for \`${own ?? ""}:\`.` : `Unknown key.${didYouMean(key, allowed.filter((name) => name !== key))}`;
  return { ...source.locate(path, "key"), path: formatPath(path), message: `${reason} Allowed: ${allowed.join(", ")}` };
}

/** The alternative that got furthest into the value; the first one declared where several did. */
export function closestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const depth = (issues: readonly Issue[]): number => issues.reduce((deepest, { path }) => Math.max(deepest, path.length), 0);
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

export function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) => (typeof inner === "object" && inner !== null ? (inner as Record<PropertyKey, unknown>)[key] : undefined),
    value,
  );
}

interface Kind {
  /** The key that tells it from the others, as `serve` and `work` do. */
  readonly key: string;
  readonly schema: JsonSchema;
}

/** The alternatives of a union, where each requires a key that no other one has. */
function kindsOf(schemas: readonly JsonSchema[]): readonly Kind[] {
  const branches = schemas.flatMap(alternatives);
  if (branches.length < 2) return [];
  const kinds = branches.flatMap((schema): readonly Kind[] => {
    const key = schema.required?.find((name) => branches.every((other) => other === schema || other.properties?.[name] === undefined));
    return key === undefined ? [] : [{ key, schema }];
  });
  return kinds.length === branches.length ? kinds : [];
}

interface Place {
  /** What a value may be there, which is one alternative only where the value says which kind it is. */
  readonly schemas: readonly JsonSchema[];
  /** The kind of entry that was chosen last on the way. */
  readonly own?: string;
  /** The same place in entries of the other kinds. */
  readonly others: readonly { readonly key: string; readonly schemas: readonly JsonSchema[] }[];
}

function placeAt(root: JsonSchema, value: unknown, path: readonly PropertyKey[]): Place {
  let place = narrow({ schemas: [root], others: [] }, value);
  for (const [depth, key] of path.entries()) {
    const into = (schemas: readonly JsonSchema[]): readonly JsonSchema[] => schemas.flatMap((schema) => childSchemas(schema, key));
    const below = { ...place, schemas: into(place.schemas), others: place.others.map((other) => ({ ...other, schemas: into(other.schemas) })) };
    place = narrow(below, valueAt(value, path.slice(0, depth + 1)));
  }
  return place;
}

function narrow(place: Place, value: unknown): Place {
  const kinds = kindsOf(place.schemas);
  const given = kinds.filter(({ key }) => hasKey(value, key));
  if (given.length !== 1 || given[0] === undefined) return place;
  return { schemas: [given[0].schema], own: given[0].key, others: kinds.filter((kind) => kind !== given[0]).map(({ key, schema }) => ({ key, schemas: [schema] })) };
}

function hasKey(value: unknown, key: string): boolean {
  return typeof value === "object" && value !== null && Object.hasOwn(value, key);
}

function keysOf(schemas: readonly JsonSchema[]): readonly string[] {
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

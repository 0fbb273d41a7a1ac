import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { Problem } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { type JsonSchema, unknownKeyword } from "./picoschema.ts";

/**
 * One for all. It keeps no schema, so that two may have one $id, and checks no schema before it uses it: the schema of
 * schemas takes 50 ms to compile, and `schemaFault` asks it at build time about what people wrote themselves.
 */
const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, logger: false, addUsedSchema: false, validateSchema: false });

/** What the fields at the top of a schema are to whoever fills them. */
type Noun = "variable" | "argument";
type Check = (value: unknown) => readonly Problem[];

/** What is wrong with a value against a JSON Schema, by field. `isPartial` lets required fields be missing at the top. */
export function valueProblems(schema: JsonSchema, value: unknown, { isPartial }: { readonly isPartial: boolean }): readonly Problem[] {
  const { required: _, ...rest } = schema;
  return prepareCheck(isPartial ? rest : schema)(value);
}

/** Compiles the schema once for any number of values. A schema that is itself wrong is a problem at every value. */
export function prepareCheck(schema: JsonSchema): Check {
  try {
    return compileCheck(closed(schema), "variable");
  } catch (cause) {
    const message = `The schema is not valid JSON Schema: ${cause instanceof Error ? cause.message : String(cause)}`;
    return () => [{ message }];
  }
}

/**
 * The same for the arguments of a tool, whose schema is taken as it stands: what it leaves open is the tool's business. One that came from a server
 * and cannot be compiled, as of another dialect, checks nothing: the server does that itself.
 */
export function prepareArguments(schema: JsonSchema): Check {
  try {
    return compileCheck(withoutDialect(schema), "argument");
  } catch {
    return () => [];
  }
}

function compileCheck(schema: JsonSchema, noun: Noun): Check {
  const validate = ajv.compile(schema);
  // A long list of wrong items says no more than its first few.
  return (value) => (validate(value) ? [] : (validate.errors ?? []).slice(0, 10).map((error) => toProblem(error, schema, noun)));
}

/**
 * What is wrong with the schema of a tool's arguments, as far as compiling it tells, which takes a millisecond where `schemaFault` takes fifty;
 * undefined for a good one.
 */
export function argumentsFault(schema: JsonSchema): string | undefined {
  if (schema["type"] !== "object") return "Expected the JSON Schema of an object: arguments have names. Begin with `type: object`";
  try {
    ajv.compile(withoutDialect(schema));
    return undefined;
  } catch (cause) {
    return notValid(cause);
  }
}

function notValid(cause: unknown): string {
  return `Not valid JSON Schema: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/**
 * Says what is wrong with a schema itself, misspelt keywords included; undefined for a good one. Only a schema with
 * references is compiled for it: that takes milliseconds, the rest none.
 */
export function schemaFault(written: JsonSchema): string | undefined {
  const schema = withoutDialect(written);
  const misspelt = unknownKeyword(schema);
  if (misspelt !== undefined) return `Not valid JSON Schema: unknown keyword "${misspelt}"`;
  try {
    if (ajv.validateSchema(schema) !== true) {
      const [error] = ajv.errors ?? [];
      return `Not valid JSON Schema: ${error?.instancePath.slice(1).replaceAll("/", ".") ?? ""} ${error?.message ?? ""}`;
    }
    if (JSON.stringify(schema).includes('"$ref"')) ajv.compile(schema);
    return undefined;
  } catch (cause) {
    return notValid(cause);
  }
}

/**
 * A template can name only the variables that are declared, so no others are taken; JSON Schema alone would take any.
 * What a schema says about further properties stands.
 */
function closed(written: JsonSchema): JsonSchema {
  const schema = withoutDialect(written);
  const isOpen = ["additionalProperties", "unevaluatedProperties", "patternProperties", "$ref", "anyOf", "oneOf", "allOf", "if"].some((key) => key in schema);
  return isOpen || !("properties" in schema) ? schema : { ...schema, additionalProperties: false };
}

function toProblem({ keyword, instancePath, params, message }: ErrorObject, schema: JsonSchema, noun: Noun): Problem {
  const path = instancePath.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
  const below = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const given = params as Readonly<Record<string, unknown>>;
  if (keyword === "required") return { path: below(String(given["missingProperty"])), message: "Missing; the schema requires it" };
  if (keyword === "additionalProperties") {
    const name = String(given["additionalProperty"]);
    const declared = path === "" ? Object.keys((schema["properties"] as object | undefined) ?? {}) : [];
    return { path: below(name), message: `Unknown ${noun}.${didYouMean(name, declared)}${declared.length === 0 ? "" : ` Declared: ${declared.join(", ")}`}` };
  }
  if (keyword === "type") return { path, message: `Expected ${[given["type"]].flat().join(" or ")}` };
  if (keyword === "enum") return { path, message: `Expected one of ${(given["allowedValues"] as readonly unknown[]).map((allowed) => JSON.stringify(allowed)).join(", ")}` };
  return { path, message: message ?? keyword };
}

/** The validator knows one dialect and refuses to hear of another, even of one that says the same. */
function withoutDialect(schema: JsonSchema): JsonSchema {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => key !== "$schema"));
}

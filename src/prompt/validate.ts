import { Ajv2020, type ErrorObject } from "ajv/dist/2020.js";
import type { Problem } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import type { JsonSchema } from "./picoschema.ts";

type Check = (value: unknown) => readonly Problem[];

/** What is wrong with a value against a JSON Schema, by field. `isPartial` lets required fields be missing at the top. */
export function valueProblems(schema: JsonSchema, value: unknown, { isPartial }: { readonly isPartial: boolean }): readonly Problem[] {
  const { required: _, ...rest } = schema;
  return prepareCheck(isPartial ? rest : schema)(value);
}

/** Compiles the schema once for any number of values. A schema that is itself wrong is a problem at every value. */
export function prepareCheck(schema: JsonSchema): Check {
  const ajv = new Ajv2020({ allErrors: true, strict: false, validateFormats: false, logger: false });
  let validate: ReturnType<typeof ajv.compile>;
  try {
    validate = ajv.compile(schema);
  } catch (cause) {
    const message = `The schema is not valid JSON Schema: ${cause instanceof Error ? cause.message : String(cause)}`;
    return () => [{ message }];
  }
  return (value) => (validate(value) ? [] : (validate.errors ?? []).map((error) => toProblem(error, schema)));
}

function toProblem({ keyword, instancePath, params, message }: ErrorObject, schema: JsonSchema): Problem {
  const path = instancePath.slice(1).replaceAll("/", ".").replaceAll("~1", "/").replaceAll("~0", "~");
  const below = (name: string): string => (path === "" ? name : `${path}.${name}`);
  const given = params as Readonly<Record<string, unknown>>;
  if (keyword === "required") return { path: below(String(given["missingProperty"])), message: "Missing; the schema requires it" };
  if (keyword === "additionalProperties") {
    const name = String(given["additionalProperty"]);
    const declared = path === "" ? Object.keys((schema["properties"] as object | undefined) ?? {}) : [];
    return { path: below(name), message: `Unknown variable.${didYouMean(name, declared)}${declared.length === 0 ? "" : ` Declared: ${declared.join(", ")}`}` };
  }
  if (keyword === "type") return { path, message: `Expected ${[given["type"]].flat().join(" or ")}` };
  if (keyword === "enum") return { path, message: `Expected one of ${(given["allowedValues"] as readonly unknown[]).map((allowed) => JSON.stringify(allowed)).join(", ")}` };
  return { path, message: message ?? keyword };
}

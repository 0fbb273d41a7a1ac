import { Script } from "node:vm";
import { canonicalJson, type Json } from "../core/canonical-json.ts";
import type { EvalPlan } from "./plan.ts";

/** Says what is wrong with a value, or undefined. */
export type Validate = (value: unknown) => string | undefined;
export interface Compiled {
  /** By the canonical JSON of the schema. */
  readonly schemas: ReadonlyMap<string, Validate>;
  /** The expression of a function of (output, context), by the code as written. */
  readonly scripts: ReadonlyMap<string, string>;
}
interface Wrong {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Compiles every schema and script once, before the first model call is paid for; no script is run. */
export async function compileChecks({ cases }: EvalPlan): Promise<Compiled | { readonly problems: readonly Wrong[] }> {
  const schemas = new Map<string, Validate>();
  const scripts = new Map<string, string>();
  const problems = new Map<string, Wrong>();
  for (const { path, check } of cases.flatMap(({ assertions }) => assertions)) {
    const at = [...path, "value"];
    try {
      if (check.kind === "json" && check.schema !== undefined) {
        const key = canonicalJson(check.schema);
        if (!schemas.has(key)) schemas.set(key, await compileSchema(check.schema));
      }
      if (check.kind === "javascript" && "code" in check.source && !scripts.has(check.source.code)) scripts.set(check.source.code, compileScript(check.source.code));
    } catch (cause) {
      problems.set(canonicalJson(at), { path: at, message: cause instanceof Error ? cause.message : String(cause) });
    }
  }
  return problems.size > 0 ? { problems: [...problems.values()] } : { schemas, scripts };
}

/** An expression, or the body of a function where it is none; as in promptfoo, a body of several statements returns. */
export function compileScript(code: string): string {
  const expression = `(async (output, context) => (${code.trim().replace(/;\s*$/, "")}\n))`;
  const body = `(async (output, context) => {${code}\n})`;
  if (isSyntax(expression) === undefined) return expression;
  const complaint = isSyntax(body);
  if (complaint !== undefined) throw new Error(`JavaScript does not parse: ${complaint}`);
  if (!/\breturn\b/.test(code)) throw new Error("JavaScript of several statements gives nothing back: add `return` before the last expression");
  return body;
}

/** undefined when it parses. */
function isSyntax(code: string): string | undefined {
  try {
    return new Script(code) instanceof Script ? undefined : "";
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause);
  }
}

async function compileSchema(schema: Json): Promise<Validate> {
  // The default export is what a CommonJS package has both in Node and inside the bundle.
  const [{ default: { Ajv2020 } }, { default: { Ajv } }] = await Promise.all([import("ajv/dist/2020.js"), import("ajv")]);
  const draft = typeof schema === "object" && schema !== null && "$schema" in schema ? schema.$schema : undefined;
  const options = { strict: false, allErrors: false, validateFormats: false, logger: false } as const;
  const engine = typeof draft === "string" && draft.includes("draft-07") ? new Ajv(options) : new Ajv2020(options);
  const validate = engine.compile(schema as object);
  return (value) => (validate(value) ? undefined : engine.errorsText(validate.errors, { dataVar: "answer" }));
}

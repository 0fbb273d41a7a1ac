import type { Json } from "../core/canonical-json.ts";
import { didYouMean } from "../core/nearest.ts";
import { type AssertionDeclaration, foreignTypes } from "./suite.ts";
import { fillIn, type Variables } from "./template-plan.ts";

/** One check of one answer, ready to be made. */
export type Check =
  | { readonly kind: "text"; readonly test: TextTest; readonly values: readonly string[] }
  | { readonly kind: "equals"; readonly value: Json }
  | { readonly kind: "regex"; readonly pattern: RegExp }
  | { readonly kind: "json"; readonly schema: Json | undefined }
  | { readonly kind: "javascript"; readonly source: ScriptSource; readonly threshold: number | undefined }
  | { readonly kind: "similar"; readonly values: readonly string[]; readonly threshold: number }
  | { readonly kind: "latency" | "cost"; readonly most: number };
export interface Assertion {
  /** As it was written, `not-` included. */
  readonly type: string;
  readonly isNegated: boolean;
  readonly weight: number;
  readonly check: Check;
}
export type ScriptSource = { readonly code: string } | { readonly file: string };
export type TextTest = "contains" | "icontains" | "contains-all" | "icontains-all" | "contains-any" | "icontains-any" | "starts-with";

const oneText: readonly string[] = ["contains", "icontains", "starts-with"];
const manyTexts: readonly string[] = ["contains-all", "icontains-all", "contains-any", "icontains-any"];
const assertionTypes: readonly string[] = [...oneText, ...manyTexts, "equals", "regex", "is-json", "javascript", "similar", "latency", "cost"];

const withThreshold: ReadonlySet<string> = new Set(["javascript", "similar", "latency", "cost"]);
const defaultSimilarity = 0.75;

/** What is wrong with an assertion, and in which of its fields. */
export interface Complaint {
  readonly field: "type" | "value" | "threshold";
  readonly message: string;
}
export type Planned = { readonly assertion: Assertion } | { readonly complaint: Complaint };

/** Refuses what could never fail or never pass: both say nothing about an answer. `texts` holds what `file://` names. */
export function planAssertion(declared: AssertionDeclaration, variables: Variables, texts: ReadonlyMap<string, string>): Planned {
  const isNegated = declared.type.startsWith("not-");
  const base = (isNegated ? declared.type.slice("not-".length) : declared.type).replace(/^similar:cosine$/, "similar");
  if (!assertionTypes.includes(base)) return refused("type", unknownType(declared.type, base));
  const complaint = thresholdComplaint(base, declared.threshold);
  if (complaint !== undefined) return refused("threshold", complaint);
  const check = planCheck(base, declared, { variables, texts });
  if ("message" in check) return refused("value", check.message);
  return { assertion: { type: declared.type, isNegated, weight: declared.weight ?? 1, check } };
}

interface Sources {
  readonly variables: Variables;
  readonly texts: ReadonlyMap<string, string>;
}
type Wrong = { readonly message: string };

function planCheck(base: string, { value, threshold }: AssertionDeclaration, sources: Sources): Check | Wrong {
  if (base === "latency" || base === "cost") {
    return value === undefined ? { kind: base, most: threshold ?? 0 } : { message: `${base} takes a threshold and no value` };
  }
  if (base === "javascript") return planScript(value, threshold);
  const file = typeof value === "string" && value.startsWith("file://") ? sources.texts.get(value) : undefined;
  const filled = file === undefined ? fillIn(value ?? null, sources.variables) : { value: file };
  if ("unknown" in filled) return { message: filled.unknown };
  if (base === "is-json") return value === undefined ? { kind: "json", schema: undefined } : planJson(filled.value, file === undefined ? "The value" : "The file");
  if (value === undefined) return { message: `${base} needs a value` };
  if (base === "equals") return { kind: "equals", value: filled.value };
  if (base === "regex") return planRegex(filled.value);
  const texts = textsOf(filled.value);
  const isList = Array.isArray(filled.value);
  if (texts === undefined || texts.length === 0 || (isList && oneText.includes(base))) return { message: `Expected ${manyTexts.includes(base) ? "a list of texts" : "a text"}` };
  if (!isList && manyTexts.includes(base)) return { message: `Expected a list of texts, such as [${texts[0]?.split(",").map((text) => JSON.stringify(text.trim())).join(", ")}]` };
  if (texts.includes("")) return { message: "Empty text; every answer contains it" };
  if (base === "similar") return { kind: "similar", values: texts, threshold: threshold ?? defaultSimilarity };
  return { kind: "text", test: base as TextTest, values: texts };
}

function planScript(value: Json | undefined, threshold: number | undefined): Check | Wrong {
  if (typeof value !== "string" || value.trim() === "") return { message: "Expected JavaScript, or file://<path> of a .js, .cjs or .mjs file" };
  if (!value.startsWith("file://")) {
    const placeholder = /\{\{\s*([A-Za-z_]\w*)\s*\}\}/.exec(value);
    if (placeholder !== null) return { message: `Variables are not written into a script: use context.vars.${placeholder[1]} in place of ${placeholder[0]}` };
    return { kind: "javascript", source: { code: value }, threshold };
  }
  if (!/\.[cm]?js$/.test(value)) return { message: `${value} is not a .js, .cjs or .mjs file; a function name after the path is not supported` };
  return { kind: "javascript", source: { file: value }, threshold };
}

function planJson(schema: Json, name: string): Check | Wrong {
  if (typeof schema === "object" && schema !== null && !Array.isArray(schema)) return { kind: "json", schema };
  if (typeof schema !== "string") return { message: "Expected a JSON Schema" };
  try {
    return { kind: "json", schema: JSON.parse(schema) as Json };
  } catch {
    return { message: `${name} is not a JSON Schema: it is not JSON` };
  }
}

function planRegex(value: Json): Check | Wrong {
  if (typeof value !== "string" || value === "") return { message: "Expected a regular expression" };
  try {
    return { kind: "regex", pattern: new RegExp(value) };
  } catch (cause) {
    return { message: cause instanceof Error ? cause.message : String(cause) };
  }
}

function textsOf(value: Json): readonly string[] | undefined {
  const texts = Array.isArray(value) ? value : [value];
  return texts.every((text) => ["string", "number", "boolean"].includes(typeof text)) ? texts.map(String) : undefined;
}

function thresholdComplaint(base: string, threshold: number | undefined): string | undefined {
  if (!withThreshold.has(base)) return threshold === undefined ? undefined : `${base} takes no threshold`;
  if (threshold === undefined) return base === "latency" ? "latency needs a threshold in milliseconds" : base === "cost" ? "cost needs a threshold in US dollars" : undefined;
  if (base === "cost") return threshold < 0 ? "Expected US dollars, at least 0" : undefined;
  if (base === "latency") return threshold <= 0 ? "Expected milliseconds above 0: no answer takes less" : undefined;
  return threshold > 0 && threshold <= 1 ? undefined : "Expected a threshold above 0 and at most 1: every score reaches 0, and none is above 1";
}

function unknownType(type: string, base: string): string {
  const allowed = assertionTypes.join(", ");
  if (foreignTypes.has(base)) return `promptfoo's assertion ${type} is not supported. Supported, each also with not- in front: ${allowed}`;
  return `There is no assertion ${JSON.stringify(type)}.${didYouMean(base, assertionTypes)} Supported, each also with not- in front: ${allowed}`;
}

function refused(field: Complaint["field"], message: string): Planned {
  return { complaint: { field, message } };
}

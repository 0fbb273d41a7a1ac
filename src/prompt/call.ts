import { didYouMean } from "../core/nearest.ts";
import type { Node } from "./template.ts";

/** Where a helper is called: {{#name}}, {{name}}, or (name) inside another expression. */
export type CallForm = "block" | "inline" | "nested";

export const roles: readonly string[] = ["system", "user", "model", "tool"];

interface Rule {
  readonly forms: readonly CallForm[];
  readonly params: number;
  readonly hash: readonly string[];
  /** How to write it, for messages. */
  readonly usage: string;
}

const rules: Readonly<Record<string, Rule>> = {
  if: { forms: ["block"], params: 1, hash: ["includeZero"], usage: "{{#if x}}…{{/if}}" },
  unless: { forms: ["block"], params: 1, hash: ["includeZero"], usage: "{{#unless x}}…{{/unless}}" },
  each: { forms: ["block"], params: 1, hash: [], usage: "{{#each list}}…{{/each}}" },
  with: { forms: ["block"], params: 1, hash: [], usage: "{{#with x}}…{{/with}}" },
  ifEquals: { forms: ["block"], params: 2, hash: [], usage: "{{#ifEquals a b}}…{{/ifEquals}}" },
  unlessEquals: { forms: ["block"], params: 2, hash: [], usage: "{{#unlessEquals a b}}…{{/unlessEquals}}" },
  lookup: { forms: ["inline", "nested"], params: 2, hash: [], usage: "{{lookup x name}}" },
  json: { forms: ["inline", "nested"], params: 1, hash: ["indent"], usage: "{{json x}} or {{json x indent=2}}" },
  role: { forms: ["inline"], params: 1, hash: [], usage: '{{role "system"}}' },
  history: { forms: ["inline"], params: 0, hash: [], usage: "{{history}}" },
  section: { forms: ["inline"], params: 1, hash: [], usage: '{{section "name"}}' },
  media: { forms: ["inline"], params: 0, hash: ["url", "contentType"], usage: "{{media url=x}} or {{media url=x contentType=y}}" },
};

type Call = Pick<hbs.AST.MustacheStatement, "params"> & { readonly hash?: hbs.AST.Hash };

/**
 * What is wrong with the call of a known helper, or undefined. A role is written in the template and never comes from
 * a variable: a value could then speak with the voice of the system.
 */
export function callProblem(name: string, { params, hash }: Call, form: CallForm): string | undefined {
  const rule = rules[name];
  if (rule === undefined) return undefined;
  const keys = (hash?.pairs ?? []).map(({ key }) => key);
  if (params.length === 0 && keys.length === 0 && rule.params > 0 && form === "inline") {
    return `"${name}" is a helper: ${rule.usage}. For a variable of this name write {{this.${name}}}`;
  }
  if (!rule.forms.includes(form)) return `"${name}" does not work in this place. Write ${rule.usage}`;
  if (params.length !== rule.params) return `"${name}" takes ${count(rule.params)}, found ${params.length}. Write ${rule.usage}`;
  const unknown = keys.find((key) => !rule.hash.includes(key));
  if (unknown !== undefined) return `"${name}" takes no ${unknown}=.${didYouMean(unknown, rule.hash)} Write ${rule.usage}`;
  if (name === "media" && !keys.includes("url")) return `"media" needs url=. Write ${rule.usage}`;
  return name === "role" ? roleProblem(params[0]) : undefined;
}

function roleProblem(param: Node | undefined): string | undefined {
  const allowed = `Roles: ${roles.join(", ")}`;
  if (param?.type !== "StringLiteral") return `The role must stand in quotes, so that no variable chooses who speaks. ${allowed}`;
  const { value } = param as hbs.AST.StringLiteral;
  if (roles.includes(value)) return undefined;
  return `There is no role "${value}".${value === "assistant" ? ' Did you mean "model"?' : didYouMean(value, roles)} ${allowed}`;
}

function count(params: number): string {
  if (params === 0) return "no value";
  return params === 1 ? "one value" : `${params} values`;
}

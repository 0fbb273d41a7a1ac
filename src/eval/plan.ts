import type { Json } from "../core/canonical-json.ts";
import type { Problem } from "../core/errors.ts";
import { formatPath } from "../core/problems.ts";
import type { YamlSource } from "../core/yaml.ts";
import { type Assertion, planAssertion } from "./assertion-plan.ts";
import type { AssertionDeclaration, Suite, TestDeclaration } from "./suite.ts";
import { fillVariables, type Variables } from "./template-plan.ts";

/** One question to the agent and what its answer must fulfil. */
export interface Case {
  readonly number: number;
  readonly description: string | null;
  readonly vars: Variables;
  readonly question: string;
  /** The variables beside the question; the prompt gets those it declares. */
  readonly others: Variables;
  readonly metadata: Readonly<Record<string, Json>>;
  readonly assertions: readonly PlacedAssertion[];
  readonly threshold: number | undefined;
}
/** `path` is where it stands in the suite. */
export type PlacedAssertion = Assertion & { readonly path: Path };
type Path = readonly PropertyKey[];
export interface EvalPlan {
  readonly description: string | null;
  readonly cases: readonly Case[];
  readonly maxConcurrency: number | undefined;
}

/** The variable that holds the user's message: the first of these, else the only one there is. */
const questionNames = ["question", "query", "input", "message", "prompt"] as const;
/** More cases than this come from a slip in lists of values, not from intent. */
const mostCases = 100_000;
type Result = { readonly plan: EvalPlan } | { readonly problems: readonly Problem[] };

/** `texts` holds the content of every file that the suite refers to, by the reference as written. */
export function planSuite(suite: Suite, source: YamlSource, texts: ReadonlyMap<string, string>): Result {
  const cases: Case[] = [];
  const problems: Problem[] = [];
  const at = (path: Path, message: string): void => void problems.push({ ...source.locate(path), path: formatPath(path), message });
  for (const [index, test] of suite.tests.entries()) {
    const merged = mergeDefaults(suite, test, index);
    if (merged.assertions.length === 0) {
      at(["tests", index], "A test without assertions can never fail. Add `assert` here or to `defaultTest`");
      continue;
    }
    const sets = variableSets(merged.vars, merged.isExpanded);
    if (sets.length === 0) at(["tests", index, "vars"], "An empty list of values leaves no case");
    if (cases.length + sets.length > mostCases) {
      at(["tests", index, "vars"], `The lists of values make more than ${mostCases} cases`);
      break;
    }
    for (const vars of sets) {
      const planned = planCase(vars, merged, texts);
      if ("complaint" in planned) {
        at(planned.path, planned.complaint);
        break;
      }
      cases.push({ ...planned, number: cases.length + 1 });
    }
  }
  if (problems.length > 0) return { problems };
  return { plan: { description: suite.description ?? null, cases, maxConcurrency: suite.evaluateOptions?.maxConcurrency } };
}

interface Merged {
  readonly path: Path;
  readonly description: string | null;
  readonly vars: Variables;
  readonly isExpanded: boolean;
  readonly assertions: readonly { readonly declared: AssertionDeclaration; readonly path: Path }[];
  readonly threshold: number | undefined;
  readonly metadata: Readonly<Record<string, Json>>;
}

function mergeDefaults({ defaultTest }: Suite, test: TestDeclaration, index: number): Merged {
  const placed = (list: readonly AssertionDeclaration[] | undefined, path: Path) => (list ?? []).map((declared, i) => ({ declared, path: [...path, "assert", i] }));
  return {
    path: ["tests", index],
    description: test.description ?? null,
    vars: { ...defaultTest?.vars, ...test.vars },
    isExpanded: (test.options?.disableVarExpansion ?? defaultTest?.options?.disableVarExpansion) !== true,
    assertions: [...placed(defaultTest?.assert, ["defaultTest"]), ...placed(test.assert, ["tests", index])],
    threshold: test.threshold ?? defaultTest?.threshold,
    metadata: { ...defaultTest?.metadata, ...test.metadata },
  };
}

/** One set for each combination of the values of lists, the last list turning fastest. */
function variableSets(vars: Variables, isExpanded: boolean): readonly Variables[] {
  return Object.entries(vars).reduce<readonly Variables[]>((sets, [name, value]) => {
    const values: readonly Json[] = isExpanded && Array.isArray(value) ? value : [value ?? null];
    // The product is cut just above the limit, so that a slip costs no memory before it is named.
    return sets.slice(0, Math.ceil((mostCases + 1) / Math.max(1, values.length))).flatMap((set) => values.map((item) => ({ ...set, [name]: item })));
  }, [{}]);
}

type PlannedCase = Omit<Case, "number"> | { readonly complaint: string; readonly path: Path };

function planCase(written: Variables, merged: Merged, texts: ReadonlyMap<string, string>): PlannedCase {
  const read = Object.fromEntries(Object.entries(written).map(([name, value]) => [name, typeof value === "string" ? (texts.get(value) ?? value) : value]));
  const filled = fillVariables(withoutFiles(read, written));
  if ("unknown" in filled) return { complaint: filled.unknown, path: [...merged.path, "vars", filled.name] };
  const vars: Variables = { ...read, ...filled.variables };
  const names = Object.keys(vars);
  const asked = questionNames.find((name) => Object.hasOwn(vars, name)) ?? (names.length === 1 ? names[0] : undefined);
  if (asked === undefined) {
    const found = names.length === 0 ? "The test has no variables" : `None of the variables ${names.join(", ")} is the user's message`;
    return { complaint: `${found}. Name one of them ${questionNames.join(", ")}`, path: [...merged.path, "vars"] };
  }
  const question = typeof vars[asked] === "string" ? vars[asked] : JSON.stringify(vars[asked]);
  if (question.trim() === "") return { complaint: `The variable ${asked} is empty; it is the user's message`, path: [...merged.path, "vars", asked] };
  const assertions: PlacedAssertion[] = [];
  for (const { declared, path } of merged.assertions) {
    const planned = planAssertion(declared, vars, texts);
    if ("complaint" in planned) return { complaint: planned.complaint.message, path: [...path, planned.complaint.field] };
    assertions.push({ ...planned.assertion, path });
  }
  const { description, metadata, threshold } = merged;
  const others = Object.fromEntries(Object.entries(vars).filter(([name]) => name !== asked));
  return { description, vars, question, others, metadata, assertions, threshold };
}

/** What stands in a file is data and never a template: a document may well hold braces. */
function withoutFiles(read: Variables, written: Variables): Variables {
  return Object.fromEntries(Object.entries(read).filter(([name, value]) => value === written[name]));
}

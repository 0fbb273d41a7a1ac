import { readFile, realpath } from "node:fs/promises";
import { dirname, isAbsolute, join, relative, sep } from "node:path";
import { canonicalJson } from "../core/canonical-json.ts";
import { type Digest, digestOf } from "../core/descriptor.ts";
import { type Problem, TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { formatPath, schemaProblems } from "../core/problems.ts";
import { parseYaml, type YamlSource } from "../core/yaml.ts";
import type { Manifest } from "../manifest/schema.ts";
import { compileChecks, type Compiled } from "./compile.ts";
import { type EvalPlan, planSuite } from "./plan.ts";
import { foreignKeys, Suite } from "./suite.ts";

export interface ReadSuite {
  readonly plan: EvalPlan;
  readonly compiled: Compiled;
  /** Folder that `file://` paths start from, absolute. */
  readonly folder: string;
  /** The suite and every file it refers to, by path below the application folder. */
  readonly files: Readonly<Record<string, Digest>>;
  readonly digest: Digest;
}

/** The declared suites that are wanted: the named one, or all. Fails with SUITE_NOT_FOUND. */
export function chooseSuites({ evals }: Pick<Manifest, "evals">, wanted: string | undefined): readonly string[] {
  const names = Object.keys(evals);
  if (names.length === 0) throw new TwelveError("SUITE_NOT_FOUND", "twelve.yaml declares no eval suite", { fix: "Add one: `evals: { smoke: { suite: evals/smoke.yaml } }`" });
  if (wanted === undefined) return names;
  if (Object.hasOwn(evals, wanted)) return [wanted];
  throw new TwelveError("SUITE_NOT_FOUND", `There is no eval suite ${JSON.stringify(wanted)}.${didYouMean(wanted, names)} Declared: ${names.join(", ")}`);
}

/** Reads a suite below the application folder. Fails with SUITE_INVALID, with every problem and its place. */
export async function readSuite(dir: string, path: string): Promise<ReadSuite> {
  const content = await readInside(dir, dir, path);
  if ("complaint" in content) throw new TwelveError("SUITE_INVALID", `The suite ${path} ${content.complaint}`, { fix: "Correct `suite:` in twelve.yaml" });
  const { suite, source } = parseSuite(content.text, path);
  const folder = dirname(join(dir, path));
  const texts = new Map<string, string>();
  const digests = new Map([[content.path, digestOf(content.bytes)]]);
  const problems: Problem[] = [];
  for (const { reference, at } of fileReferences(suite)) {
    const read = await readInside(dir, folder, reference.slice("file://".length));
    if ("complaint" in read) {
      problems.push({ ...source.locate(at), path: formatPath(at), message: `${reference} ${read.complaint}` });
      continue;
    }
    texts.set(reference, read.text);
    digests.set(read.path, digestOf(read.bytes));
  }
  if (problems.length > 0) throw invalid(path, problems);
  const planned = planSuite(suite, source, texts);
  if ("problems" in planned) throw invalid(path, planned.problems);
  const compiled = await compileChecks(planned.plan);
  if ("problems" in compiled) throw invalid(path, compiled.problems.map(({ path: at, message }) => ({ ...source.locate(at), path: formatPath(at), message })));
  const files = Object.fromEntries(digests);
  return { plan: planned.plan, compiled, folder, files, digest: digestOf(canonicalJson(files)) };
}

/** Fails with SUITE_INVALID. Pure, so that tests can use it on any text. */
export function parseSuite(text: string, path: string): { readonly suite: Suite; readonly source: YamlSource } {
  const yaml = parseYaml(text, path);
  if ("problems" in yaml) throw invalid(path, yaml.problems);
  const { source } = yaml;
  const result = Suite.safeParse(source.value ?? {});
  if (!result.success) throw invalid(path, schemaProblems(result.error, Suite, source).map(explainForeign));
  return { suite: result.data, source };
}

/** A key of promptfoo gets the way to do the same here, not a list of keys to choose from. */
function explainForeign(problem: Problem): Problem {
  const key = problem.path?.split(".").at(-1) ?? "";
  if (!problem.message.startsWith("Unknown key.") || !Object.hasOwn(foreignKeys, key)) return problem;
  return { ...problem, message: `promptfoo's key ${key} is not supported. ${foreignKeys[key]}` };
}

function invalid(path: string, problems: readonly Problem[]): TwelveError {
  return new TwelveError("SUITE_INVALID", `${path} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`, { problems });
}

interface FileReference {
  readonly reference: string;
  readonly at: readonly PropertyKey[];
}

function fileReferences({ tests, defaultTest }: Suite): readonly FileReference[] {
  const places = [...(defaultTest === undefined ? [] : [{ test: defaultTest, at: ["defaultTest"] }]), ...tests.map((test, i) => ({ test, at: ["tests", i] }))];
  return places.flatMap(({ test, at }) => [
    ...Object.entries(test.vars ?? {}).flatMap(([name, value]) =>
      Array.isArray(value) ? value.flatMap((item, i) => referenceIn(item, [...at, "vars", name, i])) : referenceIn(value, [...at, "vars", name])),
    ...(test.assert ?? []).flatMap(({ value }, i) => referenceIn(value, [...at, "assert", i, "value"])),
  ]);
}

function referenceIn(value: unknown, at: readonly PropertyKey[]): readonly FileReference[] {
  return typeof value === "string" && value.startsWith("file://") ? [{ reference: value, at }] : [];
}

type Inside = { readonly path: string; readonly text: string; readonly bytes: Uint8Array } | { readonly complaint: string };

/** A suite may read what belongs to the application, and nothing else of the machine; links are followed first. */
async function readInside(dir: string, folder: string, path: string): Promise<Inside> {
  if (isAbsolute(path)) return { complaint: "is an absolute path; name it relative to the suite" };
  try {
    const [root, real] = await Promise.all([realpath(dir), realpath(join(folder, path))]);
    const below = relative(root, real);
    if (below === "" || below.split(sep)[0] === ".." || isAbsolute(below)) return { complaint: "is outside the application folder" };
    const bytes = await readFile(real);
    return { path: below.split(sep).join("/"), bytes, text: new TextDecoder("utf-8", { fatal: true }).decode(bytes) };
  } catch (cause) {
    if (cause instanceof TypeError) return { complaint: "is not UTF-8 text" };
    const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
    return { complaint: code === "ENOENT" || code === "ENOTDIR" ? "does not exist" : `cannot be read: ${cause instanceof Error ? cause.message : String(cause)}` };
  }
}

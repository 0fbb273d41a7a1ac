import { access, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Problem, TwelveError } from "../core/errors.ts";
import { didYouMean } from "../core/nearest.ts";
import { formatPath, schemaProblems } from "../core/problems.ts";
import { hasCredentials } from "../core/url.ts";
import { parseYaml, type YamlSource } from "../core/yaml.ts";
import { modelChain } from "./model-chain.ts";
import { queues } from "./process.ts";
import { Manifest } from "./schema.ts";
import { referencesIn } from "./setting.ts";
import { valueComplaint } from "./value.ts";

export const manifestFile = "twelve.yaml";

/** Reads `twelve.yaml` in `dir`. Fails with MANIFEST_NOT_FOUND or MANIFEST_INVALID, with every problem and its place. */
export async function readManifest(dir: string): Promise<Manifest> {
  let text: string;
  try {
    text = await readFile(join(dir, manifestFile), "utf8");
  } catch (cause) {
    const isMissing = cause instanceof Error && "code" in cause && (cause.code === "ENOENT" || cause.code === "ENOTDIR");
    const what = isMissing ? `There is no ${manifestFile} in ${dir}` : `${join(dir, manifestFile)} cannot be read: ${String(cause)}`;
    const above = isMissing ? await folderAbove(dir) : undefined;
    throw new TwelveError("MANIFEST_NOT_FOUND", what, { cause, ...(above === undefined ? {} : { fix: `Run it in ${above}, or add \`--dir ${above}\`` }) });
  }
  return parseManifest(text);
}

/** The nearest folder above that has a manifest: the command was probably meant for it. */
async function folderAbove(dir: string): Promise<string | undefined> {
  const parent = dirname(dir);
  if (parent === dir) return undefined;
  const isThere = await access(join(parent, manifestFile)).then(() => true, () => false);
  return isThere ? parent : folderAbove(parent);
}

/** Fails with MANIFEST_INVALID. Pure, so that editors and tests can use it on any text. */
export function parseManifest(text: string): Manifest {
  const yaml = parseYaml(text, manifestFile);
  if ("problems" in yaml) throw invalid(yaml.problems);
  const result = Manifest.safeParse(yaml.source.value ?? {});
  if (!result.success) throw invalid(schemaProblems(result.error, Manifest, yaml.source));
  const problems = crossProblems(result.data, yaml.source);
  if (problems.length > 0) throw invalid(problems);
  return result.data;
}

function invalid(problems: readonly Problem[]): TwelveError {
  return new TwelveError("MANIFEST_INVALID", `${manifestFile} has ${problems.length === 1 ? "a problem" : `${problems.length} problems`}`, { problems });
}

/** What one field says about another, which a schema cannot check. */
function crossProblems(manifest: Manifest, source: YamlSource): readonly Problem[] {
  const at = (path: readonly PropertyKey[], message: string): Problem => ({ ...source.locate(path), path: formatPath(path), message });
  const named = (path: readonly PropertyKey[], name: string, kind: string, table: object): readonly Problem[] =>
    Object.hasOwn(table, name) ? [] : [at(path, `There is no ${kind} "${name}".${didYouMean(name, Object.keys(table))} Declared: ${Object.keys(table).join(", ") || "none"}`)];
  const queueProblem = (path: readonly PropertyKey[], name: string): readonly Problem[] =>
    queues.some((queue) => queue === name) ? [] : [at(path, `There is no queue "${name}".${didYouMean(name, queues)} There are: ${queues.join(", ")}`)];
  const { config, agents, indexes, tools, processes, evals, environments } = manifest;

  const references = referencesIn(source.value).flatMap(({ key, path }) => {
    const declaration = Object.hasOwn(config, key) ? config[key] : undefined;
    if (!["agents", "indexes", "tools", "server"].includes(String(path[0]))) return [at(path, "`${KEY}` may be used only in agents, indexes, tools and server")];
    if (declaration === undefined) return named(path, key, "configuration key", config);
    // Resolved when a process starts, and in no release: where a tool is, and what opens it, may be any kind of key.
    if (path[0] === "tools" && (path[2] === "http" || path[2] === "mcp")) return declaration.kind === "secret" ? [at(path, `${key} is a secret, and an address is shown in messages; put it into \`headers\``)] : [];
    if (path[0] === "tools" && path[2] === "headers") return [];
    if (path[0] === "server") return declaration.kind === "secret" ? [] : [at(path, `${key} is ${declaration.kind}; API keys are a secret: declare ${key} with \`kind: secret\``)];
    const isPlace = path[0] === "indexes" && path[2] === "vectors";
    if (isPlace && declaration.kind !== "attachment") return [at(path, `${key} is ${declaration.kind === "secret" ? "a secret" : "frozen"}; where an index is searched is an attachment: declare ${key} with \`kind: attachment\``)];
    if (isPlace || declaration.kind === "frozen") return [];
    return [at(path, `${key} is ${declaration.kind === "secret" ? "a secret" : "an attachment"}; only frozen keys may be used in the manifest`)];
  });
  const declarations = Object.entries(config).flatMap(([key, declaration]) => {
    if (declaration.kind === "secret" && declaration.default !== undefined) {
      return [at(["config", key, "default"], "A secret has no default: it must not be in the manifest")];
    }
    const complaint = declaration.default === undefined ? undefined : valueComplaint(declaration, declaration.default);
    return complaint === undefined ? [] : [at(["config", key, "default"], complaint)];
  });
  const urls: readonly (readonly [path: readonly PropertyKey[], url: unknown])[] = [
    ...Object.entries(config).map(([key, declaration]) => [["config", key, "default"], declaration.default] as const),
    ...Object.entries(agents).flatMap(([agent, { model }]) => modelChain({ model }).map((url, index) => [["agents", agent, "model", ...(typeof model === "string" ? [] : [index])], url] as const)),
    ...Object.entries(indexes).map(([index, { embedder }]) => [["indexes", index, "embedder"], embedder] as const),
    ...Object.entries(tools).flatMap(([tool, declared]) => ("http" in declared ? [declared.http] : "mcp" in declared ? [declared.mcp] : []).map((url) => [["tools", tool, "mcp" in declared ? "mcp" : "http"], url] as const)),
  ];
  const credentials = urls.flatMap(([path, url]) =>
    typeof url === "string" && hasCredentials(url) ? [at(path, "The URL holds credentials, and the manifest is stored in every build. Take them out of it and declare a key of kind secret")] : []);
  const names = [
    ...Object.entries(agents).flatMap(([agent, { retrieve }]) =>
      retrieve === undefined ? [] : named(["agents", agent, "retrieve", "index"], retrieve.index, "index", indexes)),
    ...Object.entries(agents).flatMap(([agent, { tools: used = [] }]) => used.flatMap((tool, i) => named(["agents", agent, "tools", i], tool, "tool", tools))),
    ...Object.entries(processes).flatMap(([process, declaration]) =>
      "serve" in declaration ? declaration.serve.flatMap((agent, i) => named(["processes", process, "serve", i], agent, "agent", agents)) : []),
    ...Object.entries(processes).flatMap(([process, declaration]) => ("work" in declaration ? declaration.work.flatMap((queue, i) => queueProblem(["processes", process, "work", i], queue)) : [])),
    ...Object.entries(evals).flatMap(([suite, { agent }]) =>
      agent === undefined ? [] : named(["evals", suite, "agent"], agent, "agent", agents)),
    ...Object.entries(environments).flatMap(([environment, { requires }]) =>
      requires.flatMap((suite, i) => named(["environments", environment, "requires", i], suite, "eval suite", evals))),
  ];
  return [...references, ...declarations, ...credentials, ...names];
}

import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path/posix";
import { describe, expect, it } from "vitest";

/** A folder of src/ may import itself and what the table gives it. The product's data flow reads down this table. */
const foundation = ["core", "ports", "mock", "artifact", "manifest", "config", "code"];
const stages = ["prompt", "build", "document", "index", "release", "retrieval", "tool", "run", "eval"];
const below: Readonly<Record<string, readonly string[]>> = {
  core: [],
  ports: ["core"],
  models: ["core", "ports"],
  // What plays a model, for the mock models and the mock servers alike.
  mock: ["core", "ports"],
  adapters: ["core", "ports", "models", "mock"],
  artifact: ["core", "ports"],
  manifest: ["core", "ports"],
  config: ["core", "ports", "manifest"],
  code: ["core", "ports", "artifact"],
  ...Object.fromEntries(stages.map((stage, i) => [stage, [...foundation, ...stages.slice(0, i)]])),
  init: ["core", "ports", "manifest"],
  verify: [...foundation, ...stages],
  services: [...foundation, ...stages],
  admin: [...foundation, ...stages],
  cli: ["core", "ports", "adapters", "manifest", "config", "models", "init", "verify", "services", "admin", ...stages],
  main: ["cli", "core"],
};

/** From outside, a stage is entered only here. Each further door says who may use it, and for what. */
const doors = new Set(["schema.ts", "read.ts"]);
const furtherDoors = new Set([
  "eval -> run/apply.ts", // eval asks a release by the path that production takes
  "release -> index/publication.ts", // an index is released only where it was published to, and searched there
  "release -> index/published.ts",
  "retrieval -> index/published.ts",
  "services -> index/published.ts",
  "admin -> index/publication.ts",
  "admin -> index/find.ts", // and the newest index of each name stays
  "release -> index/probe.ts", // before it is released and before it is served, an embedder is compared with
  "index -> document/language.ts", // the index records each document's language
  "run -> index/job.ts", // a worker does the work of detached index jobs
  "run -> index/job-schema.ts",
  "retrieval -> index/probe.ts", // the one that made the index
  "build -> prompt/compile.ts", // build turns prompt files into compiled prompts
  "build -> prompt/validate.ts", // the schemas of tools are checked as those of prompts are
  "tool -> prompt/validate.ts", // and so are their arguments
  "release -> prompt/sampling.ts", // a release and a start warn of what a model will not be told
  "run -> prompt/sampling.ts",
  "run -> prompt/render.ts", // run renders the prompts that build compiled
]);

/** The few files that look against the direction, each with the reason. */
const against = new Set([
  "release -> eval/schema.ts", // a promotion reads the report that eval wrote about this release
]);

const files = new Map(globSync("src/**/*.ts").sort().map((path) => [path.replaceAll("\\", "/"), readFileSync(path, "utf8")]));
const areaOf = (path: string): string => path.split("/")[1]?.replace(/\.ts$/, "") ?? "";
/** Every module named by `from "x"`, `import("x")` or `import "x"`, our own as paths from the root. */
function importsOf(path: string, text: string): readonly string[] {
  const names = [...text.matchAll(/(?:\bfrom\s*|\bimport\s*\(\s*|^\s*import\s+)["']([^"']+)["']/gm)].map(([, name = ""]) => name);
  return names.map((name) => (name.startsWith(".") ? join(dirname(path), name) : name));
}

function wrongDirections(path: string, text: string): readonly string[] {
  const area = areaOf(path);
  const own = importsOf(path, text).filter((target) => target.startsWith("src/") && areaOf(target) !== area);
  const wrong = own.filter((target) => !below[area]?.includes(areaOf(target)) && !against.has(`${area} -> ${target.slice("src/".length)}`));
  return wrong.map((target) => `${path} imports ${target}`);
}

function wrongDoors(path: string, text: string): readonly string[] {
  const area = areaOf(path);
  const isCli = area === "cli"; // its table of commands loads every command.ts
  const foreign = importsOf(path, text).filter((target) => stages.includes(areaOf(target)) && areaOf(target) !== area);
  const closed = foreign.filter((target) => {
    const door = target.split("/").slice(2).join("/");
    return !doors.has(door) && !furtherDoors.has(`${area} -> ${areaOf(target)}/${door}`) && !(isCli && /^(\w+-)?command\.ts$/.test(door));
  });
  return closed.map((target) => `${path} enters ${target}`);
}

function adapterImports(path: string, text: string): readonly string[] {
  const isAllowed = areaOf(path) === "adapters" || path === "src/cli/context.ts";
  return isAllowed ? [] : importsOf(path, text).filter((target) => areaOf(target) === "adapters" && target.startsWith("src/")).map((target) => `${path} opens ${target}`);
}

function impurities(path: string, text: string): readonly string[] {
  if (!/(^|\/|-)plan\.ts$/.test(path)) return [];
  const found = [...text.matchAll(/["']node:[^"']+["']|\bnew Date\b|\bDate\.|\bMath\.random\b|\bawait\b|\basync (?=function|\()|\bprocess\.(?:env|argv|cwd|platform|std\w+)\b|\bfetch\(|\bPromise\b/g)];
  return found.map(([word]) => `${path} uses ${word}`);
}

function tooLong(path: string, text: string): readonly string[] {
  const lines = text.trimEnd().split("\n").length;
  return lines > 250 ? [`${path} has ${lines} lines`] : [];
}

const rules: readonly (readonly [string, (path: string, text: string) => readonly string[], string, string])[] = [
  ["imports only what lies below it", wrongDirections, "src/build/apply.ts", 'export { x } from "../run/schema.ts";'],
  ["enters a stage by its doors", wrongDoors, "src/run/apply.ts", 'const x = import("../build/apply.ts");'],
  ["leaves the opening of adapters to cli/context.ts", adapterImports, "src/run/apply.ts", 'import "../adapters/registry.ts";'],
  ["keeps plans pure", impurities, "src/run/plan.ts", 'import { readFile } from "node:fs";'],
  ["keeps files under 250 lines", tooLong, "src/run/apply.ts", "\n".repeat(250) + "x"],
];

describe("the source", () => {
  it.each(rules)("%s", (_, check) => {
    expect([...files].flatMap(([path, text]) => check(path, text))).toEqual([]);
  });

  it.each(rules)("would be caught where it does not: %s", (_, check, path, text) => {
    expect(check(path, text)).toHaveLength(1);
  });

  it("has a place in the table for every folder", () => {
    expect([...new Set([...files.keys()].map(areaOf))].filter((area) => below[area] === undefined)).toEqual([]);
  });
});

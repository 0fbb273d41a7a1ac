import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { type Build, buildKind } from "../build/schema.ts";
import { codeTreeKind } from "../code/schema.ts";
import { environmentOf, readSecrets } from "../config/read.ts";
import { resolvedIndexes } from "../config/settings.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { readManifest } from "../manifest/read.ts";
import { modelChain } from "../manifest/model-chain.ts";
import type { Manifest } from "../manifest/schema.ts";
import { defineCommand } from "../ports/command.ts";
import type { Context } from "../ports/context.ts";
import { findPrompt, promptTitle } from "../prompt/schema.ts";
import { type ActiveRelease, type FoundRelease, readActive, readRelease } from "../release/read.ts";
import { openRuntime } from "../run/apply.ts";
import { applyEval, defaultConcurrency, type Evaluation } from "./apply.ts";
import { chooseSuites, readSuite, type ReadSuite } from "./read.ts";
import { EvalReport } from "./schema.ts";
import { formatReport, percent } from "./table.ts";

/** Nobody waits for one answer, and a rate limit that passes is no finding about the release. */
const patience = { attempts: 7, totalMs: 120_000 };

export default defineCommand({
  input: z.strictObject({
    suite: z.string().optional().meta({ description: "Eval suite of the manifest; all of them by default", positional: true }),
    env: z.string().optional().meta({ description: "Environment whose active release is measured", valueName: "name" }),
    release: z.string().optional().meta({ description: "Release to measure, such as v3", valueName: "release" }),
    maxConcurrency: z.int().min(1).max(1000).optional().meta({ description: `How many cases are asked at once; the suite's own setting or ${defaultConcurrency} by default` }),
  }),
  output: z.strictObject({
    pass: z.boolean().meta({ description: "Whether every gate holds" }),
    opens: z.array(z.string()).meta({ description: "Environments that require no more than these suites: the release may be promoted there" }),
    reports: z.array(EvalReport).meta({ description: "One report for each suite, as it is stored" }),
  }),
  description:
    "Asks a release every case of its eval suites, by the same path as `twelve run`, and stores each report bound to the release. " +
    "Suites are read from the working folder. The exit code is 100 when a gate fails.",
  examples: ["twelve eval --env staging", "twelve eval smoke --release v3", "twelve eval smoke --env staging --json"],

  async run({ suite: wanted, env: environment, release: named, maxConcurrency }, context) {
    const manifest = await readManifest(context.dir);
    if (environment !== undefined) environmentOf(manifest, environment);
    const names = chooseSuites(manifest, wanted);
    const release = await findRelease(context, manifest.name, { environment, named });
    const store = await context.store();
    const build = await readDocument(store, buildKind, release.release.build);
    const suites = await Promise.all(names.map(async (name) => {
      const suite = await readSuite(context.dir, manifest.evals[name]?.suite ?? "");
      return { name, suite, ...subjectOf(name, { manifest, release, build }) };
    }));
    await warnOfChanges(context, build, { manifest, suites });
    // A call's event would say less than its case in the report, and stdout is for the answer.
    const runtime = await openRuntime(context, { release, environment: environment ?? null, attached: "activation" in release ? release.activation.attachments : undefined, agents: [...new Set(suites.map(({ agent }) => agent))], emit: () => {}, patience });
    const secrets = environment === undefined ? {} : await readSecrets(context, build.manifest, environment);
    const reports: EvalReport[] = [];
    try {
      for (const subject of suites) {
        const gate = manifest.evals[subject.name]?.gate ?? { passRate: 1 };
        reports.push(await applyEval(context, { ...subject, gate, app: manifest.name, release: release.releaseDescriptor, runtime, secrets, maxConcurrency }));
      }
    } finally {
      await runtime.close();
    }
    const pass = reports.every((report) => report.pass);
    return { pass, opens: environment === undefined || !pass ? [] : [...opened(manifest, environment, names)], reports };
  },

  render: ({ opens, reports }, { env }) => {
    const next = opens.map((environment) => `Next: \`twelve promote ${env ?? ""} ${environment}\``);
    return [...reports.map((report) => formatReport(report, process.stdout.columns)), ...next].join("\n\n");
  },
  verdict: ({ reports }) => {
    const failing = reports.filter(({ pass }) => !pass);
    if (failing.length === 0) return undefined;
    const named = failing.map(({ suite, passRate, gate }) => `${suite} (pass rate ${percent(passRate)}, needed ${percent(gate.passRate)})`);
    return { exit: 100, message: `${failing.length === 1 ? "The gate" : "The gates"} of ${named.join(", ")} ${failing.length === 1 ? "does" : "do"} not hold` };
  },
});

/** Environments whose gate these suites are. */
function opened({ environments }: Manifest, measured: string, suites: readonly string[]): readonly string[] {
  const gated = Object.entries(environments).filter(([name, { requires }]) => name !== measured && requires.length > 0);
  return gated.filter(([, { requires }]) => requires.every((suite) => suites.includes(suite))).map(([name]) => name);
}

interface Which {
  readonly environment: string | undefined;
  readonly named: string | undefined;
}

async function findRelease(context: Context, app: string, { environment, named }: Which): Promise<ActiveRelease | FoundRelease> {
  const store = await context.store();
  if (named !== undefined) return readRelease(store, app, named);
  if (environment !== undefined) return readActive(store, app, environment);
  throw new TwelveError("USAGE_INVALID", "Name what to measure: `--env <name>` or `--release <release>`", { fix: "Run `twelve eval --env development`, or `twelve releases` to see what exists" });
}

interface Sources {
  readonly manifest: Manifest;
  readonly release: ActiveRelease | FoundRelease;
  readonly build: Build;
}

/** Which agent of the release a suite asks, and what that agent is made of. */
function subjectOf(name: string, { manifest, release: { release }, build }: Sources): Pick<Evaluation, "agent" | "models" | "prompt" | "embedder"> {
  const agents = Object.keys(release.agents);
  const agent = manifest.evals[name]?.agent ?? (agents.length === 1 ? agents[0] : undefined);
  const settings = agent === undefined || !Object.hasOwn(release.agents, agent) ? undefined : release.agents[agent];
  if (agent === undefined || settings === undefined) {
    const what = agent === undefined ? `The suite ${name} names no agent` : `The suite ${name} asks the agent ${agent}, which the release does not have`;
    throw new TwelveError("SUITE_INVALID", `${what}; the release has ${agents.join(", ") || "none"}`, { fix: `Set \`evals.${name}.agent\` in twelve.yaml` });
  }
  const named = { name: settings.prompt, variant: settings.variant ?? null };
  const prompt = findPrompt(build.prompts, named);
  if (prompt === undefined) throw new TwelveError("PROMPT_UNKNOWN", `The release's build has no prompt ${promptTitle(named)}`);
  const index = settings.retrieve?.index ?? Object.keys(release.indexes)[0];
  const embedder = index === undefined ? undefined : resolvedIndexes(build.manifest, release.config, [index])[index]?.embedder;
  return { agent, models: modelChain(settings), prompt, embedder };
}

interface Working {
  readonly manifest: Manifest;
  readonly suites: readonly { readonly name: string; readonly suite: ReadSuite }[];
}

/** The working folder's suite is what counts; when the release was packaged with another one, a reader should know. */
async function warnOfChanges(context: Context, build: Build, { manifest, suites }: Working): Promise<void> {
  const tree = await readDocument(await context.store(), codeTreeKind, build.code);
  const packaged = new Map(tree.files.map(({ path, digest }) => [path, digest]));
  for (const { name, suite } of suites) {
    const changed = Object.entries(suite.files).filter(([path, digest]) => packaged.get(path) !== digest).map(([path]) => path);
    // A suite that the build leaves out on purpose is no surprise.
    const tell = changed.some((path) => packaged.has(path)) ? "warn" : "note";
    if (changed.length > 0) context.story[tell](`${name}: ${changed.join(", ")} in the working folder ${changed.length === 1 ? "is" : "are"} not what the release was packaged with`);
    const isOther = canonicalJson(manifest.evals[name]) !== canonicalJson(build.manifest.evals[name] ?? null);
    if (isOther) context.story.warn(`${name}: \`evals.${name}\` in twelve.yaml is not what the release was built with`);
  }
}

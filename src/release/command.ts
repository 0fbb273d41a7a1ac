import { z } from "zod";
import { canonicalJson } from "../core/canonical-json.ts";
import { Digest, digestOf, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { readBuild } from "../build/read.ts";
import { environmentOf, resolveFor } from "../config/read.ts";
import { attachedUrls } from "../config/vectors.ts";
import { parseSets } from "../config/set.ts";
import { readManifest } from "../manifest/read.ts";
import type { Manifest } from "../manifest/schema.ts";
import { defineCommand } from "../ports/command.ts";
import { appendActivation, recordRelease } from "./apply.ts";
import { checkServices } from "./check.ts";
import { formatSource, refuseDirty } from "./dirty.ts";
import { requireReports } from "./gate.ts";
import { changedAttachments, formatChanges } from "./history.ts";
import { findIndexes, parsePins } from "./indexes.ts";
import { captureEnvironment, planRelease, promptProblems, usedIndexes } from "./plan.ts";
import { requirePublished } from "./published.ts";
import { listReleases, readCurrent } from "./read.ts";
import { Activation, Release } from "./schema.ts";
import { formatFields, formatValue } from "../core/table.ts";

const Output = z.strictObject({
  number: z.int().positive().meta({ description: "3 for v3" }),
  digest: Digest,
  createdAt: z.iso.datetime(),
  environment: z.string(),
  isActive: z.boolean().meta({ description: "false when a newer release was activated there at the same time" }),
  source: z.strictObject({ commit: z.string().nullable(), dirty: z.boolean() }).meta({ description: "Where the code came from" }),
  release: Release,
  attachments: Activation.shape.attachments,
  secrets: Activation.shape.secrets,
});

export default defineCommand({
  description:
    "Takes the latest build and the latest index of every name that an agent searches, freezes the configuration with the manifest of that build, " +
    "gives the result the next number and activates it. An environment with `requires:` takes only a release whose evals have passed: release to " +
    "another environment, run `twelve eval` there, then `twelve promote`.",
  input: z.strictObject({
    env: z.string().meta({ description: "Environment to activate the release in", valueName: "name" }),
    build: z.string().optional().meta({ description: "Build to release, by the beginning of its digest; the latest one otherwise", valueName: "digest" }),
    index: z.array(z.string()).default([]).meta({ description: "Index to take instead of the latest one of that name", valueName: "name=digest" }),
    set: z.array(z.string()).default([]).meta({ description: "Configuration value, stronger than every other source", valueName: "KEY=VALUE" }),
    message: z.string().max(1000).optional().meta({ description: "What the release is for", short: "m", valueName: "text" }),
    allowDirty: z.boolean().default(false).meta({ description: "Take a build of uncommitted changes outside development" }),
  }),
  output: Output,
  examples: ["twelve release --env staging", "twelve release --env staging --set TOP_K=8 -m \"More passages\"", "twelve release --env development --allow-dirty --json"],

  async run({ env: environment, build: wantedBuild, index, set, message, allowDirty }, context) {
    const { story, clock } = context;
    const working = await readManifest(context.dir);
    const app = working.name;
    const store = await context.store();
    const { build, buildDescriptor } = await readBuild(store, app, wantedBuild);
    const { manifest } = build;
    if (canonicalJson(working) !== canonicalJson(manifest)) {
      story.warn(`twelve.yaml differs from the manifest of build ${shortDigest(buildDescriptor.digest)}, and a release takes the build's. Run \`twelve build\` first to release your changes.`);
    }
    environmentOf(manifest, environment);
    refuseDirty({ build, digest: buildDescriptor.digest, environment, allowDirty });

    const used = usedIndexes(manifest);
    const pins = parsePins(index, used);
    const values = await resolveFor(context, manifest, { environment, sets: parseSets(set, manifest) });
    const indexes = await findIndexes(store, app, used, pins);
    const release = planRelease({ build, buildDescriptor, indexes, values });
    const problems = promptProblems(release, build);
    if (problems.length > 0) throw new TwelveError("PROMPT_UNKNOWN", "Configuration chooses prompts that the build does not have", { problems });
    await requireReports(store, { app, build, environment, release: digestOf(canonicalJson(release)), title: "this release", fix: (suites) => wayThroughGate(manifest, environment, suites) });
    await checkServices(context, store, { build, release, environment, values });
    const captured = captureEnvironment(values);
    await requirePublished(context, store, { manifest, release, environment, urls: attachedUrls(manifest, Object.keys(release.indexes), { environment, values }) });

    // From here on every step leaves a usable store: an unnamed blob, then a number without activation, then all.
    const services = { store, clock };
    const before = await readCurrent(store, app, environment);
    const { number, releaseDescriptor, createdAt } = await recordRelease(services, release, message);
    const earlier = (await listReleases(store, app)).findLast((other) => other.number < number && other.releaseDescriptor.digest === releaseDescriptor.digest);
    const changes = changedAttachments(before?.activation.attachments ?? captured.attachments, captured.attachments);
    if (earlier !== undefined && changes.length === 0) story.note(`Nothing differs from v${earlier.number}: v${number} is another number for the same release`);
    if (earlier !== undefined && changes.length > 0) story.note(`v${number} is another number for the same release as v${earlier.number}, with other attachments: ${formatChanges(changes)}`);
    const active = await appendActivation(
      services,
      { app, environment, number, release: releaseDescriptor, ...captured, reason: "release" },
      // Two releases at once: the higher number stays, whichever process comes last.
      (current) => current === undefined || current.activation.reason !== "release" || current.activation.number < number,
    );
    if (active === undefined) story.warn(`A newer release was activated in ${environment} at the same time and stays active; v${number} is recorded but active nowhere.`);
    return { number, digest: releaseDescriptor.digest, createdAt, environment, isActive: active !== undefined, source: build.source, release, ...captured };
  },

  render({ number, digest, environment, isActive, source, release }) {
    const given = Object.entries(release.config).filter(([, frozen]) => frozen.source !== "default" && frozen.value !== null);
    const indexes = Object.entries(release.indexes).map(([name, { digest }]) => `${name} ${shortDigest(digest)}`);
    return [
      isActive ? `v${number} is active in ${environment}` : `v${number} is recorded, and not active`,
      formatFields([
        ["digest", digest],
        ["build", `${shortDigest(release.build.digest)} (${formatSource(source)})`],
        ["indexes", indexes.join(", ")],
        ["models", release.models.join(", ")],
        ["config", given.map(([key, frozen]) => `${key}=${formatValue(frozen.value)} (${frozen.source})`).join(", ")],
      ]),
      `Next: \`twelve run --env ${environment}\` or \`twelve eval --env ${environment}\``,
    ].join("\n");
  },
});

function wayThroughGate(manifest: Manifest, environment: string, suites: readonly string[]): string {
  const open = Object.entries(manifest.environments).find(([name, { requires }]) => name !== "development" && requires.length === 0)?.[0] ?? "development";
  const evals = suites.map((suite) => `\`twelve eval ${suite} --env ${open}\``).join(", ");
  return `Run \`twelve release --env ${open}\`, then ${evals}, then \`twelve promote ${open} ${environment}\``;
}

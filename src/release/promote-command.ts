import { z } from "zod";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { readBuild } from "../build/read.ts";
import { environmentOf, inspectConfig } from "../config/read.ts";
import { attachedUrls } from "../config/vectors.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import { appendActivation } from "./apply.ts";
import { checkServices } from "./check.ts";
import { refuseDirty } from "./dirty.ts";
import { requireReports } from "./gate.ts";
import { captureEnvironment, frozenDifferences, isSameActivation } from "./plan.ts";
import { requirePublished } from "./published.ts";
import { readActive, readCurrent } from "./read.ts";
import { Activation } from "./schema.ts";
import { formatValue } from "../core/table.ts";

const Output = z.strictObject({
  from: z.string(),
  to: z.string(),
  number: z.int().positive().meta({ description: "3 for v3" }),
  digest: Digest,
  isChanged: z.boolean().meta({ description: "false when the release was active there already, with the same attachments" }),
  previous: z.int().nullable().meta({ description: "Number that was active in the target before" }),
  attachments: Activation.shape.attachments,
  secrets: Activation.shape.secrets,
});

export default defineCommand({
  description:
    "Activates the release of one environment in another: the same digest and number, with the target's own attachments and secrets. " +
    "Every suite of the target's `requires:` must have passed on exactly this release.",
  input: z.strictObject({
    from: z.string().meta({ description: "Environment whose release is taken", positional: true }),
    to: z.string().meta({ description: "Environment to activate it in", positional: true }),
    allowDirty: z.boolean().default(false).meta({ description: "Take a build of uncommitted changes outside development" }),
  }),
  output: Output,
  examples: ["twelve promote staging production"],

  async run({ from, to, allowDirty }, context) {
    const { story, clock } = context;
    const working = await readManifest(context.dir);
    environmentOf(working, from);
    const app = working.name;
    if (from === to) throw new TwelveError("USAGE_INVALID", `${from} is both where the release is and where it should go`, { fix: "Name two environments: `twelve promote <from> <to>`" });
    const store = await context.store();
    const { number, release, releaseDescriptor } = await readActive(store, app, from);
    const { build } = await readBuild(store, app, release.build.digest);
    const { manifest } = build;
    environmentOf(manifest, to);
    refuseDirty({ build, digest: release.build.digest, environment: to, allowDirty });
    await requireReports(store, {
      app,
      build,
      release: releaseDescriptor.digest,
      title: `v${number} (${shortDigest(releaseDescriptor.digest)})`,
      environment: to,
      fix: (suites) => `Run ${suites.map((suite) => `\`twelve eval ${suite} --env ${from}\``).join(", ")}, then promote again`,
    });

    const { values, problems } = await inspectConfig(context, manifest, { environment: to });
    for (const { key, frozen, here } of frozenDifferences(release, values)) {
      story.warn(`${key} is ${formatValue(frozen.value)} in v${number} (from ${frozen.source}), but ${formatValue(here.value)} in ${here.source === "environment" ? "the process environment" : here.source}. A frozen value belongs to the release, so ${formatValue(frozen.value)} stays.`);
    }
    // Frozen keys come with the release; only what the target environment itself must give can be wrong here.
    const own = problems.filter(({ key }) => values[key]?.kind !== "frozen");
    if (own.length > 0) {
      throw new TwelveError("CONFIG_INVALID", `${to} does not give everything that v${number} needs`, {
        problems: own.map(({ key, message }) => ({ path: key, message })),
        fix: `Set the keys named above for ${to}; \`twelve config list --env ${to}\` shows every key`,
      });
    }
    await checkServices(context, store, { build, release, environment: to, values });
    const captured = captureEnvironment(values);
    await requirePublished(context, store, { manifest, release, environment: to, urls: attachedUrls(manifest, Object.keys(release.indexes), { environment: to, values }) });

    const wanted = { app, environment: to, number, release: releaseDescriptor, ...captured, reason: "promote" } as const;
    const before = (await readCurrent(store, app, to))?.activation;
    const recorded = await appendActivation({ store, clock }, wanted, (current) => current === undefined || !isSameActivation(current.activation, wanted));
    return { from, to, number, digest: releaseDescriptor.digest, isChanged: recorded !== undefined, previous: before?.number ?? null, ...captured };
  },

  render({ to, number, digest, isChanged, previous }) {
    if (!isChanged) return `v${number} is active in ${to} already, with the same attachments. Nothing was changed.`;
    const undo = previous === null || previous === number ? "" : `\nUndo: \`twelve rollback --env ${to}\` (back to v${previous})`;
    return `v${number} (${shortDigest(digest)}) is active in ${to}${previous === null || previous === number ? "" : `; v${previous} was active before`}\nNext: \`twelve run --env ${to}\`${undo}`;
  },
});

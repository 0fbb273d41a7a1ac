import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { type FoundBuild, readBuild } from "../build/read.ts";
import { environmentOf } from "../config/read.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import { changedAttachments } from "./history.ts";
import { listEnvironments, listReleases, readHistory, type RecordedActivation } from "./read.ts";
import { releaseKind } from "./schema.ts";
import { formatTable, formatValue } from "../core/table.ts";

const Row = z.strictObject({
  number: z.int().positive().meta({ description: "3 for v3" }),
  digest: Digest,
  createdAt: z.iso.datetime(),
  message: z.string().nullable(),
  build: z.strictObject({ digest: Digest, commit: z.string().nullable(), dirty: z.boolean() }),
  active: z.array(z.string()).meta({ description: "Environments where it is active now" }),
  changed: z.array(z.string()).meta({ description: "Attachments that named another service in the activation before, in any of the environments that are looked at" }),
  wasActive: z.boolean().meta({ description: "false when no environment ever had it: made at the same time as another, or cut off before it was activated" }),
});

export default defineCommand({
  input: z.strictObject({ env: z.string().optional().meta({ description: "Only releases that were active in this environment", valueName: "name" }) }),
  output: z.strictObject({ app: z.string(), releases: z.array(Row).meta({ description: "Newest first" }) }),
  examples: ["twelve releases", "twelve releases --env production --json"],

  async run({ env }, context) {
    const manifest = await readManifest(context.dir);
    if (env !== undefined) environmentOf(manifest, env);
    const { name: app } = manifest;
    const store = await context.store();
    const environments = await listEnvironments(store, app);
    const histories = await Promise.all(environments.map(async (environment) => ({ environment, records: await readHistory(store, app, environment) })));
    const active = (number: number): readonly string[] => histories.filter(({ records }) => records[0]?.activation.number === number).map(({ environment }) => environment);
    const looked = histories.filter(({ environment }) => env === undefined || environment === env);
    const changed = Map.groupBy(looked.flatMap(({ records }) => changesOf(records)), ({ number }) => number);
    const everActive = new Set(looked.flatMap(({ records }) => records.map(({ activation }) => activation.number)));
    const wanted = (await listReleases(store, app)).filter(({ number }) => env === undefined || everActive.has(number));

    // Many releases share a build; each is read once.
    const builds = new Map<Digest, Promise<FoundBuild>>();
    const readOnce = (digest: Digest): Promise<FoundBuild> => {
      const reading = builds.get(digest) ?? readBuild(store, app, digest);
      builds.set(digest, reading);
      return reading;
    };
    const releases: z.output<typeof Row>[] = [];
    for (const { number, releaseDescriptor, createdAt, message = null } of wanted.toReversed()) {
      const release = await readDocument(store, releaseKind, releaseDescriptor);
      const { build } = await readOnce(release.build.digest);
      releases.push({
        number,
        digest: releaseDescriptor.digest,
        createdAt,
        message,
        build: { digest: release.build.digest, commit: build.source.commit, dirty: build.source.dirty },
        active: [...active(number)],
        changed: [...new Set(changed.get(number)?.map(({ key }) => key))].toSorted(),
        wasActive: everActive.has(number),
      });
    }
    return { app, releases };
  },

  render({ app, releases }, { env }) {
    if (releases.length === 0) return env === undefined ? `${app} has no release yet. Make one: \`twelve release --env development\`` : `No release of ${app} was ever active in ${env}.`;
    // Most applications never exchange a service.
    const isShown = releases.some(({ changed }) => changed.length > 0);
    const rows = releases.map(({ number, digest, createdAt, build, active, changed, wasActive, message }) => [
      `v${number}`,
      shortDigest(digest),
      createdAt.replace(/\.\d+Z$/, "Z"),
      `${shortDigest(build.digest)} ${build.commit?.slice(0, 7) ?? "no commit"}${build.dirty ? " dirty" : ""}`,
      active.length > 0 ? active.join(", ") : wasActive ? "-" : "never activated",
      ...(isShown ? [changed.length === 0 ? "-" : changed.join(", ")] : []),
      message === null ? "" : formatValue(message),
    ]);
    return formatTable(["RELEASE", "DIGEST", "CREATED", "BUILD", "ACTIVE IN", ...(isShown ? ["OTHER SERVICE"] : []), "MESSAGE"], rows);
  },
});

/** Each attachment that an activation changed. A rollback brings back what was told of the release that it goes to. */
function changesOf(records: readonly RecordedActivation[]): readonly { readonly number: number; readonly key: string }[] {
  return records.flatMap(({ activation: { number, attachments, reason } }, i) => {
    const before = records[i + 1]?.activation.attachments;
    return before === undefined || reason === "rollback" ? [] : changedAttachments(before, attachments).map(({ key }) => ({ number, key }));
  });
}

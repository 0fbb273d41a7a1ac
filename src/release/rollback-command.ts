import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { buildKind } from "../build/schema.ts";
import { readVectorUrls } from "../config/vectors.ts";
import { Digest, digestPrefix, hexOf, shortDigest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { readManifest } from "../manifest/read.ts";
import { defineCommand } from "../ports/command.ts";
import type { Context } from "../ports/context.ts";
import type { Store } from "../ports/store.ts";
import { appendAfter } from "./apply.ts";
import { changedAttachments, earlierActivation, formatChanges, previousActivation } from "./history.ts";
import { requirePublished } from "./published.ts";
import { notActive, readHistory } from "./read.ts";
import { Activation, type Release, releaseKind } from "./schema.ts";

const Output = z.strictObject({
  environment: z.string(),
  number: z.int().positive().meta({ description: "Release that is active now: 3 for v3" }),
  digest: Digest,
  previous: z.int().positive().meta({ description: "Release that was active before" }),
  attachments: Activation.shape.attachments,
  secrets: Activation.shape.secrets,
});

export default defineCommand({
  description:
    "Activates what was active before: the release before, or the same one with the attachments it had before these were changed. Rolling back again goes further back. " +
    "Only a release that was active in this environment can be named with --to, so no required eval is sidestepped.",
  input: z.strictObject({
    env: z.string().meta({ description: "Environment to roll back", valueName: "name" }),
    to: z.string().optional().meta({ description: "Release to go to: v1, or the beginning of its digest; the one before the current one otherwise", valueName: "release" }),
  }),
  output: Output,
  examples: ["twelve rollback --env production", "twelve rollback --env production --to v1"],

  async run({ env: environment, to }, context) {
    const { name: app } = await readManifest(context.dir);
    const store = await context.store();
    const records = await readHistory(store, app, environment);
    const history = records.map(({ activation }) => activation);
    const [current] = records;
    if (current === undefined) throw await notActive(store, app, environment);
    const named = to === undefined ? [] : history.filter(isNamed(to));
    if (new Set(named.map(({ release }) => release.digest)).size > 1) throw new TwelveError("RELEASE_NOT_FOUND", `${to} names several releases: ${formatHistory(named)}`, { fix: "Name the one you mean by its number" });
    const target = to === undefined ? previousActivation(history) : earlierActivation(history, isNamed(to));
    if (target === undefined) throw nothingToRollBackTo(environment, to, history);
    const { number: previous, attachments: present } = current.activation;
    const { number, release, attachments, secrets } = target;
    if (to !== undefined && number === previous) throw new TwelveError("USAGE_INVALID", `v${number} is active in ${environment} already`, { fix: `Name another release: ${formatHistory(history)}` });
    // The current release may be damaged, which is a reason to roll back; the one to go to must not be.
    const restored = await readDocument(store, releaseKind, release);
    if (Object.values(attachments).some(({ url }) => url !== null)) await lookAtPublished(context, store, { restored, environment, attachments });

    const changes = changedAttachments(present, attachments);
    if (release.digest !== current.activation.release.digest) context.story.warn(`A rollback changes code, prompts, indexes and configuration of ${environment}; data in attached services stays as it is.`);
    else context.story.warn(`v${number} and v${previous} are the same release: only the attachments of ${environment} change, and data in attached services stays as it is.`);
    if (changes.length > 0) context.story.warn(`Attachments as v${number} had them come back too: ${formatChanges(changes)}`);
    await appendAfter({ store, clock: context.clock }, { app, environment, number, release, attachments, secrets, reason: "rollback" }, current.activationDescriptor);
    return { environment, number, digest: release.digest, previous, attachments, secrets };
  },

  render: ({ environment, number, digest, previous }) =>
    `v${number} (${shortDigest(digest)}) is active in ${environment} again${number === previous ? ", with the attachments it had before" : `; v${previous} was active before`}\n` +
    `Next: restart its processes with \`twelve run --env ${environment}\`${number === previous ? "" : `\nUndo: \`twelve rollback --env ${environment} --to v${previous}\``}`,
});

interface Restored extends Pick<Activation, "environment" | "attachments"> {
  readonly restored: Release;
}

/** Going back must work while a service is away; only an index that is known to be gone stops it. */
async function lookAtPublished(context: Context, store: Store, { restored, environment, attachments }: Restored): Promise<void> {
  const { manifest } = await readDocument(store, buildKind, restored.build);
  const urls = await readVectorUrls(context, manifest, Object.keys(restored.indexes), { environment, attachments });
  try {
    await requirePublished(context, store, { manifest, release: restored, environment, urls });
  } catch (error) {
    if (!(error instanceof TwelveError) || error.exit !== 6) throw error;
    context.story.warn(`Nobody knows whether every index is there: ${error.message}. Look with \`twelve services check --env ${environment}\``);
  }
}

function isNamed(to: string): (activation: Activation) => boolean {
  const number = /^v(\d+)$/.exec(to)?.[1];
  const prefix = digestPrefix(to);
  return (activation) => (number === undefined ? prefix !== undefined && hexOf(activation.release.digest).startsWith(prefix) : activation.number === Number(number));
}

function nothingToRollBackTo(environment: string, to: string | undefined, history: readonly Activation[]): TwelveError {
  const was = `Active there so far: ${formatHistory(history)}`;
  if (to === undefined) return new TwelveError("RELEASE_NOT_FOUND", `${environment} has no earlier release to go back to. ${was}`, { fix: "Make a new release, or name one of those above with `--to`" });
  return new TwelveError("RELEASE_NOT_FOUND", `${to} was never active in ${environment}. ${was}`, { fix: "Name one of those above, or bring another release there with `twelve promote`" });
}

function formatHistory(history: readonly Activation[]): string {
  return [...new Set(history.map(({ number }) => `v${number}`))].slice(0, 10).join(", ");
}

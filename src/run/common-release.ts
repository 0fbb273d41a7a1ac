import { z } from "zod";
import { readDocument } from "../artifact/document.ts";
import { Descriptor } from "../core/descriptor.ts";
import type { Context } from "../ports/context.ts";
import type { Parent } from "../ports/instance.ts";
import { Activation, releaseKind } from "../release/schema.ts";
import type { ReleaseToRun } from "./named.ts";

/** What says which release is run, and with what: a newer activation changes nothing for those who have it. */
const CommonRelease = z.strictObject({
  number: z.int().nullable(),
  release: Descriptor,
  attachments: Activation.shape.attachments,
  secrets: Activation.shape.secrets.optional(),
});
export type CommonRelease = z.infer<typeof CommonRelease>;

/** The variable that tells an instance the release of all of them. */
export const releaseVariable = "TWELVE_INSTANCE_RELEASE";

export interface AttachedRelease {
  readonly release: ReleaseToRun;
  readonly attachments: Activation["attachments"];
}

export function commonReleaseOf({ release: { number, releaseDescriptor, activation }, attachments }: AttachedRelease): CommonRelease {
  return { number, release: releaseDescriptor, attachments, ...(activation && { secrets: activation.secrets }) };
}

/** Whether its parent has told this process what it runs. */
export function isReleaseTold({ parent, env }: Pick<Context, "parent" | "env">): boolean {
  return parent !== undefined && env[releaseVariable] !== undefined;
}

/**
 * One `twelve run` serves one release for its life, also what it starts again after a newer one is activated: the one that its parent has told
 * this process, or else the one that an instance finds first.
 */
export async function agreeOnRelease(context: Context, find: () => Promise<AttachedRelease>): Promise<AttachedRelease> {
  const { parent } = context;
  if (parent === undefined) return find();
  const told = context.env[releaseVariable];
  if (told !== undefined) return readCommon(context, CommonRelease.parse(JSON.parse(told)));
  const found = await find();
  const kept = await propose(parent, commonReleaseOf(found));
  return kept.release.digest === found.release.releaseDescriptor.digest && kept.number === found.release.number ? found : readCommon(context, kept);
}

function propose(parent: Parent, release: CommonRelease): Promise<CommonRelease> {
  return new Promise((resolve) => {
    parent.onMessage((message) => {
      if (message.kind === "release-kept") resolve(CommonRelease.parse(message.release));
    });
    // Who looks after nobody any more has no other release either.
    parent.onLost(() => resolve(release));
    void parent.send({ kind: "release-found", release });
  });
}

async function readCommon(context: Context, { number, release: releaseDescriptor, attachments, secrets }: CommonRelease): Promise<AttachedRelease> {
  const release = await readDocument(await context.store(), releaseKind, releaseDescriptor);
  return { release: { number, release, releaseDescriptor, ...(secrets && { activation: { secrets } }) }, attachments };
}

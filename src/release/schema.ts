import { z } from "zod";
import { Descriptor } from "../core/descriptor.ts";
import { ProcessDeclaration } from "../manifest/process.ts";
import { AgentSettings } from "../manifest/schema.ts";

const Value = z.union([z.string(), z.number(), z.boolean()]);

export const FrozenValue = z.strictObject({
  value: Value.nullable().meta({ description: "null for an optional key that no source sets" }),
  source: z.string().meta({ description: "Where the value came from: --set, environment, dotenv:.env, default" }),
});
export type FrozenValue = z.infer<typeof FrozenValue>;

/** One immutable release. Its number is given by a ref; the document holds nothing of an environment. */
export const Release = z
  .strictObject({
    version: z.literal(1),
    app: z.string(),
    build: Descriptor,
    indexes: z.record(z.string(), Descriptor).meta({ description: "The Index that each name stands for" }),
    config: z.record(z.string(), FrozenValue).meta({ description: "Frozen configuration" }),
    attachments: z.array(z.string()).meta({ description: "Keys whose service URLs an activation gives" }),
    secrets: z.record(z.string(), z.strictObject({ optional: z.boolean() })).meta({ description: "Keys whose values are read when a process starts" }),
    models: z.array(z.string()).meta({ description: "Every model and embedder it uses, resolved" }),
    agents: z.record(z.string(), AgentSettings).meta({ description: "Agents with every `${KEY}` replaced" }),
    processes: z.record(z.string(), ProcessDeclaration),
  })
  .meta({ title: "Release", description: "Build, indexes and configuration as one immutable artifact" });
export type Release = z.infer<typeof Release>;
export const releaseKind = { mediaType: "application/vnd.twelve.release.v1+json", schema: Release } as const;

/** The ref value of a numbered release. */
export const ReleasePointer = z.strictObject({
  release: Descriptor,
  createdAt: z.iso.datetime().meta({ description: "When it was made, UTC" }),
  message: z.string().max(1000).optional().meta({ description: "What the release is for, from --message" }),
});
export type ReleasePointer = z.infer<typeof ReleasePointer>;
export const releasePointerKind = { mediaType: "release pointer", schema: ReleasePointer } as const;

/** A release made current in an environment. Append-only: each names the one before it. */
export const Activation = z
  .strictObject({
    version: z.literal(1),
    app: z.string(),
    environment: z.string(),
    number: z.int().positive().meta({ description: "Release number: 3 for v3" }),
    release: Descriptor,
    attachments: z.record(z.string(), z.strictObject({
      url: z.string().nullable().meta({ description: "Service URL without credentials; null when optional and unset" }),
      source: z.string(),
    })),
    secrets: z.record(z.string(), z.string().nullable()).meta({ description: "Where each secret is read from, such as environment or dotenv:.env" }),
    reason: z.enum(["release", "promote", "rollback"]),
    createdAt: z.iso.datetime(),
    previous: Descriptor.nullable().meta({ description: "The Activation before this one" }),
  })
  .meta({ title: "Activation", description: "One release made current in one environment, with its attachments" });
export type Activation = z.infer<typeof Activation>;
export const activationKind = { mediaType: "application/vnd.twelve.activation.v1+json", schema: Activation } as const;

/** The ref value of an environment. */
export const EnvironmentPointer = z.strictObject({ activation: Descriptor });
export type EnvironmentPointer = z.infer<typeof EnvironmentPointer>;
export const environmentPointerKind = { mediaType: "environment pointer", schema: EnvironmentPointer } as const;

import { z } from "zod";
import { Build } from "../build/schema.ts";
import { Digest } from "../core/descriptor.ts";
import { Index } from "../index/schema.ts";
import { Activation, Release } from "./schema.ts";

const Past = Activation.pick({ number: true, reason: true, createdAt: true }).extend({ digest: Digest });

/** What `show` knows of one artifact: its document, and what only refs say about it. */
export const Shown = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("release"),
    number: z.int().positive().meta({ description: "3 for v3" }),
    digest: Digest,
    createdAt: z.iso.datetime(),
    message: z.string().nullable(),
    active: z.array(z.string()).meta({ description: "Environments where it is active now" }),
    source: Build.shape.source,
    document: Release,
  }),
  z.strictObject({
    kind: z.literal("environment"),
    environment: z.string(),
    number: z.int().positive(),
    digest: Digest,
    document: Activation,
    source: Build.shape.source,
    release: Release,
    history: z.array(Past).meta({ description: "Every activation, newest first" }),
  }),
  z.strictObject({ kind: z.literal("build"), digest: Digest, document: Build }),
  z.strictObject({ kind: z.literal("index"), digest: Digest, document: Index }),
]);
export type Shown = z.infer<typeof Shown>;

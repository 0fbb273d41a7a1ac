import { z } from "zod";
import { Descriptor, Digest } from "../core/descriptor.ts";
import { indexQueue } from "../manifest/process.ts";
import { IndexSettings } from "../manifest/schema.ts";
import { EmbedderIdentity } from "../ports/embedding.ts";
import { Chunk, ChunkerIdentity, IndexedDocument, SkippedDocument } from "./schema.ts";

/** A queue may be shared by applications and environments, whose workers have other stores and other secrets. */
export function jobKind({ app, environment }: Pick<IndexJob, "app" | "environment">): string {
  // Joined by what no name can hold, or `shop` in `eu-prod` would be `shop-eu` in `prod`.
  return [indexQueue, app, environment].join("_");
}

/** What the machines that make an index together have to know. Stored as a blob; its digest names the job. */
export const IndexJob = z.strictObject({
  version: z.literal(1),
  app: z.string(),
  environment: z.string(),
  name: z.string(),
  settings: IndexSettings,
  embedder: EmbedderIdentity,
  chunker: ChunkerIdentity,
  base: Descriptor.nullable().meta({ description: "The index that the new one is made from" }),
  left: z.array(z.string()).meta({ description: "Documents of the base that the new index does not take over" }),
  keptSkips: z.array(SkippedDocument),
  skipped: z.array(SkippedDocument).meta({ description: "Skipped by the sources themselves" }),
  strict: z.boolean(),
  shards: z.array(Descriptor).meta({ description: "The files to read, packed" }),
});
export type IndexJob = z.infer<typeof IndexJob>;
export const indexJobKind = { mediaType: "application/vnd.twelve.index-job.v1+json", schema: IndexJob } as const;

/** What the queue holds of a job. The probe is no part of what names it: a service may give slightly other vectors each time. */
export const JobInput = z.strictObject({
  id: z.string(),
  job: Descriptor,
  probe: Descriptor.meta({ description: "The vectors of the probe texts where the job was submitted: a worker whose embedder gives others must not take part" }),
});
export type JobInput = z.infer<typeof JobInput>;

/** What the queue holds of a shard. */
export const JobShard = z.strictObject({ number: z.int().positive(), documents: z.int(), files: Descriptor });
export type JobShard = z.infer<typeof JobShard>;

/** What the queue keeps of a shard that is done. */
export const ShardOutcome = z.strictObject({ result: Descriptor, embedded: z.int(), tokens: z.int() });
export type ShardOutcome = z.infer<typeof ShardOutcome>;

/** What was made of the files of one shard. */
export const ShardResult = z.strictObject({
  version: z.literal(1),
  results: z.array(z.discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("skipped"), skipped: SkippedDocument }),
    z.strictObject({ kind: z.literal("document"), document: IndexedDocument.extend({ chunks: z.array(Chunk.extend({ text: z.string() })) }) }),
  ])),
});
export type ShardResult = z.infer<typeof ShardResult>;
export const shardResultKind = { mediaType: "application/vnd.twelve.shard-result.v1+json", schema: ShardResult } as const;

/** What the last step of a job gives. */
export const JobResult = z.strictObject({
  digest: Digest.meta({ description: "Digest of the Index" }),
  documents: z.int(),
  chunks: z.int(),
  embedded: z.int().meta({ description: "Texts that were sent to the embedder, without those of workers that were lost" }),
  costUsd: z.number().nullable().meta({ description: "Cost of these by the chunker's count of tokens; null where the price is not known" }),
  skipped: z.int().meta({ description: "Files that cannot be indexed; `twelve index show` lists them" }),
});
export type JobResult = z.infer<typeof JobResult>;

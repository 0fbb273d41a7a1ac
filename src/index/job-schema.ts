import { z } from "zod";
import { Descriptor, Digest } from "../core/descriptor.ts";
import { IndexSettings } from "../manifest/schema.ts";
import { EmbedderIdentity } from "../ports/embedding.ts";
import { Chunk, ChunkerIdentity, IndexedDocument, SkippedDocument } from "./schema.ts";

/** What the machines that make an index together have to know. Stored as a blob; its digest names the job. */
export const IndexJob = z.strictObject({
  version: z.literal(1),
  app: z.string(),
  name: z.string(),
  settings: IndexSettings,
  /** A worker whose embedder calls itself something else must not take part. */
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
export const JobResult = z.strictObject({ digest: Digest, documents: z.int(), chunks: z.int(), skipped: z.int() });
export type JobResult = z.infer<typeof JobResult>;

export const jobKind = "index";

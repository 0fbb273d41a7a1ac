import { z } from "zod";
import { counted, grouped } from "../core/counted.ts";
import { Digest, shortDigest } from "../core/descriptor.ts";
import { formatUsd } from "./budget.ts";
import { SkippedDocument } from "./schema.ts";

/** What `twelve index` has done. */
export const IndexReport = z.strictObject({
  kind: z.literal("report"),
  digest: Digest.meta({ description: "Digest of the Index" }),
  name: z.string(),
  documents: z.int(),
  chunks: z.int(),
  embedded: z.int().meta({ description: "Texts that were sent to the embedder" }),
  fromCache: z.int().meta({ description: "Texts whose vectors the store already had" }),
  requests: z.int().meta({ description: "Requests to the embedder, repeated ones included" }),
  costUsd: z.number().nullable().meta({ description: "Cost of these by the chunker's count of tokens; null where the price is not known" }),
  isChanged: z.boolean().meta({ description: "Whether this is another index than the latest one before" }),
  embedder: z.string(),
  skipped: z.array(SkippedDocument).meta({ description: "Files that were found but cannot be indexed, with the reason" }),
  ignored: z.record(z.string(), z.int()).meta({ description: "Number of files of each ending that no loader reads" }),
  durationMs: z.strictObject({ list: z.number(), make: z.number(), total: z.number() }),
});
export type IndexReport = z.infer<typeof IndexReport>;

/** What it would take. */
export const IndexEstimate = z.strictObject({
  kind: z.literal("estimate"),
  name: z.string(),
  embedder: z.string(),
  documents: z.int(),
  chunks: z.int(),
  toEmbed: z.strictObject({
    texts: z.int().meta({ description: "Texts without a vector in the store" }),
    tokens: z.int(),
    requests: z.int(),
    costUsd: z.number().nullable().meta({ description: "null where the price is not known" }),
  }),
  durationMs: z.number(),
});
export type IndexEstimate = z.infer<typeof IndexEstimate>;

/** Work that was put on the queue. */
export const IndexSubmission = z.strictObject({
  kind: z.literal("submitted"),
  job: z.string().meta({ description: "ID of the job" }),
  name: z.string(),
  documents: z.int().meta({ description: "Documents that workers have to read" }),
  shards: z.int(),
  queue: z.string().meta({ description: "URL of the queue, without credentials" }),
  worker: z.string().nullable().meta({ description: "The process of the manifest that takes the job; null when it declares none" }),
});
export type IndexSubmission = z.infer<typeof IndexSubmission>;

const shownSkips = 20;

interface Asked {
  readonly env: string;
  readonly set: readonly string[];
}

export function renderIndex(output: IndexReport | IndexEstimate | IndexSubmission, asked: Asked): string {
  if (output.kind === "report") return renderReport(output, asked);
  return output.kind === "estimate" ? renderEstimate(output) : renderSubmission(output, asked);
}

function renderSubmission({ job, documents, shards, queue, worker }: IndexSubmission, { env }: Asked): string {
  const command = worker === null ? "none is declared yet. Add to twelve.yaml: `processes: { worker: { work: [index] } }`" : `twelve run ${worker} --env ${env}`;
  return [
    `Job ${job}: ${counted(documents, "document")} in ${counted(shards, "shard")} on ${queue}`,
    `Workers: ${command}`,
    `Next: twelve index wait ${job}${env === "development" ? "" : ` --env ${env}`}`,
  ].join("\n");
}

function renderReport({ digest, name, documents, chunks, embedded, fromCache, costUsd, isChanged, skipped, ignored, durationMs }: IndexReport, { env, set }: Asked): string {
  const others = Object.entries(ignored).map(([ending, count]) => `${grouped(count)} ${ending === "" ? "without an ending" : ending}`);
  const cost = costUsd === 0 ? "" : costUsd === null ? " at a price that is not known" : ` for about ${formatUsd(costUsd)}`;
  return [
    `Index ${name} ${shortDigest(digest)}${isChanged ? "" : " (unchanged)"}`,
    `  ${counted(documents, "document")}, ${counted(chunks, "chunk")}; ${counted(embedded, "text")} embedded${cost}, ${grouped(fromCache)} from the cache; ${(durationMs.total / 1000).toFixed(1)} s`,
    ...(skipped.length === 0 ? [] : [`  Skipped ${grouped(skipped.length)}:`]),
    ...skipped.slice(0, shownSkips).map(({ path, reason }) => `    ${path} ${reason}`),
    ...(skipped.length > shownSkips ? [`    … and ${grouped(skipped.length - shownSkips)} more; --json lists all`] : []),
    ...(others.length === 0 ? [] : [`  Not read: ${others.join(", ")}`]),
    `Next: twelve release --env ${env}${set.map((pair) => ` --set ${pair}`).join("")}`,
  ].join("\n");
}

function renderEstimate({ name, embedder, documents, chunks, toEmbed: { texts, tokens, requests, costUsd } }: IndexEstimate): string {
  return [
    `Index ${name} would have ${counted(documents, "document")} and ${counted(chunks, "chunk")}`,
    `  to embed  ${counted(texts, "text")}, ${counted(tokens, "token")}, in ${counted(requests, "request")} to ${embedder}`,
    `  cost      ${costUsd === null ? "not known: give the price as `embedding: { usdPerMillionTokens: … }` of the index" : formatUsd(costUsd)}`,
    "Nothing was embedded or written",
  ].join("\n");
}

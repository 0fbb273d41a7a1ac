import { readDocument } from "../artifact/document.ts";
import { canonicalJson } from "../core/canonical-json.ts";
import { TwelveError } from "../core/errors.ts";
import { patiently } from "../core/patience.ts";
import type { Context } from "../ports/context.ts";
import type { Embedder } from "../ports/embedding.ts";
import type { Store } from "../ports/store.ts";
import { openBudget } from "./budget.ts";
import { type Cutters, openCutters } from "./cutters.ts";
import type { TextEmbedder } from "./embed.ts";
import { type Embeddings, openEmbeddings } from "./embeddings.ts";
import { type IndexJob, indexJobKind, type JobInput } from "./job-schema.ts";
import { describeEmbedder, embedProbe, isSameProbe } from "./probe.ts";
import { openPacedEmbedder } from "./text-embedder.ts";

/** What all steps of a job share on one machine: its pace holds for them together, and texts that two of them have are embedded once. */
export interface OpenJob {
  readonly job: IndexJob;
  readonly store: Store;
  readonly embedder: Embedder;
  /** The vectors of the probe texts, as they were where the job was submitted. */
  readonly probe: Uint8Array;
  readonly embeddings: Embeddings;
  readonly texts: TextEmbedder;
  readonly cutters: Cutters;
  readonly usdPerMillionTokens: number | null;
}

/** Fails with BLOB_NOT_FOUND where the store is another one, and with EMBEDDER_DRIFTED where the embedder is. */
export async function openJob(context: Context, { job: descriptor, probe: storedProbe }: JobInput, secrets: Readonly<Record<string, string>>): Promise<OpenJob> {
  const store = await context.store();
  const [job, probe] = await Promise.all([readDocument(store, indexJobKind, descriptor), store.blobs.read(storedProbe)]).catch((cause: unknown) => {
    if (!(cause instanceof TwelveError) || cause.code !== "BLOB_NOT_FOUND") throw cause;
    throw new TwelveError("BLOB_NOT_FOUND", `The worker's store, ${store.url}, does not hold the job's documents`, { cause, fix: "Attach the store of the machine that submitted the job to every worker, with TWELVE_STORE; then submit the job again" });
  });
  const { settings, embedder: wanted } = job;
  const embedder = await patiently(() => context.openEmbedder(settings.embedder, secrets), context);
  if (canonicalJson(embedder.identity) !== canonicalJson(wanted)) {
    throw new TwelveError("EMBEDDER_DRIFTED", `The job wants ${describeEmbedder(wanted)}, but ${settings.embedder} is ${describeEmbedder(embedder.identity)} for this worker`, { fix: sameEmbedder });
  }
  if (!isSameProbe(await embedProbe(embedder, context), probe, wanted.dimensions)) {
    throw new TwelveError("EMBEDDER_DRIFTED", `${describeEmbedder(wanted)} gives this worker other vectors than the machine that submitted the job`, { fix: sameEmbedder });
  }
  const usdPerMillionTokens = settings.embedding?.usdPerMillionTokens ?? embedder.usdPerMillionTokens;
  const embeddings = await openEmbeddings(store, embedder.identity, probe);
  const texts = openPacedEmbedder(context, settings, { embedder, embeddings, budget: openBudget({ usdPerMillionTokens, maxUsd: undefined, embedder: settings.embedder }) });
  return { job, store, embedder, probe, embeddings, texts, usdPerMillionTokens, cutters: openCutters(job.chunker, { files: job.shards.length * assumedFiles }) };
}

const sameEmbedder = "Attach the same embedder to every worker and to the machine that submits, then submit the job again";
/** So many files in every shard: threads are worth it from a few shards on. */
const assumedFiles = 32;

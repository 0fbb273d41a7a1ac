import { mapAhead } from "../core/ahead.ts";
import type { Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { VectorRow } from "../ports/vectors.ts";
import { joinHeadings } from "./chunk.ts";
import { type ChunkedDocument, type CutRequest, type CutResult, digestOfContent } from "./cut.ts";
import type { Cutters } from "./cutters.ts";
import type { DocumentFile } from "./documents.ts";
import type { TextEmbedder } from "./embed.ts";
import { planTexts } from "./plan.ts";
import { digestSeen, type Seen } from "./seen.ts";

const filesAtOnce = 256;
const batchesFetchedAtOnce = 2;
const cutFiles = 64;
const cutBytes = 1 << 20;
/** Enough texts to fill several requests; a few groups of them are in memory at any time. */
const groupTexts = 1024;
const groupsAhead = 4;

/** The digests of these files now; what was seen in the same version is not read again. One that cannot be read is left out: what is wrong with it comes to light when it is cut. */
export async function digestsOf(files: readonly DocumentFile[], seen: Seen, { cutters, signal }: { readonly cutters: Cutters; readonly signal: AbortSignal }): Promise<ReadonlyMap<string, Digest>> {
  const digests = new Map<string, Digest>();
  const unseen = files.filter((file) => {
    const digest = digestSeen(seen, file);
    if (digest !== undefined) digests.set(file.path, digest);
    return digest === undefined;
  });
  const local = unseen.flatMap(({ path, source }) => (source.file === undefined || source.metadata !== undefined ? [] : [{ path, file: source.file }]));
  for await (const found of mapAhead(groupsOf(local, filesAtOnce), cutters.width, async (group) => ({ group, digests: await cutters.digest(group.map(({ file }) => file)) }))) {
    signal.throwIfAborted();
    for (const [i, { path }] of found.group.entries()) {
      const digest = found.digests[i];
      if (digest != null) digests.set(path, digest);
    }
  }
  const others = unseen.filter(({ source }) => source.file === undefined || source.metadata !== undefined);
  // By size, not by number: what is fetched is in memory until it is hashed.
  const fetched = mapAhead(batchesOf(others, ({ source }) => source.sizeBytes), batchesFetchedAtOnce, (batch) => Promise.all(batch.map(async ({ path, source }) => [path, await digestOfSource(source, signal)] as const)));
  for await (const found of fetched) for (const [path, digest] of found) if (digest !== undefined) digests.set(path, digest);
  return digests;
}

async function digestOfSource(source: DocumentFile["source"], signal: AbortSignal): Promise<Digest | undefined> {
  const content = await readContent(source, signal);
  return content instanceof Uint8Array ? digestOfContent(content, source.metadata) : undefined;
}

/** Reads and cuts files, in order, beside the main thread. */
export async function* cutDocuments(files: readonly DocumentFile[], cutters: Cutters, signal: AbortSignal): AsyncGenerator<CutResult> {
  const cut = async (batch: readonly DocumentFile[]): Promise<readonly CutResult[]> => {
    signal.throwIfAborted();
    const requests = await Promise.all(batch.map((file) => requestOf(file, signal)));
    const results = await cutters.cut(requests.flatMap((request) => ("kind" in request ? [] : [request])));
    // What an interruption has cut short is no skipped file.
    signal.throwIfAborted();
    const queue = results.values();
    return requests.map((request) => ("kind" in request ? request : (queue.next().value as CutResult)));
  };
  for await (const results of mapAhead(batchesOf(files, ({ source }) => source.sizeBytes), cutters.width, cut)) yield* results;
}

/** Cuts files that are in memory, in groups of the same size: what a document may take of a reader's time is the same everywhere. */
export async function* cutContents(files: readonly (CutRequest & { readonly bytes: Uint8Array })[], cutters: Cutters, signal: AbortSignal): AsyncGenerator<CutResult> {
  const cut = (batch: readonly CutRequest[]): Promise<readonly CutResult[]> => {
    signal.throwIfAborted();
    return cutters.cut(batch);
  };
  for await (const results of mapAhead(batchesOf(files, ({ bytes }) => bytes.length), cutters.width, cut)) yield* results;
}

async function requestOf({ path, source, loader, loaderName }: DocumentFile, signal: AbortSignal): Promise<CutRequest | CutResult> {
  const { file, metadata } = source;
  const request = { path, loader: loaderName, ...(metadata === undefined ? {} : { metadata }) };
  if (file !== undefined && source.loader === undefined) return { ...request, file };
  const bytes = await readContent(source, signal);
  return bytes instanceof Uint8Array ? { ...request, bytes } : { kind: "skipped", skipped: { path, reason: bytes.reason, digest: null, loader } };
}

/** What happens to one file of a source is a reason to skip it; what happens to the source ends the run. */
export async function readContent(source: DocumentFile["source"], signal: AbortSignal): Promise<Uint8Array | { readonly reason: string }> {
  try {
    return await source.read(signal);
  } catch (error) {
    // Such a message begins with the path, and so does the line in which the reason will stand.
    if (error instanceof TwelveError && error.code === "SOURCE_INVALID") return { reason: error.message.startsWith(`${source.path} `) ? error.message.slice(source.path.length + 1) : error.message };
    throw error;
  }
}

/** The rows of a document's chunks with their vectors, a group of documents at a time. */
export async function* embedDocuments(documents: AsyncIterable<ChunkedDocument>, { vectorsOf }: Pick<TextEmbedder, "vectorsOf">): AsyncGenerator<readonly VectorRow[]> {
  yield* mapAhead(documentGroups(documents), groupsAhead, async (group) => {
    const vectors = await vectorsOf(planTexts(group.flatMap(({ chunks }) => chunks)));
    return group.flatMap(({ path, language, metadata, chunks }) =>
      chunks.map(({ id, headings, text, textDigest, page }): VectorRow => {
        const vector = vectors.get(textDigest);
        if (vector === undefined) throw new Error(`Chunk ${id} of ${path} has no vector`);
        return { id, document: path, headings: joinHeadings(headings), text, language, metadata: { ...metadata, ...(language === null ? {} : { language }), ...(page === undefined ? {} : { page }) }, vector };
      }),
    );
  });
}

/** As many documents as have texts enough for several requests. */
export async function* documentGroups(documents: AsyncIterable<ChunkedDocument>): AsyncGenerator<readonly ChunkedDocument[]> {
  let group: ChunkedDocument[] = [];
  let texts = 0;
  for await (const document of documents) {
    group.push(document);
    texts += document.chunks.length;
    if (texts < groupTexts) continue;
    yield group;
    group = [];
    texts = 0;
  }
  if (group.length > 0) yield group;
}

function* batchesOf<File>(files: readonly File[], sizeOf: (file: File) => number): Generator<readonly File[]> {
  let batch: File[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += sizeOf(file);
    if (batch.length < cutFiles && bytes < cutBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

function* groupsOf<Item>(items: readonly Item[], size: number): Generator<readonly Item[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

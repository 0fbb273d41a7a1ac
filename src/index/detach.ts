import { writeDocument } from "../artifact/document.ts";
import { mapAhead } from "../core/ahead.ts";
import { type Descriptor, shortDigest } from "../core/descriptor.ts";
import type { JobQueue } from "../ports/queue.ts";
import type { Store } from "../ports/store.ts";
import type { DocumentFile } from "./documents.ts";
import { type IndexJob, indexJobKind, jobKind } from "./job-schema.ts";
import type { SkippedDocument } from "./schema.ts";
import { packShard, type ShardFile, shardMediaType } from "./shard.ts";
import { readContent } from "./stream.ts";

const shardFiles = 250;
const shardBytes = 8 << 20;

export interface Submission {
  readonly job: string;
  readonly shards: number;
}

interface Detaching {
  readonly store: Store;
  readonly queue: JobQueue;
  readonly job: Omit<IndexJob, "version" | "skipped" | "shards"> & { readonly skipped: readonly SkippedDocument[] };
  readonly files: readonly DocumentFile[];
  readonly signal: AbortSignal;
  readonly onProgress: (files: number) => void;
}

/**
 * Puts the files into the store, where every worker finds them, and the job onto the queue. The same documents and settings make the
 * same job: one that waits or runs is found again, one that failed or was cancelled is submitted anew.
 */
export async function submitIndex({ store, queue, job, files, signal, onProgress }: Detaching): Promise<Submission> {
  const unread: SkippedDocument[] = [];
  const shards: Descriptor[] = [];
  let done = 0;
  const pack = async (group: readonly DocumentFile[]): Promise<Descriptor> => {
    signal.throwIfAborted();
    const read = await Promise.all(group.map(async ({ path, loader, loaderName, source }): Promise<ShardFile | undefined> => {
      const bytes = await readContent(source, signal);
      if (bytes instanceof Uint8Array) return { path, loader: loaderName, ...(source.metadata === undefined ? {} : { metadata: source.metadata }), bytes };
      unread.push({ path, reason: bytes.reason, digest: null, loader });
      return undefined;
    }));
    onProgress((done += group.length));
    return store.blobs.write(packShard(read.filter((file) => file !== undefined)), shardMediaType);
  };
  for await (const shard of mapAhead(shardsOf(files), 3, pack)) shards.push(shard);
  const input = await writeDocument(store, indexJobKind, { ...job, version: 1, skipped: [...job.skipped, ...unread], shards });
  const first = `${jobKind}-${job.name}-${shortDigest(input.digest)}`;
  for (let attempt = 1; ; attempt++) {
    const id = attempt === 1 ? first : `${first}-${attempt}`;
    const status = await queue.status(id);
    if (status !== undefined && status.state !== "queued" && status.state !== "running") continue;
    if (status === undefined) await queue.submit({ id, kind: jobKind, input: { ...input }, shards: shards.map((shard) => ({ ...shard })) });
    return { job: id, shards: shards.length };
  }
}

function* shardsOf(files: readonly DocumentFile[]): Generator<readonly DocumentFile[]> {
  let group: DocumentFile[] = [];
  let bytes = 0;
  for (const file of files) {
    if (group.length > 0 && (group.length === shardFiles || bytes + file.source.sizeBytes > shardBytes)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(file);
    bytes += file.source.sizeBytes;
  }
  if (group.length > 0) yield group;
}

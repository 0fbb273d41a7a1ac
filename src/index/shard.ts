import type { Metadata } from "../ports/document.ts";
import type { CutRequest } from "./cut.ts";
import type { DocumentFile } from "./documents.ts";

export const shardMediaType = "application/vnd.twelve.shard.v1";

/** A shard is held in memory, and done again when its worker is lost. */
const mostFiles = 250;
const mostBytes = 8 << 20;
/** Fewer files would not be worth a turn of the queue. */
const fewestFiles = 16;
/** Few documents are spread, too: so many shards give some workers equal loads. */
const wantedShards = 32;

/** Groups of files, in order. Equal lists give equal groups. */
export function* planShards<File extends { readonly source: Pick<DocumentFile["source"], "sizeBytes"> }>(files: readonly File[]): Generator<readonly File[]> {
  const most = Math.min(mostFiles, Math.max(fewestFiles, Math.ceil(files.length / wantedShards)));
  let group: File[] = [];
  let bytes = 0;
  for (const file of files) {
    const { sizeBytes } = file.source;
    if (group.length > 0 && (group.length === most || bytes + sizeBytes > mostBytes)) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(file);
    bytes += sizeBytes;
  }
  if (group.length > 0) yield group;
}

/** One file of a shard, with its content. */
export interface ShardFile extends Pick<CutRequest, "path" | "loader"> {
  readonly metadata?: Metadata;
  readonly bytes: Uint8Array;
}

type Entry = Omit<ShardFile, "bytes"> & { readonly size: number };

/** Files as one blob: a line of JSON that lists them, then their bytes, one after the other. */
export function packShard(files: readonly ShardFile[]): Uint8Array {
  const entries = files.map(({ bytes, ...file }): Entry => ({ ...file, size: bytes.length }));
  return Buffer.concat([Buffer.from(`${JSON.stringify(entries)}\n`), ...files.map(({ bytes }) => bytes)]);
}

export function unpackShard(shard: Uint8Array): readonly ShardFile[] {
  const end = shard.indexOf("\n".charCodeAt(0));
  const entries = JSON.parse(Buffer.from(shard.buffer, shard.byteOffset, end).toString("utf8")) as readonly Entry[];
  let start = end + 1;
  return entries.map(({ size, ...file }) => {
    // A copy: a thread takes the bytes of its files alone.
    const bytes = Uint8Array.from(shard.subarray(start, start + size));
    start += size;
    return { ...file, bytes };
  });
}

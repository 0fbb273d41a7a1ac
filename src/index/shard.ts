import type { Metadata } from "../ports/document.ts";
import type { CutRequest } from "./cut.ts";

export const shardMediaType = "application/vnd.twelve.shard.v1";

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

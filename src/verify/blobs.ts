import type { Digest } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import type { BlobStore } from "../ports/store.ts";

/** What reading a blob again has shown: its size, or what is wrong with it. */
export type BlobState = { readonly size: number } | { readonly kind: "missing" | "damaged"; readonly message: string };

const blobsAtOnce = 8;

/** Reads one blob from end to end. Also a disk that fails under it is an answer, so that the others are still looked at. */
export async function checkBlob(blobs: BlobStore, digest: Digest): Promise<BlobState> {
  try {
    return { size: await blobs.check(digest) };
  } catch (error) {
    // A service that is away, or refuses us, has said nothing about the blob.
    if (!(error instanceof TwelveError) || error.code.startsWith("SERVICE_")) throw error;
    return { kind: error.code === "BLOB_NOT_FOUND" ? "missing" : "damaged", message: error.message };
  }
}

/** Reads every blob of the store, a few at once and none of them whole in memory. */
export async function checkBlobs(blobs: BlobStore, signal: AbortSignal, onProgress: (done: number, total: number) => void): Promise<Map<Digest, BlobState>> {
  const digests = new Set<Digest>();
  for await (const digest of blobs.list()) digests.add(digest);
  const states = new Map<Digest, BlobState>();
  const queue = digests.values();
  await Promise.all(Array.from({ length: blobsAtOnce }, async () => {
    for (const digest of queue) {
      signal.throwIfAborted();
      states.set(digest, await checkBlob(blobs, digest));
      onProgress(states.size, digests.size);
    }
  }));
  return states;
}

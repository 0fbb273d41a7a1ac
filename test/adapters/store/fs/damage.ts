import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, hexOf } from "../../../../src/core/descriptor.ts";

/** Where the store in `<folder>/store` keeps a blob. */
export function blobFile(folder: string, digest: Digest): string {
  return join(folder, "store", "blobs", "sha256", hexOf(digest).slice(0, 2), hexOf(digest).slice(2));
}

/** Changes one bit, as a bad disk does. */
export async function flipBit(folder: string, digest: Digest): Promise<void> {
  const path = blobFile(folder, digest);
  const bytes = await readFile(path);
  bytes[0] = (bytes[0] ?? 0) ^ 1;
  await chmod(path, 0o644);
  await writeFile(path, bytes);
}

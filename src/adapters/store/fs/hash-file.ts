import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Digest } from "../../../core/descriptor.ts";
import { withPath } from "./failure.ts";

const pieceBytes = 1024 * 1024;

/** Digest and size of a file of any size, in the memory of two pieces. */
export async function hashFile(path: string): Promise<{ readonly digest: Digest; readonly size: number }> {
  const handle = await open(path, "r");
  try {
    const hash = createHash("sha256");
    const { size: expected } = await handle.stat();
    const length = Math.min(expected + 1, pieceBytes);
    const pieces = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)] as const;
    let size = 0;
    let reading = handle.read(pieces[0]);
    for (let turn = 1; ; turn += 1) {
      const { bytesRead, buffer } = await reading;
      if (bytesRead === 0) return { digest: `sha256:${hash.digest("hex")}`, size };
      // The next piece is on its way from the disk while this one is hashed.
      reading = handle.read(pieces[turn % 2 === 0 ? 0 : 1]);
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  } catch (error) {
    throw withPath(error, path);
  } finally {
    await handle.close();
  }
}

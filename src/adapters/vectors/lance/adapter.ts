import { TwelveError } from "../../../core/errors.ts";
import type { VectorEngine } from "../../../ports/vectors.ts";
import { openIndex } from "./open.ts";
import { formatVersion } from "./shape.ts";
import { type WriteOptions, writeIndex } from "./write.ts";

/** Embedded LanceDB: one table in one folder, vectors and BM25 in the same files. */
export function openVectors({ exactRows = 10_000, scannedRows = 1000 }: Partial<WriteOptions> = {}): VectorEngine {
  return {
    name: "lance",
    version: formatVersion,
    async write(folder, index) {
      try {
        await writeIndex(folder, index, { exactRows, scannedRows });
      } catch (cause) {
        // Whatever the rows themselves failed with is not the engine's failure.
        if (cause instanceof TwelveError || !(cause instanceof Error) || !cause.message.includes("lance")) throw cause;
        throw new TwelveError("SERVICE_FAILED", `LanceDB cannot write the index to ${folder}: ${reasonOf(cause)}`, { cause, fix: "Check the folder's permissions and free space, then run `twelve index` again" });
      }
    },
    open: (folder) => openIndex(folder, { exactRows }),
  };
}

/** The engine adds places in its own source to its messages, and the causes once more. */
function reasonOf({ message }: Error): string {
  return message.replace(/\s*Caused by:[\s\S]*$/, "").replace(/,? \/\S+\.rs:[\s\S]*$/, "");
}

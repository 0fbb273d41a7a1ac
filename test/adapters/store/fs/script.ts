import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, digestOf } from "../../../../src/core/descriptor.ts";
import type { Store } from "../../../../src/ports/store.ts";

const blobOf = (content: string): Descriptor => ({ mediaType: "text/plain", digest: digestOf(content), size: content.length });

/** What the script leaves behind, by the name of the step that is done. */
export const blobs: Readonly<Record<string, Descriptor>> = { bytes: blobOf("some bytes"), file: blobOf("a whole file") };
export const values = ["first value", "second value"] as const;

/** One write of each kind. It may be run again on what an earlier run has left. */
export async function writeScript(store: Store, folder: string, tell: (done: string) => void): Promise<void> {
  await store.blobs.write(Buffer.from("some bytes"), "text/plain");
  tell("bytes");
  await writeFile(join(folder, "given"), "a whole file");
  await store.blobs.writeFile(join(folder, "given"), "text/plain");
  tell("file");
  await store.refs.create("ref", values[0]);
  tell("created");
  const ref = await store.refs.read("ref");
  if (ref?.value === values[0]) await store.refs.replace("ref", values[1], ref.tag);
  tell("replaced");
}

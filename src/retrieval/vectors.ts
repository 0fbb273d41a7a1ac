import { openIndexData, readIndexData } from "../index/read.ts";
import type { Index } from "../index/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { VectorIndex } from "../ports/vectors.ts";
import { openPublished } from "./published.ts";
import type { IndexToSearch } from "./read.ts";

/** Where an index is held. */
export interface HeldVectors {
  /** The vectors of the probe texts when the index was made. */
  readonly probe: Uint8Array;
  /** Its `count` asks where the index is held. */
  open(index: Index): Promise<VectorIndex>;
}

/** In the embedded engine, whose files are laid out on this machine; or where it was published to. */
export async function findVectors(context: Context, plan: IndexToSearch, secrets: Environment): Promise<HeldVectors> {
  const { vectors: attached } = plan;
  const store = await context.store();
  if (attached !== undefined) {
    const { probe } = await readIndexData(store, plan.index);
    return { probe: await store.blobs.read(probe), open: (index) => openPublished(context, plan.index, index, { ...attached, secrets }) };
  }
  const { folder, data, probe } = await openIndexData(store, plan.index, context.dir);
  return { probe, open: async () => (await context.openVectors(`${data.engine}:`)).open(folder) };
}

import type { AttachedUrl } from "../config/vectors.ts";
import { TwelveError } from "../core/errors.ts";
import { openWhole } from "../index/published.ts";
import { openIndexData, readIndexData } from "../index/read.ts";
import type { Index } from "../index/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { VectorIndex } from "../ports/vectors.ts";
import type { IndexToSearch } from "./read.ts";

/** Where an index is held. */
export interface HeldVectors {
  /** The vectors of the probe texts when the index was made. */
  readonly probe: Uint8Array;
  open(index: Index): Promise<VectorIndex>;
}

/** In the embedded engine, whose files are laid out on this machine; or where it was published to. */
export async function findVectors(context: Context, plan: IndexToSearch, secrets: Environment): Promise<HeldVectors> {
  const { vectors: attached } = plan;
  if (attached !== undefined) return findPublished(context, plan, { ...attached, secrets });
  const { folder, data, probe } = await openIndexData(await context.store(), plan.index, context.dir);
  return { probe, open: async () => (await context.openVectors(`${data.engine}:`)).open(folder) };
}

interface Place extends AttachedUrl {
  readonly secrets: Environment;
}

async function findPublished(context: Context, { index: descriptor }: IndexToSearch, { url, environment, missing, secrets }: Place): Promise<HeldVectors> {
  const store = await context.store();
  const { probe } = await readIndexData(store, descriptor);
  return {
    probe: await store.blobs.read(probe),
    async open(index) {
      const service = await context.openVectorService(url, secrets);
      try {
        const opened = await openWhole(store, { index, descriptor, service, place: { environment } });
        return {
          ...opened,
          close() {
            opened.close();
            void service.close().catch(() => undefined);
          },
        };
      } catch (error) {
        await service.close().catch(() => undefined);
        if (missing === undefined || !(error instanceof TwelveError) || error.code !== "SERVICE_UNAUTHENTICATED") throw error;
        throw new TwelveError(error.code, error.message, { cause: error, fix: missing });
      }
    },
  };
}

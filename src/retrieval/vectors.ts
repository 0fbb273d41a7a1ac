import { TwelveError } from "../core/errors.ts";
import { shortDigest } from "../core/descriptor.ts";
import { notPublished, readPublication } from "../index/publication.ts";
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
  const { vectors: url } = plan;
  if (url !== undefined) return findPublished(context, plan, { url, secrets });
  const { folder, data, probe } = await openIndexData(await context.store(), plan.index, context.dir);
  return { probe, open: async () => (await context.openVectors(`${data.engine}:`)).open(folder) };
}

interface Place {
  readonly url: string;
  readonly secrets: Environment;
}

async function findPublished(context: Context, { index: descriptor, name }: IndexToSearch, { url, secrets }: Place): Promise<HeldVectors> {
  const store = await context.store();
  const { probe } = await readIndexData(store, descriptor);
  return {
    probe: await store.blobs.read(probe),
    async open(index) {
      const service = await context.openVectorService(url, secrets);
      try {
        const which = { app: index.app, index: descriptor.digest, url: service.url };
        const published = (await readPublication(store, which))?.value.published ?? null;
        if (published === null) throw notPublished(index, descriptor, { url: service.url, command: `--to ${service.url}` });
        const opened = await service.open(published.namespace);
        const held = await opened.count();
        if (held !== index.chunks) {
          opened.close();
          throw new TwelveError("INDEX_CORRUPT", `${service.url} holds ${held} of the ${index.chunks} chunks of index "${name}" (${shortDigest(descriptor.digest)})`, { fix: `Run \`twelve index publish ${name}@${shortDigest(descriptor.digest)} --to ${service.url} --again\`, then start again` });
        }
        return {
          ...opened,
          close() {
            opened.close();
            void service.close().catch(() => undefined);
          },
        };
      } catch (error) {
        await service.close().catch(() => undefined);
        throw error;
      }
    },
  };
}

import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { VectorIndex, VectorService } from "../../../ports/vectors.ts";
import { folderPlace } from "./folder-place.ts";
import { publishedFailure } from "./failure.ts";
import { loadLance } from "./load.ts";
import { openTable } from "./open.ts";
import type { Opening, Place } from "./place.ts";
import { s3Place } from "./s3-place.ts";
import { parseShape, type Shape, tableName } from "./shape.ts";
import { writeIndex } from "./write.ts";

/** Up to here every vector is compared, and all of them are kept in memory: 200 MB at 1024 dimensions. */
const exactRows = 50_000;
/** Credentials are renewed so long before they end. */
const earlyMs = 5 * 60_000;

interface From {
  readonly dir: string;
  readonly env: Environment;
}

/** Tables of LanceDB in a bucket, `s3://bucket/prefix`. */
export async function openBucket(reference: string, { dir, env }: From): Promise<VectorService> {
  return serviceAt(await s3Place(reference, env), dir);
}

/** Tables of LanceDB in a shared folder, `lance:/mnt/vectors`. */
export function openFolder(reference: string, { dir }: From): VectorService {
  return serviceAt(folderPlace(reference, dir), dir);
}

/** Each namespace is written here, where that is fast, and put in its place when it is whole. Queries then read it where it is. */
function serviceAt(place: Place, dir: string): VectorService {
  return {
    url: place.url,
    check: (signal) => place.check(signal),
    namespaces: () => place.list(),
    holds: async (namespace) => (await place.readShape(namespace)) !== undefined,
    async publish(namespace, index) {
      const work = join(dir, ".twelve", "work");
      await mkdir(work, { recursive: true });
      // Named as `twelve index` names its own, so that it also clears away what a killed process left.
      const folder = await mkdtemp(join(work, "index-"));
      try {
        await place.remove(namespace);
        await writeIndex(folder, index, { exactRows, isIndexedWhole: true });
        await place.put(namespace, folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async open(namespace) {
      const text = await place.readShape(namespace);
      if (text === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${place.url} holds no index ${namespace}`, { fix: "Run `twelve index publish`" });
      const shape = parseShape(text);
      if (shape === undefined) throw new TwelveError("ARTIFACT_INVALID", `${place.url}/${namespace} was published by another version of twelve`, { fix: "Run `twelve index publish --again`" });
      return openPublished(place, namespace, shape);
    },
    drop: (namespace) => place.remove(namespace),
    close: async () => place.close(),
  };
}

interface Opened {
  readonly index: VectorIndex;
  readonly opening: Opening;
}

/** The table, opened anew before the credentials that it was opened with end. */
async function openPublished(place: Place, namespace: string, shape: Shape): Promise<VectorIndex> {
  const lance = await loadLance();

  async function openNow(): Promise<Opened> {
    const opening = await place.openingOf(namespace);
    return attempt(place, async () => {
      const connection = await lance.connect(opening.uri, { storageOptions: opening.storageOptions });
      return { opening, index: await openTable(await connection.openTable(tableName), shape, exactRows) };
    });
  }
  let opened = openNow();
  await opened;

  async function current(): Promise<VectorIndex> {
    const before = opened;
    const { index, opening } = await before;
    if (opening.expiresAt === undefined || opening.expiresAt.getTime() - Date.now() > earlyMs) return index;
    // Of several questions at once the first opens it for all.
    if (opened === before) {
      opened = openNow().catch((error: unknown) => {
        opened = before;
        throw error;
      });
    }
    return (await opened).index;
  }

  return {
    search: (query) => attempt(place, async () => (await current()).search(query)),
    count: () => attempt(place, async () => (await current()).count()),
    async *ids() {
      yield* attemptEach(place, (await current()).ids());
    },
    async *rows(ids) {
      yield* attemptEach(place, (await current()).rows(ids));
    },
    close: () => void opened.then(({ index }) => index.close(), () => undefined),
  };
}

async function attempt<Result>(place: Place, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    throw publishedFailure(place.url, error);
  }
}

async function* attemptEach<Item>(place: Place, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  try {
    yield* items;
  } catch (error) {
    throw publishedFailure(place.url, error);
  }
}

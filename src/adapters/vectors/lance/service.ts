import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { inTime } from "../../../core/deadline.ts";
import { TwelveError } from "../../../core/errors.ts";
import type { Environment } from "../../../ports/context.ts";
import type { VectorIndex, VectorService } from "../../../ports/vectors.ts";
import { folderPlace } from "./folder-place.ts";
import { isUnexplained, publishedFailure } from "./failure.ts";
import { loadLance } from "./load.ts";
import { openTable } from "./open.ts";
import type { Opening, Place } from "./place.ts";
import { readReference } from "./reference.ts";
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
  const { place, timeoutMs } = readReference(reference);
  return serviceAt(await s3Place(place, env, timeoutMs), { dir, timeoutMs });
}

/** Tables of LanceDB in a shared folder, `lance:/mnt/vectors`. */
export async function openFolder(reference: string, { dir }: From): Promise<VectorService> {
  const { place, timeoutMs } = readReference(reference);
  return serviceAt(folderPlace(place, dir), { dir, timeoutMs });
}

/** Each namespace is written here, where that is fast, and put in its place when it is whole. Queries then read it where it is. */
function serviceAt(place: Place, { dir, timeoutMs }: { readonly dir: string; readonly timeoutMs: number }): VectorService {
  const ask = askingOf(place, place.url, timeoutMs);
  return {
    url: place.url,
    check: (signal) => ask((within) => place.check(within), signal),
    namespaces: () => ask((signal) => place.list(signal)),
    holds: async (namespace) => (await ask((signal) => place.readShape(namespace, signal))) !== undefined,
    async publish(namespace, index) {
      const work = join(dir, ".twelve", "work");
      await mkdir(work, { recursive: true });
      // Named as `twelve index` names its own, so that it also clears away what a killed process left.
      const folder = await mkdtemp(join(work, "index-"));
      try {
        await place.remove(namespace);
        await writeIndex(folder, index, { exactRows, scannedRows: 0 });
        await place.put(namespace, folder);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
    async open(namespace) {
      const text = await ask((signal) => place.readShape(namespace, signal));
      if (text === undefined) throw new TwelveError("INDEX_NOT_FOUND", `${place.url} holds no index ${namespace}`, { fix: "Run `twelve index publish`" });
      const shape = parseShape(text);
      if (shape === undefined) throw new TwelveError("ARTIFACT_INVALID", `${place.url}/${namespace} was published by another version of twelve, or is damaged`, { fix: "Run `twelve index publish --again`" });
      return openPublished({ place, namespace, timeoutMs }, shape);
    },
    drop: (namespace) => place.remove(namespace),
    close: async () => place.close(),
  };
}

interface Published {
  readonly place: Place;
  readonly namespace: string;
  readonly timeoutMs: number;
}

interface Opened {
  readonly index: VectorIndex;
  readonly opening: Opening;
}

/** The table, opened anew before the credentials that it was opened with end. */
async function openPublished({ place, namespace, timeoutMs }: Published, shape: Shape): Promise<VectorIndex> {
  const lance = await loadLance();
  const ask = askingOf(place, `${place.url}/${namespace}`, timeoutMs);

  function openNow(): Promise<Opened> {
    return ask(async (signal) => {
      const opening = await place.openingOf(namespace, signal);
      const connection = await lance.connect(opening.uri, { storageOptions: opening.storageOptions });
      return { opening, index: await openTable(await connection.openTable(tableName), shape, { exactRows, timeoutMs }) };
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
    search: (query) => ask(async () => (await current()).search(query)),
    count: () => ask(async () => (await current()).count()),
    async *ids() {
      yield* askForEach(ask, (await current()).ids());
    },
    async *rows(ids) {
      yield* askForEach(ask, (await current()).rows(ids));
    },
    close: () => void opened.then(({ index }) => index.close(), () => undefined),
  };
}

/** Runs a call of the place or of the engine. It fails in our words, and with SERVICE_TIMEOUT when its time is up. */
type Ask = <Result>(work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal) => Promise<Result>;

function askingOf(place: Place, who: string, timeoutMs: number): Ask {
  return (work, signal) =>
    inTime(async (within) => {
      try {
        return await work(within);
      } catch (error) {
        // Whatever is wrong with the place itself is the better reason.
        if (isUnexplained(error)) await place.probe(within);
        throw publishedFailure(who, error);
      }
    }, { limitMs: timeoutMs, who, signal });
}

/** The same for what comes one after the other: each may take its time. */
async function* askForEach<Item>(ask: Ask, items: AsyncIterable<Item>): AsyncGenerator<Item> {
  const iterator = items[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await ask(() => iterator.next());
      if (next.done === true) return;
      yield next.value;
    }
  } finally {
    // What is stuck would hold up its reader.
    iterator.return?.().catch(() => {});
  }
}

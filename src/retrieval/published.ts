import { shortDigest } from "../core/descriptor.ts";
import { type FailureCode, TwelveError } from "../core/errors.ts";
import { notPublished, readPublication } from "../index/publication.ts";
import type { Index } from "../index/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { VectorIndex } from "../ports/vectors.ts";
import { keepOpen, type Kept } from "./keep-open.ts";
import type { IndexToSearch } from "./read.ts";
import { unlessSilent } from "./silence.ts";

interface Place {
  /** With credentials. */
  readonly url: string;
  readonly secrets: Environment;
}

/** What a service says of an index that it does not hold, or not whole. */
const gone: ReadonlySet<FailureCode> = new Set(["INDEX_NOT_FOUND", "INDEX_NOT_PUBLISHED", "INDEX_CORRUPT"]);
/** What callers are asked to wait: somebody must publish it first. */
const againMs = 5000;

/**
 * An index where it was published to, compared with what its ledger counts. Dropped and published again later, it is opened anew, and compared
 * again, at the next question. Fails with INDEX_NOT_PUBLISHED, INDEX_NOT_FOUND or INDEX_CORRUPT, which may pass once it has been open.
 */
export async function openPublished(context: Context, { name, index: descriptor, environment }: IndexToSearch, index: Index, { url, secrets }: Place): Promise<VectorIndex> {
  const store = await context.store();
  const service = await context.openVectorService(url, secrets);
  const short = shortDigest(descriptor.digest);
  const where = environment === undefined ? `--to ${service.url}` : `--env ${environment}`;

  function refuseCount(held: number): void {
    if (held === index.chunks) return;
    throw new TwelveError("INDEX_CORRUPT", `${service.url} holds ${held} of the ${index.chunks} chunks of index "${name}" (${short})`, { fix: `Run \`twelve index publish ${name}@${short} ${where} --again\`, then start again` });
  }

  async function open(): Promise<Kept> {
    const published = (await readPublication(store, { app: index.app, index: descriptor.digest, url: service.url }))?.value.published ?? null;
    if (published === null) throw notPublished(index, descriptor, { url: service.url, command: where });
    const { namespace } = published;
    const opened = await service.open(namespace);
    try {
      refuseCount(await opened.count());
    } catch (error) {
      opened.close();
      throw error;
    }
    return {
      index: { ...opened, search: (query) => unlessSilent(() => opened.search(query), { who: service.url, ask: () => service.holds(namespace) }) },
      async look() {
        if (!(await service.holds(namespace))) throw new TwelveError("INDEX_NOT_FOUND", `${service.url} no longer holds index "${name}" (${short})`);
        refuseCount(await opened.count());
      },
    };
  }

  function mayComeBack(failure: TwelveError): TwelveError {
    const again = failure.code === "INDEX_CORRUPT" ? " --again" : "";
    return new TwelveError(failure.code, failure.message, { cause: failure, fix: `Run \`twelve index publish ${name}@${short} ${where}${again}\`; processes then go on by themselves`, retry: { afterMs: againMs } });
  }

  try {
    const kept = await keepOpen(open, { isGone: (error): error is TwelveError => error instanceof TwelveError && gone.has(error.code), mayComeBack });
    return {
      ...kept,
      async count() {
        await kept.look();
        return index.chunks;
      },
      close() {
        kept.close();
        void service.close().catch(() => undefined);
      },
    };
  } catch (error) {
    await service.close().catch(() => undefined);
    throw error;
  }
}

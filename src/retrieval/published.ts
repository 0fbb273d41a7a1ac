import type { AttachedUrl } from "../config/vectors.ts";
import { type Descriptor, shortDigest } from "../core/descriptor.ts";
import { type FailureCode, TwelveError } from "../core/errors.ts";
import { openWhole, publishFix, requireWhole, type Which } from "../index/published.ts";
import type { Index } from "../index/schema.ts";
import type { Context, Environment } from "../ports/context.ts";
import type { VectorIndex } from "../ports/vectors.ts";
import { keepOpen, type Kept } from "./keep-open.ts";
import { unlessSilent } from "./silence.ts";

interface Place extends AttachedUrl {
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
export async function openPublished(context: Context, descriptor: Descriptor, index: Index, { url, environment, missing, secrets }: Place): Promise<VectorIndex> {
  const store = await context.store();
  const service = await context.openVectorService(url, secrets);
  const place = { environment };
  const which: Which = { index, descriptor, service, place };

  async function open(): Promise<Kept> {
    const { namespace, opened } = await openWhole(store, which);
    return {
      index: { ...opened, search: (query) => unlessSilent(() => opened.search(query), { who: service.url, ask: () => service.holds(namespace) }) },
      async look() {
        if (!(await service.holds(namespace))) throw new TwelveError("INDEX_NOT_FOUND", `${service.url} no longer holds index "${index.name}" (${shortDigest(descriptor.digest)})`);
        await requireWhole(opened, which);
      },
    };
  }

  function mayComeBack(failure: TwelveError): TwelveError {
    const again = failure.code === "INDEX_CORRUPT" ? "--again" : undefined;
    return new TwelveError(failure.code, failure.message, { cause: failure, fix: `${publishFix(index, descriptor, place, again)}; processes then go on by themselves`, retry: { afterMs: againMs } });
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
    if (missing === undefined || !(error instanceof TwelveError) || error.code !== "SERVICE_UNAUTHENTICATED") throw error;
    throw new TwelveError(error.code, error.message, { cause: error, fix: missing });
  }
}

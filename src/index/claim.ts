import { TwelveError } from "../core/errors.ts";
import type { Clock } from "../ports/clock.ts";
import type { Store } from "../ports/store.ts";
import type { VectorService } from "../ports/vectors.ts";
import { movePublication, readPublication, type RecordedPublication } from "./publication.ts";
import { beatMs } from "./publish-plan.ts";
import type { StoredIndex } from "./read.ts";
import type { Publication } from "./schema.ts";

export interface Claim {
  readonly namespace: string;
  /** Fails with RELEASE_CONFLICT once another process has taken over. */
  check(): void;
  /** Records the end, unless another process has taken over. */
  end(facts: { readonly published: NonNullable<Publication["published"]>; readonly usedAt: string }): Promise<void>;
  /** Leaves things as they were before. */
  giveUp(clean: () => Promise<void>): Promise<void>;
}

interface Wanted extends StoredIndex {
  readonly store: Store;
  readonly service: Pick<VectorService, "url">;
  /** The record as it was when the namespace was chosen. */
  readonly before: RecordedPublication | undefined;
  readonly namespace: string;
}

/** Says in the record who loads, and goes on saying so: no second process writes into the same namespace meanwhile. */
export async function claimNamespace(clock: Clock, { store, service, descriptor, index, before, namespace }: Wanted): Promise<Claim> {
  const which = { app: index.app, index: descriptor.digest, url: service.url };
  const attempt = clock.randomHex(8);
  const taken = new TwelveError("RELEASE_CONFLICT", `Another process began to publish index ${index.name} to ${service.url} at the same time`);
  let isLost = false;
  const loading = (): Publication["loading"] => ({ namespace, attempt, at: clock.now().toISOString() });
  const first: Publication = { version: 1, index: descriptor, name: index.name, url: service.url, published: null, left: [], usedAt: clock.now().toISOString(), ...before?.value, loading: loading() };
  const claimed = await movePublication(store, which, before, first);
  if (claimed === undefined) throw taken;
  let record = claimed;
  let turn: Promise<void> = Promise.resolve();
  /** A release that takes the older namespace meanwhile changes the record too; only another attempt means that this one is over. */
  const move = (change: (value: Publication) => Publication): Promise<void> => {
    turn = turn.then(async () => {
      while (!isLost) {
        const moved = await movePublication(store, which, record, change(record.value));
        const now = moved ?? (await readPublication(store, which));
        if (now === undefined || (moved === undefined && now.value.loading?.attempt !== attempt)) isLost = true;
        else record = now;
        if (moved !== undefined) return;
      }
    });
    return turn;
  };
  // A store that is away for a moment is no reason to stop: whether another process took over is seen when it is back.
  const beat = setInterval(() => void move((value) => ({ ...value, loading: loading() })).catch(() => undefined), beatMs);
  beat.unref();
  const stop = async (): Promise<void> => {
    clearInterval(beat);
    await turn.catch(() => undefined);
    turn = Promise.resolve();
  };
  const check = (): void => {
    if (isLost) throw taken;
  };
  return {
    namespace,
    check,
    async end(ended) {
      await stop();
      await move((value) => {
        const { published } = value;
        // Processes may read the older namespace for a while yet.
        const left = published === null || published.namespace === ended.published.namespace ? value.left : [...value.left, { namespace: published.namespace, at: ended.usedAt }];
        return { ...value, ...ended, left, loading: null };
      });
      check();
    },
    async giveUp(clean) {
      await stop();
      if (isLost) return;
      // Best effort: what fails here is told by the failure that led here, and the next run clears it away.
      await clean().then(() => move((value) => ({ ...value, loading: null }))).catch(() => undefined);
    },
  };
}

import { readDocument } from "../../artifact/document.ts";
import { buildKind } from "../../build/schema.ts";
import { shortDigest } from "../../core/descriptor.ts";
import { TwelveError } from "../../core/errors.ts";
import type { Store } from "../../ports/store.ts";
import { listActive, listReleases, readRelease } from "../../release/read.ts";
import type { OpenedRuntime } from "../apply.ts";
import type { Served } from "../find.ts";
import type { AnswerPart, AnswerRequest, Runtime } from "../schema.ts";
import { keepReleases } from "./keep.ts";
import type { ListedRelease, Overview, ReleaseView } from "./schema.ts";
import { viewRelease } from "./view.ts";

/** What the page is told, and whom it asks. */
export interface Ui {
  /** Fails with PROCESS_NOT_READY until the release that is served is known, or as the store does. */
  overview(): Promise<Overview>;
  /** Fails with RELEASE_NOT_FOUND. */
  release(number: number): Promise<ReleaseView>;
  /** Opens a release that is not served at first use, which may fail in any way that `twelve run --release` does. */
  answer(number: number, request: AnswerRequest): AsyncIterable<AnswerPart>;
  close(): Promise<void>;
}

interface UiOptions {
  readonly store: () => Promise<Store>;
  readonly environment: string;
  /** Undefined until the store has said which release it is. */
  readonly served: () => Served | undefined;
  /** The release that is served. */
  readonly runtime: Pick<Runtime, "answer">;
  /** Opens another release of the application, such as v3. */
  readonly open: (name: string) => Promise<OpenedRuntime>;
}

/** A page that offers more would be no list any more. */
const mostListed = 100;

export function openUi({ store, environment, served, runtime, open }: UiOptions): Ui {
  const others = keepReleases((number) => open(`v${number}`));
  const servedNow = (): Served => {
    const now = served();
    if (now === undefined) throw new TwelveError("PROCESS_NOT_READY", "The server is still looking up its release", { retry: { afterMs: null } });
    return now;
  };
  return {
    async overview() {
      const { release: { number, release: { app } }, agents } = servedNow();
      // A release that is run by its environment or by its name always has a number.
      return { app, environment, served: number ?? 0, agents, releases: await listForPage(await store(), app) };
    },
    async release(number) {
      const opened = await store();
      const found = await readRelease(opened, servedNow().release.release.app, `v${number}`);
      return viewRelease(found, await readDocument(opened, buildKind, found.release.build));
    },
    answer: (number, request) => (number === servedNow().release.number ? runtime.answer(request) : others.answer(number, request)),
    close: () => others.close(),
  };
}

async function listForPage(store: Store, app: string): Promise<readonly ListedRelease[]> {
  const [releases, active] = await Promise.all([listReleases(store, app, mostListed), listActive(store, app)]);
  return releases.toReversed().map(({ number, releaseDescriptor, createdAt, message = null }) => ({
    number,
    digest: shortDigest(releaseDescriptor.digest),
    createdAt,
    message,
    active: active.filter((each) => each.number === number).map(({ environment }) => environment),
  }));
}

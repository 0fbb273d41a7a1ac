import { setTimeout as sleep } from "node:timers/promises";
import { eitherOf } from "../core/abort.ts";
import { inTime } from "../core/deadline.ts";
import { summaryOf, TwelveError } from "../core/errors.ts";
import { withoutCredentials } from "../core/url.ts";
import type { Context } from "../ports/context.ts";
import type { OpenedRuntime, RuntimeOptions } from "./apply.ts";
import type { RuntimePart } from "./health.ts";
import { mayPass } from "./passing.ts";
import { unknownAgent } from "./plan.ts";

/** A runtime that is opened in the background, for as long as it takes. */
export interface OpeningRuntime extends OpenedRuntime {
  /** Resolves when it is open, and every part has been looked at once. Rejects with what is wrong for good. */
  readonly opened: Promise<void>;
  /** What every request is refused with until then. */
  notReady(): TwelveError;
  /** Told of each attempt that failed; of the last one at once, where there is one. */
  onWaiting(listener: (parts: readonly RuntimePart[]) => void): void;
}

export interface KnownRelease {
  /** Such as v3. */
  readonly name: string;
  readonly agents: readonly string[];
}

export interface Opening {
  /** Opens all or nothing; `onPartFailed` is told which part could not be opened. */
  readonly open: (context: Context, told: Required<Pick<RuntimeOptions, "onPartFailed">>) => Promise<OpenedRuntime>;
  /** What is to be opened; undefined for as long as the store has not said which release that is. */
  readonly known: () => KnownRelease | undefined;
  /** Where the release is looked up, without credentials. */
  readonly store: string;
  readonly random?: () => number;
  /** However often /readyz asks; a second by default. */
  readonly shortestWaitMs?: number;
  /** A service that never answers is asked again after so long, and each time gets twice as long: a slow one must come through. */
  readonly firstLimitMs?: number;
}

const usualFirstLimitMs = 15_000;
const longestWaitMs = 10_000;
const usualShortestWaitMs = 1000;

/**
 * Opens a runtime again and again until the services that it needs are there. Meanwhile it refuses requests with
 * PROCESS_NOT_READY, and its check says which part is missing and why. Opened, it looks at every part, since a model is
 * not asked before: a key that is missing or wrong ends the start, as any other part's would have.
 */
export function openInBackground(context: Context, { open, known, store, random = Math.random, shortestWaitMs = usualShortestWaitMs, firstLimitMs = usualFirstLimitMs }: Opening): OpeningRuntime {
  const nowMs = (): number => context.clock.monotonicMs();
  const startedMs = nowMs();
  const listeners = new Set<(parts: readonly RuntimePart[]) => void>();
  let runtime: OpenedRuntime | undefined;
  /** Asked right now, by reference. */
  const pending = new Set<string>();
  let missing: ReadonlyMap<string, unknown> = new Map();
  let attempts = 0;
  let isClosed = false;
  let hurry: (() => void) | undefined;
  let againMs = 0;

  async function openAndLook(): Promise<void> {
    const opened = await keepOpening();
    if (isClosed) return opened.close();
    runtime = opened;
    const refused = (await opened.check()).find(({ isReady, failure }) => !isReady && failure instanceof TwelveError && failure.code === "SERVICE_UNAUTHENTICATED");
    if (refused !== undefined) throw refused.failure;
  }

  async function keepOpening(): Promise<OpenedRuntime> {
    for (;;) {
      const failures = new Map<string, unknown>();
      try {
        return await open(limited(context, { limitMs: firstLimitMs * 2 ** attempts, pending }), { onPartFailed: (part, failure) => failures.set(part, failure) });
      } catch (error) {
        if (!mayPass(error) || context.signal.aborted) throw error;
        attempts++;
        missing = failures.size === 0 ? new Map([[["release", ...nameOf(known())].join(" "), error]]) : failures;
        const waitMs = pause(attempts, error);
        for (const listener of listeners) listener(parts());
        await untilAgain(waitMs);
      }
    }
  }

  function pause(attempt: number, { retry }: TwelveError): { readonly leastMs: number; readonly waitMs: number } {
    const leastMs = Math.max(retry?.afterMs ?? 0, shortestWaitMs);
    const waitMs = Math.max(leastMs, Math.ceil(random() * Math.min(longestWaitMs, shortestWaitMs * 2 ** attempt)));
    againMs = nowMs() + waitMs;
    return { leastMs, waitMs };
  }

  /** A probe makes it sooner, but never sooner than the service or `shortestWaitMs` allows. */
  async function untilAgain({ leastMs, waitMs }: { readonly leastMs: number; readonly waitMs: number }): Promise<void> {
    const { promise: hurried, resolve } = Promise.withResolvers<void>();
    const { signal } = context;
    const done = new AbortController();
    const wait = (ms: number): Promise<void> => sleep(ms, undefined, { signal: eitherOf(signal, done.signal).signal }).catch(() => {});
    hurry = resolve;
    await Promise.race([wait(waitMs), Promise.all([wait(leastMs), hurried])]);
    done.abort();
    hurry = undefined;
    signal.throwIfAborted();
  }

  function parts(): readonly RuntimePart[] {
    const seconds = `${Math.round((nowMs() - startedMs) / 1000)} s`;
    const [name] = nameOf(known());
    const doing = name === undefined ? `being looked up in ${store}` : `${name} is being opened`;
    if (missing.size === 0) return [{ name: "release", isReady: false, detail: [`${doing}, for ${seconds} by now`, ...(pending.size === 0 ? [] : [`waiting for ${[...pending].join(", ")}`])].join("; ") }];
    const found = nameOf(known()).map((detail): RuntimePart => ({ name: "release", isReady: true, detail }));
    return [...found, ...[...missing].map(([name, failure]) => ({ name, isReady: false, detail: `${reasonOf(failure)}; asked ${attempts === 1 ? "once" : `${attempts} times`} in ${seconds}, and again soon`, failure }))];
  }

  function notReady(): TwelveError {
    const waitsFor = [...missing].map(([name, failure]) => `${name}: ${reasonOf(failure)}`).join("; ");
    return new TwelveError("PROCESS_NOT_READY", `The server cannot answer yet${waitsFor === "" ? ": it is still starting" : `. It waits for ${waitsFor}`}`, { retry: { afterMs: Math.max(shortestWaitMs, againMs - nowMs()) } });
  }

  const opened = openAndLook();
  // Whoever waits for it is told; a process that stops meanwhile does not wait.
  opened.catch(() => {});
  return {
    opened,
    get agents() {
      return known()?.agents ?? [];
    },
    get toolAgents() {
      if (runtime !== undefined) return runtime.toolAgents;
      throw notReady();
    },
    onWaiting(listener) {
      listeners.add(listener);
      if (runtime === undefined && missing.size > 0) listener(parts());
    },
    get indexes() {
      return runtime?.indexes ?? [];
    },
    answer(request) {
      if (runtime !== undefined) return runtime.answer(request);
      const { agents } = known() ?? {};
      if (agents?.includes(request.agent) === false) throw unknownAgent(request.agent, agents);
      throw notReady();
    },
    kept() {
      if (runtime === undefined) throw notReady();
      return runtime.kept();
    },
    async search(query) {
      if (runtime === undefined) throw notReady();
      return runtime.search(query);
    },
    async embed(query) {
      if (runtime === undefined) throw notReady();
      return runtime.embed(query);
    },
    notReady,
    check() {
      if (runtime !== undefined) return runtime.check();
      hurry?.();
      return Promise.resolve(parts());
    },
    async close() {
      isClosed = true;
      await runtime?.close();
    },
  };
}

function nameOf(release: KnownRelease | undefined): readonly string[] {
  return release === undefined ? [] : [release.name];
}

function reasonOf(failure: unknown): string {
  return failure instanceof TwelveError ? summaryOf(failure) : String(failure);
}

interface Limits {
  readonly limitMs: number;
  /** Has who is asked, for as long as no answer comes. */
  readonly pending: Set<string>;
}

/** For one attempt: nothing is asked twice, since the attempt itself comes again, and nothing is waited for without end. */
function limited(context: Context, { limitMs, pending }: Limits): Context & { readonly patience: "nothing" } {
  const within = async <Result>(reference: string, work: (signal: AbortSignal) => Promise<Result>): Promise<Result> => {
    const who = withoutCredentials(reference);
    pending.add(who);
    return inTime(work, { limitMs, who, signal: context.signal }).finally(() => pending.delete(who));
  };
  return {
    ...context,
    patience: "nothing",
    async openEmbedder(reference, secrets) {
      const embedder = await within(reference, () => context.openEmbedder(reference, secrets));
      // Only the probe's texts are documents here; a question has a signal of its own.
      return { ...embedder, embed: (texts, task, own) => (task === "query" ? embedder.embed(texts, task, own) : within(reference, (limit) => embedder.embed(texts, task, limit))) };
    },
    openReranker: (reference, secrets) => within(reference, () => context.openReranker(reference, secrets)),
    async openVectorService(reference, secrets) {
      const service = await within(reference, () => context.openVectorService(reference, secrets));
      return { ...service, open: (namespace) => within(reference, () => service.open(namespace)) };
    },
  };
}

import { type FailureCode, summaryOf, TwelveError } from "../core/errors.ts";
import { wait } from "../core/patience.ts";
import { retrying } from "../core/retry.ts";
import type { Clock } from "../ports/clock.ts";
import type { Model, ModelChunk, ModelRequest } from "../ports/model.ts";
import type { Story } from "../ports/story.ts";

/** A model that may answer for an agent, under the reference that the release names it by. */
export interface Candidate {
  readonly reference: string;
  readonly model: Model;
}

/** A call that gave nothing. */
export interface FailedAttempt {
  readonly reference: string;
  readonly error: TwelveError;
}

/** How long a model is asked again before its failure counts. No attempt begins later than `totalMs` after the first. */
export interface Patience {
  readonly attempts: number;
  readonly totalMs: number;
}

/** Somebody waits for the answer. */
export const askerPatience: Patience = { attempts: 3, totalMs: 10_000 };
/** With another model at hand, only a hiccup is worth a second attempt. */
const betweenModels: Patience = { attempts: 2, totalMs: 1_500 };

/** What another provider, or another model, may well not have. An invalid request or refused content stays what it is, and so does an abort. */
const passedOn: ReadonlySet<FailureCode> = new Set([
  "SERVICE_UNAVAILABLE", "SERVICE_LIMITED", "SERVICE_QUOTA", "SERVICE_TIMEOUT", "SERVICE_NOT_FOUND",
  "SERVICE_UNAUTHENTICATED", "SERVICE_DENIED", "SERVICE_CUT", "SERVICE_FAILED",
  // It was not even asked, for what its own API has no word for.
  "MODEL_UNABLE",
]);

export interface Asking {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** For the last model; those before it are given up sooner. */
  readonly patience?: Patience | undefined;
  /** Told before a model is asked for the first time. */
  readonly onAsk: (candidate: Candidate) => void;
  readonly onFailure: (failed: FailedAttempt) => void;
  readonly sleep?: ((ms: number) => Promise<void>) | undefined;
  readonly random?: () => number;
}

/**
 * Asks one model after the other until one begins to answer, and gives its chunks; this is the one place that asks again.
 * After the first chunk nothing is asked again: somebody may have read it. Fails with the last failure, which names the earlier ones.
 */
export async function askModels(chain: readonly Candidate[], request: ModelRequest, asking: Asking): Promise<AsyncIterable<ModelChunk>> {
  const failed: FailedAttempt[] = [];
  for (const [index, candidate] of chain.entries()) {
    const isLast = index === chain.length - 1;
    asking.onAsk(candidate);
    try {
      return await askPatiently(candidate, request, { asking, patience: isLast ? (asking.patience ?? askerPatience) : betweenModels });
    } catch (error) {
      if (!(error instanceof TwelveError) || request.signal?.aborted === true) throw error;
      if (isLast || !passedOn.has(error.code)) throw withEarlier(error, failed);
      const attempt = { reference: candidate.reference, error };
      failed.push(attempt);
      asking.onFailure(attempt);
    }
  }
  throw new Error("An agent has no model");
}

interface Patient {
  readonly asking: Asking;
  readonly patience: Patience;
}

function askPatiently({ reference, model }: Candidate, request: ModelRequest, { asking: { clock, onFailure, sleep, random }, patience }: Patient): Promise<AsyncIterable<ModelChunk>> {
  const startMs = clock.monotonicMs();
  return retrying(() => begin(reference, model, request), {
    sleep: sleep ?? ((ms) => wait(ms, request.signal)),
    random: random ?? Math.random,
    onRetry: (error) => onFailure({ reference, error }),
    isWorthIt: (waitMs, attempt) => attempt < patience.attempts && clock.monotonicMs() - startMs + waitMs <= patience.totalMs,
  });
}

/** The answer from its first chunk on. */
async function begin(reference: string, model: Model, request: ModelRequest): Promise<AsyncIterable<ModelChunk>> {
  const rest = model.generate(request)[Symbol.asyncIterator]();
  const first = await rest.next();
  if (first.done === true) throw new TwelveError("SERVICE_CUT", `The model ${reference} broke off its answer`, { retry: { afterMs: null } });
  let isBegun = false;
  return {
    [Symbol.asyncIterator]: () => ({
      next() {
        if (isBegun) return rest.next();
        isBegun = true;
        return Promise.resolve(first);
      },
      return: async () => (await rest.return?.()) ?? { done: true, value: undefined },
    }),
  };
}

const toldAgainMs = 10_000;

/** Says when an agent's answers begin to come from another model of its chain, and back; not for each of them, and seldom where a model comes and goes. */
export function tellFallbacks(story: Pick<Story, "note" | "warn">, clock: Pick<Clock, "monotonicMs">): (agent: string, candidate: Candidate, failed: readonly FailedAttempt[]) => void {
  const told = new Map<string, { readonly reference: string; readonly atMs: number }>();
  return (agent, { reference }, failed) => {
    const before = told.get(agent);
    if (before?.reference === reference) return;
    const nowMs = clock.monotonicMs();
    if (before !== undefined && nowMs - before.atMs < toldAgainMs) return;
    told.set(agent, { reference, atMs: before === undefined && failed.length === 0 ? Number.NEGATIVE_INFINITY : nowMs });
    const reasons = failed.filter((attempt) => attempt.reference !== reference).map((attempt) => `${attempt.reference} failed with ${attempt.error.code} (${summaryOf(attempt.error)})`);
    if (reasons.length > 0) story.warn(`Agent ${agent}: ${[...new Set(reasons)].join(", ")}; ${reference} answers`);
    else if (before !== undefined) story.note(`Agent ${agent}: ${reference} answers again`);
  };
}

function withEarlier(error: TwelveError, failed: readonly FailedAttempt[]): TwelveError {
  if (failed.length === 0) return error;
  const problems = failed.map(({ reference, error: { code, message } }) => ({ message: `before it, ${reference} failed with ${code}: ${message}` }));
  return new TwelveError(error.code, error.message, { fix: error.fix, cause: error, problems: [...error.problems, ...problems], ...(error.retry === undefined ? {} : { retry: error.retry }) });
}

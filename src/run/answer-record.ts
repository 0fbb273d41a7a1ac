import { z } from "zod";
import { type Digest, digestOf, hexOf } from "../core/descriptor.ts";
import { TwelveError } from "../core/errors.ts";
import { wait } from "../core/patience.ts";
import type { Clock } from "../ports/clock.ts";
import type { Session, SessionStore } from "../ports/session.ts";
import type { Log } from "./state/append.ts";
import { type Claim, claim, type Draft, isOver, looksOver, usualLeaseMs } from "./state/claim.ts";
import { markOf, openClaim } from "./state/mark.ts";
import { ownerName } from "./state/name.ts";

/** An answer as it was sent, so that it can be sent again. */
export const KeptAnswer = z.object({ status: z.int(), headers: z.record(z.string(), z.string()), body: z.string() });
export type KeptAnswer = z.infer<typeof KeptAnswer>;

/** What an Idempotency-Key stands for. */
export interface KeyedRequest {
  /** Keys of different callers never meet. */
  readonly caller: string;
  readonly key: string;
  /** Of everything that decides about the answer. */
  readonly digest: Digest;
}

/** The answer that is being made under a key. */
export interface Recording {
  /** Durable when it returns. One without its body, or too large to be kept, leaves a note of that. */
  keep(answer: Omit<KeptAnswer, "body"> & { readonly body: string | undefined }): Promise<void>;
  /** Nothing is kept: the same request is answered anew. */
  release(): Promise<void>;
}

export interface AnswerRecords {
  /**
   * The answer to the same request where it was given before, else the right to give it. Fails with IDEMPOTENCY_KEY_REUSED, with
   * IDEMPOTENCY_KEY_BUSY while it is being answered, and with IDEMPOTENCY_ANSWER_LOST.
   */
  begin(request: KeyedRequest): Promise<{ readonly kept: KeptAnswer } | { readonly recording: Recording }>;
}

export interface AnswerRecordOptions {
  readonly app: string;
  readonly environment: string;
  readonly keepHours: number;
  readonly open: () => Promise<SessionStore>;
  readonly clock: Clock;
  readonly leaseMs?: number | undefined;
}

/** Every session store takes it, and a stream that is recorded has to stay in memory up to here. */
export const largestAnswerBytes: number = 2 * 1024 * 1024;
const askAgainMs = 1000;
const looksInLease = 16;

const Begun = z.object({ request: z.string() });
const Ended = z.discriminatedUnion("outcome", [z.object({ outcome: z.literal("kept"), answer: KeptAnswer }), z.object({ outcome: z.enum(["too-large", "released"]) })]);

export function openAnswerRecords({ app, environment, keepHours, open, clock, leaseMs }: AnswerRecordOptions): AnswerRecords {
  const lease = { clock, lost, ...(leaseMs === undefined ? {} : { leaseMs }) };
  return {
    async begin({ caller, key, digest }) {
      const store = await open();
      // The hash is a name that every store takes.
      const at = { user: ownerName("answer", { app, environment }, caller), session: hexOf(digestOf(key)) };
      const log: Log = { store, key: at, ttlSeconds: Math.ceil(keepHours * 3600) };
      let version = 0;
      for (;;) {
        try {
          return { recording: record(await claim(log, version, [note({ request: digest })], lease)) };
        } catch (error) {
          if (!(error instanceof TwelveError) || error.code !== "SESSION_CONFLICT") throw error;
        }
        const found = await look(log, digest, { clock, leaseMs });
        if ("kept" in found) return found;
        version = found.version;
      }
    },
  };
}

/** The answer that was kept, or the version behind which it is given anew. Whoever seems to have died over it is watched for a while first: a request is not to be done twice. */
async function look({ store, key }: Log, digest: Digest, { clock, leaseMs = usualLeaseMs }: Pick<AnswerRecordOptions, "clock" | "leaseMs">): Promise<{ readonly kept: KeptAnswer } | { readonly version: number }> {
  let seen = { version: -1, sinceMs: 0 };
  for (;;) {
    const session = await store.read(key);
    if (session !== undefined && requestIn(session) !== digest) throw new TwelveError("IDEMPOTENCY_KEY_REUSED", "This Idempotency-Key was used before for another request");
    const kept = answerIn(session);
    if (kept !== undefined) return { kept };
    const version = session?.version ?? 0;
    const running = openClaim(session);
    if (version !== seen.version) seen = { version, sinceMs: clock.monotonicMs() };
    const nowMs = clock.now().getTime();
    if (running === undefined || isOver(running, { nowMs, watchedMs: clock.monotonicMs() - seen.sinceMs, leaseMs })) return { version };
    if (!looksOver(running, nowMs, leaseMs)) throw new TwelveError("IDEMPOTENCY_KEY_BUSY", "A request with this Idempotency-Key is being answered", { retry: { afterMs: askAgainMs } });
    await wait(leaseMs / looksInLease);
  }
}

/** Nothing of it is said in a conversation: some stores learn from what is. */
function note(data: NonNullable<Draft["data"]>): Draft {
  return { role: "system", content: "", data };
}

function record(claimed: Claim): Recording {
  const tooLarge = (): Promise<void> => claimed.end([note({ outcome: "too-large" })]);
  return {
    async keep({ body, ...head }) {
      if (body === undefined || Buffer.byteLength(body) > largestAnswerBytes) return tooLarge();
      try {
        await claimed.end([note({ outcome: "kept", answer: { ...head, body } })]);
      } catch (error) {
        if (!(error instanceof TwelveError) || error.code !== "SESSION_TOO_LARGE") throw error;
        await tooLarge();
      }
    },
    release: () => claimed.end([note({ outcome: "released" })]),
  };
}

function requestIn({ entries }: Session): string | undefined {
  const begun = entries.find((entry) => markOf(entry)?.step === "begun");
  return Begun.safeParse(begun?.data).data?.request;
}

/** Undefined where there is none yet, or it was not kept so that it can be made again. */
function answerIn(session: Session | undefined): KeptAnswer | undefined {
  const last = session?.entries.at(-1);
  if (last === undefined || markOf(last)?.step !== "ended") return undefined;
  const ended = Ended.parse(last.data);
  if (ended.outcome === "too-large") throw new TwelveError("IDEMPOTENCY_ANSWER_LOST", "The request with this Idempotency-Key was answered, but the answer was too large to be kept");
  return ended.outcome === "kept" ? ended.answer : undefined;
}

function lost(cause: TwelveError): TwelveError {
  return new TwelveError("IDEMPOTENCY_KEY_BUSY", "Another process has taken over the request with this Idempotency-Key", { cause, retry: { afterMs: askAgainMs } });
}

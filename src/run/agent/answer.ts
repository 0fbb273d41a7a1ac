import { eitherOf } from "../../core/abort.ts";
import { inTime } from "../../core/deadline.ts";
import { TwelveError } from "../../core/errors.ts";
import type { RunEngine, RunKey } from "../../ports/runs.ts";
import type { AnswerPart, AnswerRequest } from "../schema.ts";
import { between, type Channel, openChannel } from "./channel.ts";
import { revive } from "./loop.ts";
import { keyOf, newRun } from "./runs.ts";
import type { RunInput, RunOutcome } from "./schema.ts";

interface Answering {
  readonly engine: RunEngine;
  readonly kind: string;
  readonly input: RunInput;
  readonly id: string;
}

/** A state service that is away keeps no model talking longer than this. */
const cancelMs = 1000;

/** Answers by a run in this process, and gives the text as it comes. A reader who goes away cancels the run, unless the request may be sent again and finds it then. */
export async function* answerHere(request: AnswerRequest, { engine, kind, input, id }: Answering, follow: (run: RunKey, channel: Channel) => () => void): AsyncGenerator<AnswerPart> {
  const owner = { agent: request.agent, key: request.caller ?? null };
  const run = keyOf(kind, owner, id);
  const channel = openChannel();
  const unfollow = follow(run, channel);
  const leave = (): void => {
    channel.close();
    if (request.runId !== undefined) return;
    // First the cancellation is durable, so that what is ended now counts as cancelled and not as failed.
    void inTime(() => engine.cancel(run), { limitMs: cancelMs, who: engine.url }).catch(() => {}).then(() => channel.abort(request.signal?.reason));
  };
  let isThrough = false;
  request.signal?.addEventListener("abort", leave, { once: true });
  try {
    request.signal?.throwIfAborted();
    const { ended } = await engine.start(newRun(kind, owner, id, input));
    request.onRunBegun?.(id);
    const settled = ended.then(() => undefined, (error: unknown) => error).finally(() => channel.close());
    for await (const text of channel.texts()) yield { type: "text", text };
    request.signal?.throwIfAborted();
    const failure = await settled;
    isThrough = true;
    if (failure instanceof TwelveError) throw channel.failure ?? failure;
    yield await endOf(engine, run, request);
  } finally {
    request.signal?.removeEventListener("abort", leave);
    unfollow();
    if (!isThrough && request.signal?.aborted !== true) leave();
  }
}

/**
 * Answers by a run that a worker takes, or that is there already: its text comes model call by model call, since only whole steps are told. Fails with RUN_NOT_TAKEN where
 * none takes it in that time, or the one that did gave it back.
 */
export async function* answerElsewhere(request: AnswerRequest, { engine, kind, input, id }: Answering, limitMs: number): AsyncGenerator<AnswerPart> {
  const owner = { agent: request.agent, key: request.caller ?? null };
  const run = keyOf(kind, owner, id);
  const untaken = new AbortController();
  const either = eitherOf(untaken.signal, request.signal);
  let timer: NodeJS.Timeout | undefined;
  let isThrough = false;
  let isFirst = true;
  const undecided = new Set<string>();
  try {
    await engine.submit(newRun(kind, owner, id, input));
    request.onRunBegun?.(id);
    timer = setTimeout(() => void requireTaken(engine, run, { limitMs, request }).catch((error: unknown) => untaken.abort(error)), limitMs);
    for await (const { position, data } of engine.events(run, { after: 0, signal: either.signal })) {
      clearTimeout(timer);
      const { type, text, call_id: call = "" } = data as { readonly type?: string; readonly text?: string; readonly call_id?: string };
      if (type === "run_postponed" && (await isLeftAt(engine, run, position))) throw notTaken("can go on with this run for now", request);
      if (type === "approval_requested") undecided.add(call);
      // The run waits for the session, too, to keep its turn there.
      if (undecided.size > 0 && request.session !== undefined) break;
      if (type === "approval_decided") undecided.delete(call);
      // Nothing comes behind it before somebody decides.
      if (undecided.size > 0 && (await engine.status(run))?.position === position) break;
      if (type !== "model_call_finished" || text === undefined || text === "") continue;
      yield { type: "text", text: isFirst ? text : `${between}${text}` };
      isFirst = false;
    }
    isThrough = true;
    yield await endOf(engine, run, request);
  } finally {
    clearTimeout(timer);
    either.leave();
    if (!isThrough && request.runId === undefined) await engine.cancel(run).catch(() => {});
  }
}

async function requireTaken(engine: RunEngine, run: RunKey, { limitMs, request }: { readonly limitMs: number; readonly request: AnswerRequest }): Promise<void> {
  const status = await engine.status(run);
  if (status?.state === "queued") throw notTaken(`that works on runs took this one within ${limitMs / 1000} s`, request);
}

/** Whether it told nothing since, and may go on. */
async function isLeftAt(engine: RunEngine, run: RunKey, position: number): Promise<boolean> {
  const status = await engine.status(run);
  return status?.position === position && status.finished === undefined;
}

function notTaken(why: string, { runId }: AnswerRequest): TwelveError {
  return new TwelveError("RUN_NOT_TAKEN", `No process ${why}, so it ${runId === undefined ? "was cancelled" : "still waits, and answers the same request with the same key"}`, { retry: { afterMs: null } });
}

async function endOf(engine: RunEngine, run: RunKey, { agent, session, caller: key = null }: AnswerRequest): Promise<AnswerPart> {
  const status = await engine.status(run);
  const outcome = status?.result as unknown as RunOutcome | undefined;
  // Whoever approved was faster than this answer; the turn is kept by the run itself.
  const isKept = session !== undefined && outcome?.isLate === true;
  if (outcome !== undefined && !isKept) return { type: "end", answer: outcome.answer };
  // One that is there no more was cancelled, too.
  if (status === undefined || status.state === "cancelled") throw new TwelveError("RUN_CANCELLED", `The run ${run.id} was cancelled`);
  if (status.state === "failed") throw revive({ code: "", message: "", fix: "", ...status.failure });
  const path = `/v1/agents/${agent}/runs/${run.id}`;
  // Who decides has another key.
  const whose = key === null ? "" : `?key=${key}`;
  throw new TwelveError("APPROVAL_NEEDED", `The run waits for a person to approve a call. GET ${path}${whose} says which, and POST ${path}/approvals${whose} decides; the answer is then at ${path}`);
}

import { inTime } from "../../core/deadline.ts";
import type { Digest } from "../../core/descriptor.ts";
import { TwelveError } from "../../core/errors.ts";
import { wait } from "../../core/patience.ts";
import { retrying } from "../../core/retry.ts";
import type { RunEngine, RunHandler, RunKey } from "../../ports/runs.ts";
import type { Story } from "../../ports/story.ts";
import type { OpenTool } from "../../ports/tool.ts";
import type { AnswerContext, OpenAgent } from "../answer.ts";
import type { NamedService } from "../health.ts";
import { unknownAgent } from "../plan.ts";
import type { AnswerPart, AnswerRequest } from "../schema.ts";
import { answerElsewhere, answerHere } from "./answer.ts";
import { type Channel, openChannel } from "./channel.ts";
import { type Loop, runLoop } from "./loop.ts";
import { passingRun } from "./passing-run.ts";
import { findAgain, newRunId } from "./run-id.ts";
import { type AgentRuns, keyOf, openAgentRuns } from "./runs.ts";
import { type KeptRequest, RunInput, type RunOutcome, type ToolCallEvent } from "./schema.ts";
import { type RunWork, workInBackground } from "./work.ts";

/** An agent with what it may call. */
export interface ToolAgent {
  readonly agent: OpenAgent;
  readonly tools: () => readonly OpenTool[];
}

/** Where runs are kept, and who works on them. */
export interface DurableRuns {
  readonly engine: RunEngine;
  readonly kind: string;
  /** Whether this process works on them, and on how many from the queue at a time. */
  readonly works: boolean;
  readonly concurrency: number;
  /** How long an answer waits for whoever works on its run, here or elsewhere: 15 s by default. */
  readonly startMs?: number;
}

interface Opening {
  readonly release: Digest;
  readonly agents: ReadonlyMap<string, ToolAgent>;
  readonly answering: AnswerContext;
  readonly onToolCall: (event: ToolCallEvent) => void;
  readonly story: Pick<Story, "note" | "warn">;
  /** Undefined for whoever measures: the run ends with the process. */
  readonly durable: DurableRuns | undefined;
  /** Another release's, for a run that was begun in it. */
  readonly openOther: (release: Digest) => Promise<ToolAgents>;
}

/** The agents of a release that have tools. */
export interface ToolAgents {
  has(agent: string): boolean;
  /** What is kept of a request. */
  inputFor(request: AnswerRequest): RunInput;
  answer(request: AnswerRequest): AsyncIterable<AnswerPart>;
  /** Undefined where runs are not kept. */
  readonly runs: AgentRuns | undefined;
  readonly handle: RunHandler;
  /** What they need beside models and indexes. */
  readonly services: readonly NamedService[];
  /** Leaves runs that wait to other processes; what runs here goes on. */
  takeNoMore(): void;
  /** Gives back what runs here. */
  close(): Promise<void>;
}

const usualStartMs = 15_000;

export function openToolAgents({ release, agents, answering, onToolCall, story, durable, openOther }: Opening): ToolAgents {
  const channels = new Map<string, Channel>();
  const others = new Map<Digest, Promise<ToolAgents>>();
  const place = ({ group, id }: Omit<RunKey, "kind">): string => `${group} ${id}`;

  const otherOf = (digest: Digest): Promise<ToolAgents> => {
    const known = others.get(digest) ?? patiently(() => openOther(digest));
    others.set(digest, known);
    // One that could not be opened may be there at the next run.
    known.catch(() => others.delete(digest));
    return known;
  };
  const loopOf = (name: string, live: Channel | undefined): Loop => {
    const found = agents.get(name);
    if (found === undefined) throw unknownAgent(name, [...agents.keys()]);
    return { ...found, answering, onToolCall, live };
  };
  const handle: RunHandler = async (given, run) => {
    const parsed = RunInput.safeParse(given);
    if (!parsed.success) throw new TwelveError("RUN_CONFLICT", "The run was begun by another version of twelve, which this one cannot go on with");
    const input = parsed.data;
    if (input.release !== release) return (await otherOf(input.release)).handle(given, run);
    return (await runLoop(input, run, loopOf(input.agent, channels.get(place(run))))) as unknown as ReturnType<RunHandler>;
  };
  const work: RunWork | undefined = durable?.works === true ? workInBackground(durable.engine, { ...durable, handler: handle, story }) : undefined;
  const inputFor = (request: AnswerRequest): RunInput => ({ loop: 1, release, agent: request.agent, user: request.user ?? request.caller ?? null, traceId: request.traceId, request: keptOf(request) });

  async function* answer(request: AnswerRequest): AsyncGenerator<AnswerPart> {
    if (request.tools !== undefined) throw new TwelveError("REQUEST_INVALID", `The agent ${request.agent} has tools of its own, so none can be given with a request`, { problems: [{ path: "tools", message: "Leave it out" }] });
    const newId = request.runId ?? newRunId((sizeBytes) => answering.clock.randomHex(sizeBytes));
    const input = inputFor(request);
    if (durable === undefined) {
      yield* answerPassing(request, { id: newId, input });
      return;
    }
    const { startMs = usualStartMs } = durable;
    const owner = { agent: request.agent, key: request.caller ?? null };
    const { id, isBegun } = request.runId === undefined ? { id: newId, isBegun: false } : await findAgain(durable.engine, keyOf(durable.kind, owner, newId));
    const kept = { engine: durable.engine, kind: durable.kind, input, id };
    request.onRun?.(id);
    if (work === undefined || isBegun) {
      yield* answerElsewhere(request, kept, startMs);
      return;
    }
    await inTime(() => work.ready, { limitMs: startMs, who: durable.engine.url, signal: request.signal });
    yield* answerHere(request, kept, (run, channel) => {
      channels.set(place(run), channel);
      return () => void channels.delete(place(run));
    });
  }

  async function* answerPassing(request: AnswerRequest, { id, input }: { readonly id: string; readonly input: RunInput }): AsyncGenerator<AnswerPart> {
    const channel = openChannel();
    const leave = (): void => channel.abort(request.signal?.reason);
    request.signal?.addEventListener("abort", leave, { once: true });
    try {
      request.signal?.throwIfAborted();
      const running = runLoop(input, passingRun(id, channel.signal), loopOf(request.agent, channel)).finally(() => channel.close());
      running.catch(() => {});
      for await (const text of channel.texts()) yield { type: "text", text };
      yield { type: "end", answer: (await running satisfies RunOutcome).answer };
    } finally {
      request.signal?.removeEventListener("abort", leave);
      leave();
    }
  }

  return {
    has: (agent) => agents.has(agent),
    inputFor,
    answer,
    runs: durable && openAgentRuns(durable.engine, durable.kind),
    handle,
    services: durable === undefined ? [] : [{ name: `state ${durable.engine.url}`, service: durable.engine }],
    takeNoMore: () => work?.takeNoMore(),
    async close() {
      await work?.stop();
      await durable?.engine.close();
      for (const other of others.values()) await (await other.catch(() => undefined))?.close();
    },
  };
}

/** A run in the queue can wait for a service that is away for the moment. */
function patiently<Result>(open: () => Promise<Result>): Promise<Result> {
  return retrying(open, { sleep: (ms) => wait(ms), random: Math.random, onRetry: () => {} });
}

const keptFields = ["messages", "variables", "isStream", "temperature", "topP", "maxTokens", "stop", "seed", "effort", "format", "schema", "toolChoice", "isSingleCall"] as const satisfies readonly (keyof KeptRequest)[];

function keptOf(request: AnswerRequest): KeptRequest {
  const { messages, variables, isStream } = request;
  return { messages, variables, isStream, ...Object.fromEntries(keptFields.flatMap((field) => (request[field] === undefined ? [] : [[field, request[field]]]))) };
}

import { inTime } from "../../core/deadline.ts";
import type { Digest } from "../../core/descriptor.ts";
import { TwelveError } from "../../core/errors.ts";
import type { RunEngine, RunHandler, RunKey } from "../../ports/runs.ts";
import type { Story } from "../../ports/story.ts";
import type { OpenTool } from "../../ports/tool.ts";
import type { AnswerContext, OpenAgent } from "../answer.ts";
import type { NamedService } from "../health.ts";
import { unknownAgent } from "../plan.ts";
import type { AnswerPart, AnswerRequest } from "../schema.ts";
import type { LateTurn } from "../session/late-turn.ts";
import { answerElsewhere, answerHere } from "./answer.ts";
import type { Channel } from "./channel.ts";
import { handlerOf } from "./handle.ts";
import { inputOf } from "./input.ts";
import { runLoop } from "./loop.ts";
import { openOtherReleases } from "./others.ts";
import { answerPassing } from "./passing.ts";
import { findAgain, hasTold, newRunId } from "./run-id.ts";
import { type AgentRuns, keyOf, openAgentRuns } from "./runs.ts";
import type { RunInput, RunWaitingEvent, ToolCallEvent } from "./schema.ts";
import { type RunWork, workInBackground } from "./work.ts";

/** An agent with what it may call. */
export interface ToolAgent {
  readonly agent: OpenAgent;
  readonly tools: () => readonly OpenTool[];
  /** Why it cannot answer here for now: a tool of its is away. */
  readonly away?: () => TwelveError | undefined;
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
  readonly onToolCall: (event: ToolCallEvent | RunWaitingEvent) => void;
  readonly story: Pick<Story, "note" | "warn">;
  /** Undefined for whoever measures: the run ends with the process. */
  readonly durable: DurableRuns | undefined;
  /** Another release's, for a run that was begun in it. */
  readonly openOther: (release: Digest) => Promise<ToolAgents>;
  /** Keeps the turn of a run that outlived its request. */
  readonly keepLate: (turn: LateTurn) => Promise<void>;
}

/** The agents of a release that have tools. */
export interface ToolAgents {
  has(agent: string): boolean;
  /** What is kept of a request. */
  inputFor(request: AnswerRequest): RunInput;
  answer(request: AnswerRequest): AsyncIterable<AnswerPart>;
  /** The run that a request which is sent again has begun already, and whether it asked for approval, and so keeps its turn in the session itself. */
  begunBy(request: AnswerRequest): Promise<{ readonly id: string; readonly isLate: boolean } | undefined>;
  /** Undefined where runs are not kept. */
  readonly runs: AgentRuns | undefined;
  readonly handle: RunHandler;
  /** How many runs are worked on here that no request waits for. */
  running(): number;
  /** What they need beside models and indexes. */
  readonly services: readonly NamedService[];
  /** Leaves runs that wait to other processes; what runs here goes on. */
  takeNoMore(): void;
  /** Resolves when runs can be begun here; at once where others work on them. */
  readonly ready: Promise<void>;
  /** Gives back what runs here. */
  close(): Promise<void>;
}

const usualStartMs = 15_000;

export function openToolAgents({ release, agents, answering, onToolCall, story, durable, openOther, keepLate }: Opening): ToolAgents {
  const channels = new Map<string, Channel>();
  const place = ({ group, id }: Omit<RunKey, "kind">): string => `${group} ${id}`;
  const others = durable && openOtherReleases(openOther);
  const goOn = handlerOf({ release, agents, answering, onToolCall, liveOf: (run) => channels.get(place(run)), others, keepLate, story });
  let running = 0;
  const handle: RunHandler = async (given, run) => {
    // One that somebody reads along with counts as a request.
    if (channels.has(place(run))) return goOn(given, run);
    running += 1;
    try {
      return await goOn(given, run);
    } finally {
      running -= 1;
    }
  };
  const work: RunWork | undefined = durable?.works === true ? workInBackground(durable.engine, { ...durable, handler: handle, story }) : undefined;

  async function* answer(request: AnswerRequest): AsyncGenerator<AnswerPart> {
    if (request.tools !== undefined) throw new TwelveError("REQUEST_INVALID", `The agent ${request.agent} has tools of its own, so none can be given with a request`, { problems: [{ path: "tools", message: "Leave it out" }] });
    const newId = request.runId ?? newRunId((sizeBytes) => answering.clock.randomHex(sizeBytes));
    const input = inputOf(request, release);
    if (durable === undefined) {
      yield* answerPassing(request, newId, (run, channel) => runLoop(input, run, { ...agentOf(request.agent), answering, onToolCall, live: channel }));
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
    const away = agents.get(request.agent)?.away?.();
    if (away !== undefined) throw away;
    await inTime(() => work.ready, { limitMs: startMs, who: durable.engine.url, signal: request.signal });
    yield* answerHere(request, kept, (run, channel) => {
      channels.set(place(run), channel);
      return () => void channels.delete(place(run));
    });
  }

  function agentOf(name: string): ToolAgent {
    const found = agents.get(name);
    if (found === undefined) throw unknownAgent(name, [...agents.keys()]);
    return found;
  }

  return {
    has: (agent) => agents.has(agent),
    inputFor: (request) => inputOf(request, release),
    answer,
    async begunBy({ agent, caller = null, runId }) {
      if (durable === undefined || runId === undefined) return undefined;
      const run = keyOf(durable.kind, { agent, key: caller }, runId);
      const { id, isBegun } = await findAgain(durable.engine, run);
      return isBegun ? { id, isLate: await hasTold(durable.engine, { ...run, id }, "approval_requested") } : undefined;
    },
    runs: durable && openAgentRuns(durable.engine, durable.kind),
    handle,
    running: () => running,
    services: [
      ...(durable === undefined ? [] : [{ name: `state ${durable.engine.url}`, service: durable.engine }]),
      ...(work === undefined ? [] : [{ name: "runs", service: work }]),
    ],
    takeNoMore: () => work?.takeNoMore(),
    ready: work?.ready ?? Promise.resolve(),
    async close() {
      await work?.stop();
      await durable?.engine.close();
      await others?.close();
    },
  };
}

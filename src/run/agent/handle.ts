import type { Json } from "../../core/canonical-json.ts";
import type { Digest } from "../../core/descriptor.ts";
import { summaryOf, TwelveError } from "../../core/errors.ts";
import type { OngoingRun, RunHandler } from "../../ports/runs.ts";
import type { Story } from "../../ports/story.ts";
import { unknownAgent } from "../plan.ts";
import type { LateTurn } from "../session/late-turn.ts";
import { keepTurn } from "./keep-turn.ts";
import { type Live, type Loop, runLoop } from "./loop.ts";
import type { ToolAgent } from "./open.ts";
import { closed, type EnteredRelease, type OtherReleases } from "./others.ts";
import { RunInput } from "./schema.ts";

interface Handling extends Omit<Loop, "live" | "agent" | "tools"> {
  readonly release: Digest;
  readonly agents: ReadonlyMap<string, ToolAgent>;
  /** Somebody who reads along. */
  readonly liveOf: (run: OngoingRun) => Live | undefined;
  /** Undefined for a release that is such another one itself. */
  readonly others: OtherReleases | undefined;
  readonly keepLate: (turn: LateTurn) => Promise<void>;
  readonly story: Pick<Story, "warn">;
}

/** Goes on with a run in the release that it was begun in. One that this process cannot go on with is given back: another may, or this one later. */
export function handlerOf({ release, agents, answering, onToolCall, liveOf, others, keepLate, story }: Handling): RunHandler {
  async function giveBack(run: OngoingRun, failure: unknown, what: string): Promise<never> {
    const code = failure instanceof TwelveError ? failure.code.toLowerCase() : "internal_error";
    story.warn(`The run ${run.id} is left to other processes and tried again later: ${what}: ${failure instanceof TwelveError ? summaryOf(failure) : String(failure)}`);
    // Why is the log's to tell: what is said of a process is not for callers.
    await run.postpone({ type: "run_postponed", code });
    throw failure;
  }

  async function goOnElsewhere(given: Json, run: OngoingRun, { release: digest, agent }: RunInput): Promise<Json> {
    if (others === undefined) throw unknownAgent(agent, [...agents.keys()]);
    let other: EnteredRelease;
    try {
      other = await others.enter(digest);
    } catch (error) {
      if (error === closed) throw error;
      return giveBack(run, error, `the release ${digest} that it was begun in cannot be opened here`);
    }
    try {
      return await other.agents.handle(given, run);
    } finally {
      other.leave();
    }
  }

  return async (given, run) => {
    const parsed = RunInput.safeParse(given);
    if (!parsed.success) return giveBack(run, new TwelveError("RUN_CONFLICT", "The run was begun by another version of twelve, which this one cannot go on with"), "its input is not understood");
    const input = parsed.data;
    const found = input.release === release ? agents.get(input.agent) : undefined;
    if (found === undefined) return goOnElsewhere(given, run, input);
    const live = liveOf(run);
    const away = found.away?.();
    // Whoever waits for the answer is told at once.
    if (away !== undefined && live !== undefined) throw away;
    if (away !== undefined) return giveBack(run, away, "a tool of its agent is away");
    const outcome = await runLoop(input, run, { ...found, answering, onToolCall, live });
    if (outcome.isLate) await keepTurn(run, input, outcome, keepLate);
    return outcome as unknown as Json;
  };
}

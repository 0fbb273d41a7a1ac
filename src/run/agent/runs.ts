import { canonicalJson, type Json } from "../../core/canonical-json.ts";
import { digestOf } from "../../core/descriptor.ts";
import { TwelveError } from "../../core/errors.ts";
import type { NewRun, RunDepth, RunEngine, RunEvent, RunKey, RunPage, RunStatus } from "../../ports/runs.ts";
import { groupOf } from "./group.ts";
import type { RunInput } from "./schema.ts";
import { toldUntil } from "./told.ts";
import { type About, runView, summaryView } from "./view.ts";
import type { RunSummary, RunView } from "./view-schema.ts";

/** Whose runs, of which agent. Those of one API key are never found under the name of another. */
export interface RunOwner {
  readonly agent: string;
  /** Name of the API key; null on a server without keys. */
  readonly key: string | null;
}

export interface Decision {
  readonly callId: string;
  readonly approve: boolean;
  readonly reason: string | null;
  /** Name of the API key that decided; null on a server without keys. */
  readonly by: string | null;
}

export interface RunListing {
  /** Undefined: of everybody. */
  readonly owner: RunOwner | undefined;
  readonly limit: number;
  /** The last of the page before. */
  readonly before: { readonly owner: RunOwner; readonly id: string } | undefined;
  readonly status: RunSummary["status"] | undefined;
}

/** The runs of a release's agents, as callers see them. Fails with RUN_NOT_FOUND, RUN_CONFLICT, or as the state service does. */
export interface AgentRuns {
  /** Durable when it returns. The same ID with the same request gives the same run. */
  submit(owner: RunOwner, id: string, input: RunInput): Promise<RunView>;
  /** Newest first. */
  list(agent: string, page: RunListing): Promise<readonly RunSummary[]>;
  read(owner: RunOwner, id: string): Promise<RunView>;
  /** Undefined where there is no such run. */
  stateOf(owner: RunOwner, id: string): Promise<RunStatus["state"] | undefined>;
  cancel(owner: RunOwner, id: string): Promise<RunView>;
  decide(owner: RunOwner, id: string, decision: Decision): Promise<RunView>;
  /** Position of the last thing that it has told, and whether nothing more comes. */
  lastOf(owner: RunOwner, id: string): Promise<{ readonly position: number; readonly isOver: boolean }>;
  /** What it told after that position, as it comes, up to its end. */
  events(owner: RunOwner, id: string, options: { readonly after: number; readonly signal: AbortSignal }): AsyncIterable<RunEvent>;
  /** Of all agents and owners. */
  depth(): Promise<RunDepth>;
}

export function keyOf(kind: string, owner: RunOwner, id: string): RunKey {
  return { kind, group: groupOf(owner), id };
}

export function newRun(kind: string, owner: RunOwner, id: string, input: RunInput): NewRun {
  const { agent, release, traceId, user, request } = input;
  const about: About = { agent, release, traceId, digest: digestOf(canonicalJson({ agent, user, request })) };
  return { ...keyOf(kind, owner, id), input: JSON.parse(JSON.stringify(input)) as Json, about: { ...about } };
}

export function openAgentRuns(engine: RunEngine, kind: string): AgentRuns {
  const statusOf = async (owner: RunOwner, id: string): Promise<RunStatus> => {
    const status = await engine.status(keyOf(kind, owner, id));
    if (status === undefined) throw new TwelveError("RUN_NOT_FOUND", `The agent ${owner.agent} has no run ${JSON.stringify(id)}`);
    return status;
  };
  const read = async (owner: RunOwner, id: string): Promise<RunView> => {
    const status = await statusOf(owner, id);
    return runView(status, await toldUntil(engine, keyOf(kind, owner, id), status.position));
  };
  return {
    read,
    depth: () => engine.depth(kind),
    async submit(owner, id, input) {
      const run = newRun(kind, owner, id, input);
      await engine.submit(run);
      const view = await statusOf(owner, id);
      if ((view.about as unknown as About).digest !== (run.about as unknown as About).digest) {
        throw new TwelveError("RUN_CONFLICT", `There is a run ${JSON.stringify(id)} already, of another request`, { fix: "Give each run an ID of its own, and the same one only where the same request is sent again" });
      }
      return read(owner, id);
    },
    async list(agent, { owner, limit, before, status }) {
      const of = owner === undefined ? { kind, group: agent, isPrefix: true } : { kind, group: groupOf(owner) };
      const found = await engine.list(of, { limit, before: before && { group: groupOf(before.owner), id: before.id }, ...(status && statesOf(status)) });
      return found.map(summaryView);
    },
    stateOf: async (owner, id) => (await engine.status(keyOf(kind, owner, id)))?.state,
    async cancel(owner, id) {
      await statusOf(owner, id);
      await engine.cancel(keyOf(kind, owner, id));
      return read(owner, id);
    },
    async decide(owner, id, { callId, approve, reason, by }) {
      const { state } = await statusOf(owner, id);
      const decision = { type: "approval_decided", call_id: callId, approve, reason, by };
      const counted = await engine.decide(keyOf(kind, owner, id), callId, decision);
      if (counted === undefined) throw new TwelveError("RUN_CONFLICT", state === "cancelled" || state === "failed" ? `The run ${JSON.stringify(id)} is over` : `The run ${JSON.stringify(id)} does not ask about a call ${JSON.stringify(callId)}`, { fix: "Look at `waiting_for` of the run" });
      if ((counted as { readonly approve?: boolean }).approve !== approve) throw new TwelveError("RUN_CONFLICT", `The call ${callId} was ${approve ? "refused" : "approved"} already`);
      return read(owner, id);
    },
    async lastOf(owner, id) {
      const status = await statusOf(owner, id);
      return { position: status.position, isOver: status.finished !== undefined };
    },
    async *events(owner, id, options) {
      await statusOf(owner, id);
      yield* engine.events(keyOf(kind, owner, id), options);
    },
  };
}

/** A run that is done is `incomplete` where a limit ended it. */
function statesOf(status: RunSummary["status"]): Partial<Pick<RunPage, "states" | "result">> {
  if (status === "completed" || status === "incomplete") return { states: ["done"], result: { field: "limit", isNull: status === "completed" } };
  return { states: [status] };
}

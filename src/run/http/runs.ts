import type { FastifyInstance, FastifyRequest } from "fastify";
import { eitherOf } from "../../core/abort.ts";
import { TwelveError } from "../../core/errors.ts";
import type { ToolAgents } from "../agent/open.ts";
import { newRunId } from "../agent/run-id.ts";
import type { AgentRuns, RunOwner } from "../agent/runs.ts";
import { readConversation } from "../conversation.ts";
import { unknownAgent } from "../plan.ts";
import type { Caller, Server } from "./api.ts";
import { parseBody } from "./asking.ts";
import { toHttpError } from "./error.ts";
import { userOf } from "./field.ts";
import { openEventStream } from "./run-events.ts";
import { ApprovalRequest, NewRunRequest, type RunList, RunPage, RunQuery } from "./runs-schema.ts";
import { streamHeaders } from "./stream.ts";

interface Named {
  readonly Params: { readonly name: string; readonly id: string };
}

interface Found {
  readonly toolAgents: ToolAgents;
  readonly runs: AgentRuns;
  readonly owner: RunOwner;
}

/** Who decides on runs has to look at them first; and the page shows those that it has asked for. */
const seen = { config: { scope: ["runs", "approvals", "ui"] } } as const;
const stopped = { config: { scope: ["runs", "ui"] } } as const;

/** `/v1/agents/{name}/runs`: long work of agents with tools, which outlives its request and its process. */
export function addRuns(app: FastifyInstance, { runtime, traffic, clock, report, write, mock }: Server): void {
  const find = ({ params, caller }: FastifyRequest<Named>, key?: string): Found => {
    const { name } = params;
    if (!runtime.agents.includes(name)) throw unknownAgent(name, runtime.agents);
    const { toolAgents } = runtime;
    if (toolAgents?.has(name) !== true) throw mock === undefined ? withoutTools(name) : withoutMockedTools(name);
    if (toolAgents.runs === undefined) throw new Error("A server keeps runs");
    return { toolAgents, runs: toolAgents.runs, owner: { agent: name, key: ownerKey(caller, key) } };
  };

  const findMeant = (request: FastifyRequest<Named>): Found => find(request, parseBody(RunQuery, request.query ?? {}).key);

  app.post<Named>("/v1/agents/:name/runs", async (request, reply) => {
    const { toolAgents, runs, owner } = find(request);
    const { input, variables, id = request.runId ?? newRunId((sizeBytes) => clock.randomHex(sizeBytes)), user } = parseBody(NewRunRequest, request.body ?? {});
    // What cannot be answered is refused while somebody is there to hear it.
    readConversation(input);
    const kept = toolAgents.inputFor({ agent: owner.agent, messages: input, variables, isStream: false, ...userOf(user), traceId: request.trace.traceId, caller: owner.key });
    const view = await runs.submit(owner, id, kept);
    return reply.code(202).header("location", `/v1/agents/${owner.agent}/runs/${view.id}`).header("x-run-id", view.id).send(view);
  });

  app.get<Named>("/v1/agents/:name/runs", seen, async (request, reply) => {
    const { key, status, limit, after, after_key: afterKey = null } = parseBody(RunPage, request.query ?? {});
    const { runs, owner } = find(request, key);
    const { agent } = owner;
    const isOfAll = owner.key === everyKey;
    const before = after === undefined ? undefined : { owner: isOfAll ? { agent, key: afterKey } : owner, id: after };
    // One more than is shown tells whether there are more.
    const found = await runs.list(agent, { owner: isOfAll ? undefined : owner, limit: limit + 1, before, status });
    const list: RunList = { object: "list", data: found.slice(0, limit), has_more: found.length > limit };
    return reply.send(list);
  });

  app.get<Named>("/v1/agents/:name/runs/:id", seen, async (request, reply) => {
    const { runs, owner } = findMeant(request);
    return reply.send(await runs.read(owner, request.params.id));
  });

  app.post<Named>("/v1/agents/:name/runs/:id/cancel", stopped, async (request, reply) => {
    const { runs, owner } = find(request);
    return reply.send(await runs.cancel(owner, request.params.id));
  });

  app.post<Named>("/v1/agents/:name/runs/:id/approvals", async (request, reply) => {
    const { runs, owner } = findMeant(request);
    const { call_id: callId, approve, reason } = parseBody(ApprovalRequest, request.body ?? {});
    const { id } = request.params;
    const by = request.caller.key;
    const view = await runs.decide(owner, id, { callId, approve, reason: reason ?? null, by });
    const decided = view.steps.find((step) => step.type === "tool_call" && step.call_id === callId);
    write("run-decided", {
      trace_id: request.trace.traceId, "gen_ai.agent.name": owner.agent, "gen_ai.tool.name": decided?.type === "tool_call" ? decided.tool : null, "gen_ai.tool.call.id": callId,
      "twelve.run.id": id, "twelve.key.name": owner.key, "twelve.approval.approved": approve, "twelve.approval.by": by,
    });
    return reply.send(view);
  });

  app.get<Named>("/v1/agents/:name/runs/:id/events", seen, async (request, reply) => {
    const { runs, owner } = findMeant(request);
    const { id } = request.params;
    const after = positionOf(request.headers["last-event-id"]);
    const last = await runs.lastOf(owner, id);
    // Clients of the browser ask again after an end, until they are told that there is no more.
    if (last.isOver && after === last.position + 1) return reply.code(204).send();
    if (after > last.position) throw noSuchEvent();
    // Who wants the headers alone does not wait for the end of the run.
    if (request.method === "HEAD") return reply.headers(streamHeaders).send();
    const stream = openEventStream(reply, (error) => {
      report(error, request);
      return toHttpError(error, request.trace.traceId).body;
    });
    const stopping = whenDraining(traffic);
    const { signal, leave } = eitherOf(request.life, stopping.signal);
    try {
      await stream.send(runs.events(owner, id, { after, signal }), { after, signal, ended: () => runs.read(owner, id) });
    } finally {
      leave();
      stopping.close();
    }
    return reply;
  });
}

function withoutTools(name: string): TwelveError {
  return new TwelveError("REQUEST_INVALID", `The agent ${name} has no tools, so it has no runs`, { fix: "Ask it at /v1/chat/completions" });
}

/** The tools of a release are not called by its mock, whatever its agents name. */
function withoutMockedTools(name: string): TwelveError {
  return new TwelveError("REQUEST_INVALID", `The agent ${name} has no runs here: this is a mock that plays no tools. \`twelve mock --answers <file>\` plays those under \`tools:\` in the file`, { fix: "Ask it at /v1/chat/completions, or put `tools:` into the file of `twelve mock`" });
}

/** No API key has that name. */
const everyKey = "*";

/** Whose runs are meant. Without keys nobody can be told from another, and the runs of keys stay theirs. */
function ownerKey({ key, scopes }: Caller, meant: string | undefined): string | null {
  if (meant === undefined || meant === key) return key;
  if (key === null) throw new TwelveError("REQUEST_INVALID", "The server has no API keys, so none can be named", { problems: [{ path: "key", message: "Leave it out" }] });
  if (scopes?.has("approvals") === false) throw new TwelveError("SCOPE_MISSING", `The API key ${key} may not see the runs of others: it needs the scope approvals`);
  return meant;
}

const lookMs = 250;

/** Whoever follows a run can go on at another process: they are told at once, and the server does not wait for the end of their runs. */
function whenDraining(traffic: Server["traffic"]): { readonly signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const timer = setInterval(() => {
    if (traffic.isDraining) controller.abort(new TwelveError("ANSWER_CUT", "The server is stopping; go on at another process with Last-Event-ID"));
  }, lookMs);
  return { signal: controller.signal, close: () => clearInterval(timer) };
}

/** Nothing has been read where nothing is said; what is no position of ours is refused, since events would be missed in silence. */
function positionOf(header: string | string[] | undefined): number {
  if (header === undefined || header === "") return 0;
  if (typeof header === "string" && /^\d{1,9}$/.test(header)) return Number(header);
  throw noSuchEvent();
}

function noSuchEvent(): TwelveError {
  return new TwelveError("REQUEST_INVALID", "Last-Event-ID is not the ID of an event of this run", { fix: "Send the ID of the last event that was read, or leave the header out" });
}

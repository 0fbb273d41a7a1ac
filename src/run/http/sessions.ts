import type { FastifyInstance } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import type { Message } from "../../ports/model.ts";
import type { KeptTurn } from "../session/entry.ts";
import type { Conversations } from "../session/conversations.ts";
import type { Caller, Server } from "./api.ts";
import { parseBody } from "./asking.ts";
import { sessionKey } from "./session.ts";
import { type SessionDeleted, type SessionList, type SessionMessage, SessionPage, SessionQuery, type SessionTurn, type SessionView } from "./sessions-schema.ts";

/** `GET /v1/sessions`, `GET` and `DELETE /v1/sessions/:id`: the conversations of the caller's user, and of nobody else. */
export function addSessions(app: FastifyInstance, { runtime }: Server): void {
  function conversations(): Conversations {
    const kept = runtime.kept();
    if (!kept.hasConversations) throw new TwelveError("REQUEST_INVALID", "No agent of this release keeps conversations: declare `session: true` under an agent in twelve.yaml and release again");
    return kept.conversations;
  }

  /** Nobody notes in the session that the run which was to answer it was cancelled or has failed. */
  async function waitsInVain({ outcome, run, agent }: KeptTurn, { key }: Caller): Promise<boolean> {
    const runs = runtime.toolAgents?.runs;
    if (outcome !== "waiting" || run === undefined || agent === null || runs === undefined) return false;
    const state = await runs.stateOf({ agent, key }, run);
    return state === "cancelled" || state === "failed";
  }

  app.get("/v1/sessions", async ({ query, caller }): Promise<SessionList> => {
    const { user, after, limit } = parseBody(SessionPage, query);
    const { sessions, next } = await conversations().list(sessionKey(caller, "", user).user, { ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit }) });
    return { object: "list", data: sessions.map(({ session, updatedAt }) => ({ id: session, object: "session", updated_at: seconds(updatedAt) })), has_more: next !== undefined, next: next ?? null };
  });
  app.get<{ Params: { id: string } }>("/v1/sessions/:id", async ({ params: { id }, query, caller }): Promise<SessionView> => {
    const { turns, expiresAt } = await conversations().read(sessionKey(caller, id, parseBody(SessionQuery, query).user));
    const ended = await Promise.all(turns.map(async (turn) => ((await waitsInVain(turn, caller)) ? { ...turn, outcome: "failed" as const } : turn)));
    return { id, object: "session", expires_at: expiresAt === null ? null : seconds(expiresAt), turns: ended.map(shownTurn) };
  });
  app.delete<{ Params: { id: string } }>("/v1/sessions/:id", async ({ params: { id }, query, caller }): Promise<SessionDeleted> => {
    const isDeleted = await conversations().delete(sessionKey(caller, id, parseBody(SessionQuery, query).user));
    if (!isDeleted) throw new TwelveError("SESSION_NOT_FOUND", `There is no session ${JSON.stringify(id)}`);
    return { id, object: "session.deleted", deleted: true };
  });
}

/** As OpenAI's API gives times. */
function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function shownTurn({ id, at, agent, outcome, messages, citations }: KeptTurn): SessionTurn {
  return { id, created_at: seconds(new Date(at)), model: agent, status: outcome, messages: messages.map(shownMessage), citations: [...citations] };
}

/** In the form in which chat completions take and give messages. */
function shownMessage({ role, content, images, toolCalls, toolCallId }: Message): SessionMessage {
  return {
    role,
    content: images === undefined ? content : [{ type: "text", text: content }, ...images.map(({ url }) => ({ type: "image_url" as const, image_url: { url } }))],
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls.map(({ id, name, arguments: given }) => ({ id, type: "function", function: { name, arguments: given } })) }),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
  };
}

import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { TwelveError } from "../../core/errors.ts";
import type { Message } from "../../ports/model.ts";
import type { KeptTurn } from "../session/entry.ts";
import type { Conversations } from "../session/conversations.ts";
import type { Server } from "./api.ts";
import { invalidRequest } from "./error.ts";
import { sessionKey } from "./session.ts";

const OfUser = z.strictObject({ user: z.string().optional() });
const Page = z.strictObject({ user: z.string().optional(), after: z.string().min(1).optional(), limit: z.coerce.number().int().min(1).max(1000).optional() });

/** `GET /v1/sessions`, `GET` and `DELETE /v1/sessions/:id`: the conversations of the caller's user, and of nobody else. */
export function addSessions(app: FastifyInstance, { runtime }: Server): void {
  function conversations(): Conversations {
    const kept = runtime.kept();
    if (!kept.hasConversations) throw new TwelveError("REQUEST_INVALID", "No agent of this release keeps conversations: declare `session: true` under an agent in twelve.yaml and release again");
    return kept.conversations;
  }

  app.get("/v1/sessions", async ({ query, caller }) => {
    const { user, after, limit } = read(Page, query);
    const { sessions, next } = await conversations().list(sessionKey(caller, "", user).user, { ...(after === undefined ? {} : { after }), ...(limit === undefined ? {} : { limit }) });
    return { object: "list", data: sessions.map(({ session, updatedAt }) => ({ id: session, object: "session", updated_at: seconds(updatedAt) })), has_more: next !== undefined, next: next ?? null };
  });
  app.get<{ Params: { id: string } }>("/v1/sessions/:id", async ({ params: { id }, query, caller }) => {
    const { turns, expiresAt } = await conversations().read(sessionKey(caller, id, read(OfUser, query).user));
    return { id, object: "session", expires_at: expiresAt === null ? null : seconds(expiresAt), turns: turns.map(shownTurn) };
  });
  app.delete<{ Params: { id: string } }>("/v1/sessions/:id", async ({ params: { id }, query, caller }) => {
    const isDeleted = await conversations().delete(sessionKey(caller, id, read(OfUser, query).user));
    if (!isDeleted) throw new TwelveError("SESSION_NOT_FOUND", `There is no session ${JSON.stringify(id)}`);
    return { id, object: "session.deleted", deleted: true };
  });
}

function read<Schema extends z.ZodObject>(schema: Schema, query: unknown): z.infer<Schema> {
  const result = schema.safeParse(query);
  if (!result.success) throw invalidRequest(result.error, Object.keys(schema.shape));
  return result.data;
}

/** As OpenAI's API gives times. */
function seconds(date: Date): number {
  return Math.floor(date.getTime() / 1000);
}

function shownTurn({ id, at, agent, outcome, messages, citations }: KeptTurn): object {
  return { id, created_at: seconds(new Date(at)), model: agent, status: outcome, messages: messages.map(shownMessage), citations };
}

/** In the form in which chat completions take and give messages. */
function shownMessage({ role, content, images, toolCalls, toolCallId }: Message): object {
  return {
    role,
    content: images === undefined ? content : [{ type: "text", text: content }, ...images.map(({ url }) => ({ type: "image_url", image_url: { url } }))],
    ...(toolCalls === undefined ? {} : { tool_calls: toolCalls.map(({ id, name, arguments: given }) => ({ id, type: "function", function: { name, arguments: given } })) }),
    ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
  };
}

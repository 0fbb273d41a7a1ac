import type { FastifyInstance } from "fastify";
import type { Server } from "./api.ts";
import { answerWith, parseBody } from "./asking.ts";
import { conversationOf, ResponseRequest, toAsked } from "./responses-request.ts";
import { responseWording } from "./response-wording.ts";
import { sessionOf } from "./session.ts";

/** `POST /v1/responses`, whole and streamed. Responses are not kept: a conversation is. */
export function addResponses(app: FastifyInstance, server: Server): void {
  app.post("/v1/responses", async (request, reply) => {
    const body = parseBody(ResponseRequest, request.body);
    const session = sessionOf(request, { session: conversationOf(body), user: body.user });
    const wording = responseWording({ server, trace: request.trace, body, conversation: session?.session });
    return answerWith(server, [request, reply], { asked: toAsked(body), session, wording });
  });
}

import type { FastifyInstance } from "fastify";
import type { Server } from "./api.ts";
import { answerWith, parseBody } from "./asking.ts";
import { chatWording } from "./completion.ts";
import { ChatRequest, toAnswerRequest } from "./request.ts";
import { sessionOf } from "./session.ts";

/** `POST /v1/chat/completions`, whole and streamed. */
export function addChat(app: FastifyInstance, server: Server): void {
  app.post("/v1/chat/completions", async (request, reply) => {
    const body = parseBody(ChatRequest, request.body);
    const wording = chatWording({ server, trace: request.trace, body });
    return answerWith(server, [request, reply], { asked: toAnswerRequest(body), session: sessionOf(request, body), wording });
  });
}

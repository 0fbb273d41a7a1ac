import type { FastifyInstance, FastifyReply } from "fastify";
import { TwelveError } from "../../core/errors.ts";
import type { Answer, AnswerPart } from "../schema.ts";
import { chunkMaker, completion, type CompletionFrame } from "./completion.ts";
import { invalidRequest, toHttpError } from "./error.ts";
import { ChatRequest, toAnswerRequest } from "./request.ts";
import type { Server } from "./api.ts";
import { sessionOf } from "./session.ts";
import { sendStream, streamHeaders } from "./stream.ts";

const fields = Object.keys(ChatRequest.shape);

/** `POST /v1/chat/completions`, whole and streamed. */
export function addChat(app: FastifyInstance, { runtime, fingerprint, clock, report }: Server): void {
  app.post("/v1/chat/completions", async (request, reply) => {
    const body = parseRequest(request.body);
    const { trace, life } = request;
    const session = sessionOf(request, { user: typeof body.user === "string" ? body.user : undefined });
    const parts = runtime.answer({ ...toAnswerRequest(body), ...(session === undefined ? {} : { session }), traceId: trace.traceId, spanId: trace.spanId, signal: life, caller: request.caller.key, onRun: (id) => void reply.header("x-run-id", id) });
    const frame: CompletionFrame = {
      id: `chatcmpl-${trace.traceId}${trace.spanId}`,
      created: Math.floor(clock.now().getTime() / 1000),
      model: body.model,
      system_fingerprint: fingerprint(),
    };
    if (body.stream !== true) return reply.send(completion(frame, await lastOf(parts)));

    const rest = parts[Symbol.asyncIterator]();
    const first = await rest.next();
    const hasUsage = body.stream_options?.include_usage === true;
    const response = openStream(reply);
    await sendStream(response, {
      first,
      rest,
      chunks: chunkMaker(frame, hasUsage),
      hasUsage,
      life,
      onFailure: (error) => {
        report(error, request);
        return toHttpError(error, trace.traceId);
      },
    });
    return reply;
  });
}

function parseRequest(body: unknown): ChatRequest {
  try {
    const result = ChatRequest.safeParse(body);
    if (result.success) return result.data;
    throw invalidRequest(result.error, fields);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new TwelveError("REQUEST_INVALID", "The request is nested too deeply");
  }
}

async function lastOf(parts: AsyncIterable<AnswerPart>): Promise<Answer> {
  let answer: Answer | undefined;
  for await (const part of parts) if (part.type === "end") ({ answer } = part);
  if (answer === undefined) throw new Error("The runtime ended an answer without its last part");
  return answer;
}

/** Takes the response out of Fastify's hands, with the headers that were set so far. */
export function openStream(reply: FastifyReply): FastifyReply["raw"] {
  const headers = reply.getHeaders();
  reply.hijack();
  reply.raw.writeHead(200, { ...headers, ...streamHeaders } as Record<string, string>);
  return reply.raw;
}

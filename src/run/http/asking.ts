import type { FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import type { CallPart } from "../../ports/model.ts";
import type { SessionKey } from "../../ports/session.ts";
import type { Answer, AnswerPart, AnswerRequest } from "../schema.ts";
import type { Server } from "./api.ts";
import { checkCalls } from "./calls.ts";
import { type HttpError, invalidRequest } from "./error.ts";
import { requireNewTurn } from "./session.ts";
import { openStream, sendStream } from "./stream.ts";

/** A request for an answer, whichever API it came by. */
export type Asked = Omit<AnswerRequest, "traceId" | "spanId" | "signal" | "session" | "caller" | "runId">;

/** How an API words one answer. A stream is made of server-sent events, written as they stand on the wire. */
export interface Wording {
  whole(answer: Answer): object;
  /** Stands before all text. */
  opening(): string;
  text(text: string): string;
  /** `closing` gives what is left of the calls. */
  call(part: CallPart): string;
  closing(answer: Answer): string;
  /** Ends a stream that cannot be finished. */
  failure(error: HttpError): string;
}

interface Asking {
  readonly asked: Asked;
  readonly session: SessionKey | undefined;
  readonly wording: Wording;
}

/** Asks the runtime and answers the request, whole or as a stream. */
export async function answerWith({ runtime, report, wordFailure }: Server, [request, reply]: readonly [FastifyRequest, FastifyReply], { asked, session, wording }: Asking): Promise<FastifyReply> {
  if (session === undefined) checkCalls(asked.messages);
  else requireNewTurn(asked.messages);
  const { trace, life, runId } = request;
  const parts = runtime.answer({ ...asked, ...(session === undefined ? {} : { session }), traceId: trace.traceId, spanId: trace.spanId, signal: life, caller: request.caller.key, runId, onRun: (id) => void reply.header("x-run-id", id) });
  if (!asked.isStream) return reply.send(wording.whole(await lastOf(parts)));

  const rest = parts[Symbol.asyncIterator]();
  // Up to the first part, a failure is an ordinary response with its own status.
  const first = await rest.next();
  await sendStream(openStream(reply), {
    first,
    rest,
    wording,
    life,
    onFailure(error) {
      report(error, request);
      return wordFailure(error, [request, reply]);
    },
  });
  return reply;
}

/** Fails with REQUEST_INVALID, one problem for each field; `further` fields are read before the schema sees the body. */
export function parseBody<Schema extends z.ZodObject>(schema: Schema, body: unknown, further: readonly string[] = []): z.infer<Schema> {
  const result = schema.safeParse(body);
  if (!result.success) throw invalidRequest(result.error, body, [...Object.keys(schema.shape), ...further]);
  return result.data;
}

async function lastOf(parts: AsyncIterable<AnswerPart>): Promise<Answer> {
  let answer: Answer | undefined;
  for await (const part of parts) if (part.type === "end") ({ answer } = part);
  if (answer === undefined) throw new Error("The runtime ended an answer without its last part");
  return answer;
}

import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { Answer, AnswerPart } from "../schema.ts";
import type { Wording } from "./asking.ts";
import type { HttpError } from "./error.ts";

interface StreamOptions {
  /** Has been awaited already. */
  readonly first: IteratorResult<AnswerPart>;
  readonly rest: AsyncIterator<AnswerPart>;
  readonly wording: Wording;
  /** `request.life`: aborted, the stream ends with its reason. */
  readonly life: AbortSignal;
  readonly onFailure: (error: unknown) => HttpError;
}

/** Server-sent events must pass through proxies as they come. */
export const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/** Takes the response out of Fastify's hands, with the headers that were set so far. */
export function openStream(reply: FastifyReply): ServerResponse {
  const headers = reply.getHeaders();
  reply.hijack();
  reply.raw.writeHead(200, { ...headers, ...streamHeaders } as Record<string, string>);
  return reply.raw;
}

/** Sends an answer as server-sent events. A failure on the way is told in one last event, since the status has been sent. */
export async function sendStream(response: ServerResponse, { first, rest, wording, life, onFailure }: StreamOptions): Promise<void> {
  let answer: Answer | undefined;
  try {
    await sendText(response, wording.opening(), life);
    for (let next = first; next.done !== true; next = await rest.next()) {
      const part = next.value;
      if (part.type === "text") await sendText(response, wording.text(part.text), life);
      else if (part.type === "call_part") await sendText(response, wording.call(part), life);
      else ({ answer } = part);
    }
    // Only now: what the runtime does with a whole answer is done.
    if (answer === undefined) throw new Error("The runtime ended an answer without its last part");
    if (!response.destroyed) response.write(wording.closing(answer));
  } catch (error) {
    const failure = onFailure(error);
    if (!response.destroyed) response.write(wording.failure(failure));
  } finally {
    response.end();
    // Cut while the client did not read, the runtime was not asked for more, and does not know of the end.
    await rest.return?.().catch(() => {});
  }
}

/**
 * Writes a piece of a stream, and waits where the client reads more slowly than the model writes. Fails with the reason of `life`
 * as soon as it is aborted, so that a client that does not read is told, too; not where the client is gone.
 */
export async function sendText(response: ServerResponse, text: string, life: AbortSignal): Promise<void> {
  if (response.destroyed || response.write(text) || response.destroyed) return;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const go = (): void => resolve();
  const cut = (): void => (response.destroyed ? resolve() : reject(life.reason));
  response.on("drain", go).on("close", go);
  life.addEventListener("abort", cut, { once: true });
  if (life.aborted) cut();
  try {
    await promise;
  } finally {
    response.off("drain", go).off("close", go);
    life.removeEventListener("abort", cut);
  }
}

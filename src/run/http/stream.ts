import type { ServerResponse } from "node:http";
import type { AnswerPart } from "../schema.ts";
import type { ChunkMaker } from "./completion.ts";
import type { HttpError } from "./error.ts";

interface StreamOptions {
  /** The first part has been awaited already: up to it, a failure is an ordinary response with its own status. */
  readonly first: IteratorResult<AnswerPart>;
  readonly rest: AsyncIterator<AnswerPart>;
  readonly chunks: ChunkMaker;
  readonly hasUsage: boolean;
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

/** Sends an answer as server-sent events. A failure on the way is told in one last event, since the status has been sent. */
export async function sendStream(response: ServerResponse, { first, rest, chunks, hasUsage, life, onFailure }: StreamOptions): Promise<void> {
  const send = (chunk: object): Promise<void> => sendText(response, `data: ${JSON.stringify(chunk)}\n\n`, life);
  let isComplete = false;
  try {
    await send(chunks.opening());
    for (let next = first; next.done !== true; next = await rest.next()) {
      const part = next.value;
      if (part.type === "text") {
        await send(chunks.text(part.text));
        continue;
      }
      await send(chunks.closing(part.answer));
      if (hasUsage) await send(chunks.usage(part.answer));
      isComplete = true;
    }
    // Only now: what the runtime does with a whole answer is done.
    if (!isComplete) throw new Error("The runtime ended an answer without its last part");
    response.write("data: [DONE]\n\n");
  } catch (error) {
    const { body } = onFailure(error);
    if (!response.destroyed) response.write(`data: ${JSON.stringify(body)}\n\n`);
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

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
  readonly onFailure: (error: unknown) => HttpError;
}

/** Server-sent events must pass through proxies as they come. */
export const streamHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-cache, no-transform",
  "x-accel-buffering": "no",
} as const;

/** Sends an answer as server-sent events. A failure on the way is told in one last event, since the status has been sent. */
export async function sendStream(response: ServerResponse, { first, rest, chunks, hasUsage, onFailure }: StreamOptions): Promise<void> {
  try {
    await send(response, chunks.opening());
    for (let next = first; next.done !== true; next = await rest.next()) {
      const part = next.value;
      if (part.type === "text") {
        await send(response, chunks.text(part.text));
        continue;
      }
      await send(response, chunks.closing(part.answer));
      if (hasUsage) await send(response, chunks.usage(part.answer));
      response.write("data: [DONE]\n\n");
    }
  } catch (error) {
    const { body } = onFailure(error);
    if (!response.destroyed) response.write(`data: ${JSON.stringify(body)}\n\n`);
  } finally {
    response.end();
  }
}

async function send(response: ServerResponse, chunk: object): Promise<void> {
  if (response.destroyed) return;
  if (response.write(`data: ${JSON.stringify(chunk)}\n\n`) || response.destroyed) return;
  // The client reads more slowly than the model writes: wait for it, or for its end.
  await new Promise<void>((resolve) => {
    const go = (): void => {
      response.off("drain", go);
      response.off("close", go);
      resolve();
    };
    response.on("drain", go);
    response.on("close", go);
  });
}

import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import type { RunEvent } from "../../ports/runs.ts";
import type { RunView } from "../agent/view-schema.ts";
import type { ErrorReply } from "./error-schema.ts";
import { openStream, sendText } from "./stream.ts";

export interface EventStream {
  /** Sends the events as they come, and at last how the run ended. An aborted signal ends it with its reason, also where the client does not read. */
  send(events: AsyncIterable<RunEvent>, run: { readonly after: number; readonly signal: AbortSignal; readonly ended: () => Promise<RunView> }): Promise<void>;
}

/** Proxies drop connections over which nothing comes. */
const heartbeatMs = 15_000;
/** Who has not read the end by then holds the connection no longer. */
const farewellMs = 1000;

/** Server-sent events with IDs: whoever was cut off goes on behind the last one, at any process. A failure is told in the stream, since the status has been sent. */
export function openEventStream(reply: FastifyReply, onFailure: (error: unknown) => ErrorReply): EventStream {
  const response = openStream(reply);
  response.flushHeaders();
  let isWriting = false;
  const write = async (text: string, life: AbortSignal): Promise<void> => {
    isWriting = true;
    // The client may read more slowly than the run tells.
    await sendText(response, text, life).finally(() => (isWriting = false));
  };
  return {
    async send(events, { after, ended, signal }) {
      const heartbeat = setInterval(() => void (isWriting || response.destroyed || response.write(": waiting\n\n")), heartbeatMs);
      let last = after;
      try {
        for await (const { position, at, data } of events) {
          const { type, ...fields } = data as { readonly type: string };
          await write(message(position, type, { type, at: at.toISOString(), ...fields }), signal);
          last = position;
        }
        const { steps: _, ...run } = await ended();
        await write(message(last + 1, "run_finished", { type: "run_finished", at: run.finished_at, run }), signal);
      } catch (error) {
        if (!response.destroyed) response.write(`event: error\ndata: ${JSON.stringify(onFailure(error))}\n\n`);
      } finally {
        clearInterval(heartbeat);
        end(response);
      }
    },
  };
}

function end(response: ServerResponse): void {
  if (response.destroyed) return;
  const timer = setTimeout(() => response.destroy(), farewellMs);
  response.once("close", () => clearTimeout(timer)).end();
}

function message(id: number, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

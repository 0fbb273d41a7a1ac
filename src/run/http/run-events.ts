import { once } from "node:events";
import type { FastifyReply } from "fastify";
import type { RunEvent } from "../../ports/runs.ts";
import type { RunView } from "../agent/view-schema.ts";
import type { ErrorReply } from "./error-schema.ts";
import { openStream } from "./stream.ts";

export interface EventStream {
  /** Sends the events as they come, and at last how the run ended. */
  send(events: AsyncIterable<RunEvent>, run: { readonly after: number; readonly ended: () => Promise<RunView> }): Promise<void>;
}

/** Proxies drop connections over which nothing comes. */
const heartbeatMs = 15_000;

/** Server-sent events with IDs: whoever was cut off goes on behind the last one, at any process. A failure is told in the stream, since the status has been sent. */
export function openEventStream(reply: FastifyReply, onFailure: (error: unknown) => ErrorReply): EventStream {
  const response = openStream(reply);
  response.flushHeaders();
  const write = async (text: string): Promise<void> => {
    if (response.destroyed || response.write(text)) return;
    // The client reads more slowly than the run tells: wait for it, or for its end.
    await Promise.race([once(response, "drain"), once(response, "close")]);
  };
  return {
    async send(events, { after, ended }) {
      const heartbeat = setInterval(() => void write(": waiting\n\n"), heartbeatMs);
      let last = after;
      try {
        for await (const { position, at, data } of events) {
          const { type, ...fields } = data as { readonly type: string };
          await write(message(position, type, { type, at: at.toISOString(), ...fields }));
          last = position;
        }
        const { steps: _, ...run } = await ended();
        await write(message(last + 1, "run_finished", { type: "run_finished", at: run.finished_at, run }));
      } catch (error) {
        if (!response.destroyed) await write(`event: error\ndata: ${JSON.stringify(onFailure(error))}\n\n`);
      } finally {
        clearInterval(heartbeat);
        response.end();
      }
    },
  };
}

function message(id: number, event: string, data: object): string {
  return `id: ${id}\nevent: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

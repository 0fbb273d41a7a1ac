import { setTimeout as sleep } from "node:timers/promises";
import type { FastifyInstance } from "fastify";
import { counted } from "../../core/counted.ts";
import type { Story } from "../../ports/story.ts";
import { stopServer } from "./listen.ts";
import type { Traffic } from "./traffic.ts";

interface Ending {
  readonly traffic: Traffic;
  readonly story: Pick<Story, "note">;
  /** How long requests are still taken after it is known that the server stops, for load balancers to hear of it. */
  readonly preStopMs: number;
  /** How long those under way may take then. */
  readonly drainMs: number;
  /** Writes an event to the log. */
  readonly write: (event: string, fields: object) => void;
}

/** From the request to stop to the end of the last answer, and of the server. */
export async function endServing(app: FastifyInstance, { traffic, story, preStopMs, drainMs, write }: Ending): Promise<void> {
  traffic.announceStop();
  const restMs = preStopMs - traffic.stoppingForMs;
  if (restMs > 0) {
    story.note(`Stopping in ${Math.ceil(restMs / 1000)} s: /readyz says so by now, and requests are still taken`);
    await sleep(restMs);
  }
  story.note(traffic.open === 0 ? "Stopping: no request is open" : `Stopping: waiting up to ${drainMs / 1000} s for ${counted(traffic.open, "open request")}. A second signal ends at once`);
  await stopServer(app, traffic, drainMs);
  write("server-stopped", { requests: traffic.taken });
  story.note("Stopped");
}

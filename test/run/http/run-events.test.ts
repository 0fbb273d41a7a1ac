import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import fastify from "fastify";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RunEvent } from "../../../src/ports/runs.ts";
import type { RunView } from "../../../src/run/agent/view-schema.ts";
import { openEventStream } from "../../../src/run/http/run-events.ts";

const large = "x".repeat(256 * 1024);

/** Events without an end, until the reader's side is stuck. */
async function* talking(): AsyncGenerator<RunEvent> {
  for (let position = 1; ; position++) yield { position, at: new Date(0), data: { type: "model_call_started", text: large } };
}

describe("the events of a run", () => {
  it("let go of a follower that does not read, when they must end, and leave nothing behind", async () => {
    const controller = new AbortController();
    const reached = Promise.withResolvers<ServerResponse>();
    const failures: unknown[] = [];
    const app = fastify();
    app.get("/", async (_request, reply) => {
      const stream = openEventStream(reply, (error) => {
        failures.push(error);
        return { error: { message: String(error), type: "", code: "", param: null } } as never;
      });
      reached.resolve(reply.raw);
      await stream.send(talking(), { after: 0, signal: controller.signal, ended: () => Promise.resolve({} as RunView) });
    });
    await app.listen({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => app.close());
    const socket = connect((app.server.address() as { readonly port: number }).port, "127.0.0.1");
    onTestFinished(() => void socket.destroy());
    socket.pause().write("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
    const response = await reached.promise;
    const before = response.listenerCount("close");
    while (!response.writableNeedDrain) await new Promise((resolve) => setImmediate(resolve));
    const closed = once(response, "close");
    controller.abort(new Error("The server is stopping"));
    await closed;
    expect(failures).toEqual([controller.signal.reason]);
    expect([response.listenerCount("drain"), response.listenerCount("close") <= before]).toEqual([0, true]);
  });
});

import { expect, it } from "vitest";
import type { RunTold } from "../../../src/run/page/calls.ts";
import { followEvents } from "../../../src/run/page/follow.ts";

const event = (id: number, type: string): string => `id: ${id}\nevent: ${type}\ndata: ${JSON.stringify({ type, at: "2026-11-25T12:00:00.000Z" })}\n\n`;
const stopping = `event: error\ndata: ${JSON.stringify({ error: { message: "The server is stopping; go on at another process with Last-Event-ID", code: "answer_cut" } })}\n\n`;
const tells = (...texts: readonly string[]): Response => new Response(texts.join(""));
/** A connection that is lost in the middle. */
const breaksOff = (text: string): Response => new Response(new ReadableStream({ start: (controller) => controller.enqueue(new TextEncoder().encode(text)), pull: (controller) => controller.error(new TypeError("network error")) }));

/** Follows a run by these answers, one after the other, and the last one for ever. */
async function follow(answers: readonly (() => Response | undefined)[], signal = new AbortController().signal) {
  const asked: (string | undefined)[] = [];
  let waits = 0;
  const events = followEvents({
    signal,
    ask: (headers) => {
      asked.push(headers["last-event-id"]);
      return Promise.resolve(answers[Math.min(asked.length, answers.length) - 1]?.());
    },
    wait: () => {
      waits++;
      return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
    },
  });
  const told: RunTold[] = [];
  let failure: unknown;
  try {
    for await (const each of events) told.push(each);
  } catch (error) {
    failure = error;
  }
  return { types: told.map(({ type }) => type), asked, waits, failure };
}

it("goes on behind the last event where the server says that it stops, and while none answers or is ready", async () => {
  const away = (): undefined => undefined;
  const starting = (): Response => new Response("{}", { status: 503 });
  expect(await follow([() => tells(event(1, "run_started"), event(2, "approval_requested"), stopping), away, starting, () => tells(event(3, "approval_decided"), event(4, "run_finished"))])).toEqual({
    types: ["run_started", "approval_requested", "approval_decided", "run_finished"], asked: [undefined, "2", "2", "2"], waits: 3, failure: undefined,
  });
});

it("goes on where the connection is cut, in the middle of an event too", async () => {
  expect(await follow([() => breaksOff(`${event(1, "run_started")}id: 2\nevent: model_call`), () => tells(event(2, "model_call_started")), () => tells(event(3, "run_finished"))])).toEqual({
    types: ["run_started", "model_call_started", "run_finished"], asked: [undefined, "1", "2"], waits: 2, failure: undefined,
  });
});

it("gives up where the server will not tell, and where none tells anything for two minutes", async () => {
  expect(await follow([() => new Response("{}", { status: 403 })])).toMatchObject({ asked: [undefined], waits: 0, failure: new Error("The run cannot be followed: status 403") });
  expect(await follow([() => tells(event(1, "run_started")), () => undefined])).toMatchObject({ types: ["run_started"], waits: 120, failure: new Error("The run is told no further") });
});

it("ends with the signal's reason while it waits", async () => {
  const controller = new AbortController();
  const reason = new Error("stopped");
  expect(await follow([() => (controller.abort(reason), undefined)], controller.signal)).toMatchObject({ waits: 1, failure: reason });
});

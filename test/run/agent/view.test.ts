import { expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import type { RunStatus } from "../../../src/ports/runs.ts";
import { summaryView } from "../../../src/run/agent/view.ts";
import { fakeAgents, fakeTool } from "./fixture.ts";

const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const failed = (failure: NonNullable<RunStatus["failure"]>): unknown =>
  summaryView({ id: "r", group: "support", about: { agent: "support", release: "sha256:0", traceId, digest: "" }, state: "failed", submitted: new Date(0), finished: new Date(1), position: 1, failure }).error;
const hidden = `Something went wrong inside the server. Its log has the details under the trace ${traceId}`;

it("tells of a run's failure what a request would be told of it", () => {
  expect(failed({ code: "SERVICE_FAILED", message: "The model hung up on sk-0123456789abcdef0" })).toEqual({ code: "service_failed", message: "The model hung up on [key]" });
  expect(failed({ code: "CONFIG_INVALID", message: "The secret OLD_KEY is missing" })).toEqual({ code: "config_invalid", message: hidden });
  expect(failed({ code: "CONFIG_DRIFTED", message: "CHAT_MODEL is another one" })).toEqual({ code: "config_drifted", message: hidden });
  expect(failed({ message: "undefined is not a function" })).toEqual({ code: "internal_error", message: hidden });
});

it("tells no more of it in the events of the run", async () => {
  const told: object[] = [];
  const agents = fakeAgents(() => { throw new TwelveError("CONFIG_INVALID", "The secret OLD_KEY is missing"); }, { tools: [fakeTool("look_up", () => "")] });
  const run = { id: "r", group: "support", step: (_name: string, _begun: object, work: (attempt: object) => Promise<unknown>) => work({ number: 1, signal: new AbortController().signal }), tell: (_key: string, data: object) => (told.push(data), Promise.resolve()) } as never;
  const input = agents.inputFor({ agent: "support", messages: [{ role: "user", content: "Hi" }], variables: {}, isStream: false, traceId });
  await expect(agents.handle(input as never, run)).rejects.toThrow("OLD_KEY");
  expect(told).toEqual([{ type: "model_call_finished", step: 1, error: { code: "config_invalid", message: hidden } }]);
});

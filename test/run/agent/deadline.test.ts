import { describe, expect, it } from "vitest";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { Json } from "../../../src/core/canonical-json.ts";
import { RunLimits } from "../../../src/manifest/schema.ts";
import type { OngoingRun } from "../../../src/ports/runs.ts";
import { openRunTime } from "../../../src/run/agent/deadline.ts";
import type { AnswerRequest } from "../../../src/run/schema.ts";
import { fakeAgents, fakeTool, replies } from "./fixture.ts";

const life = new AbortController().signal;

const request: AnswerRequest = { agent: "support", messages: [{ role: "user", content: "Hi" }], variables: {}, isStream: false, traceId: "4bf92f3577b34da6a3ce929d0e0e4736" };

/** A run that began so long ago. */
function begunAgo(agoMs: number, restedMs: number): OngoingRun {
  return {
    id: "r",
    group: "support",
    step: (name, _begun, work) => (name === "start" ? Promise.resolve(Date.now() - agoMs) : work({ number: 1, signal: life })),
    tell: () => Promise.resolve(),
    wait: () => Promise.reject(new Error("Nothing is asked")),
    postpone: () => Promise.resolve(),
    restedMs: () => Promise.resolve(restedMs),
  };
}

describe("the time of a run", () => {
  it("is not up at once where it is longer than a timer can be", async () => {
    const limit = openRunTime(systemClock, Date.now(), 3_000_000).limit(life);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(limit?.isUp()).toBe(false);
    expect(limit?.signal.aborted).toBe(false);
  });

  it("is not up by what a run was postponed for", async () => {
    const agents = fakeAgents(replies("Done."), { tools: [fakeTool("look_up", () => "")], limits: { seconds: 60 } });
    const input = agents.inputFor(request) as unknown as Json;
    expect(await agents.handle(input, begunAgo(3_600_000, 0))).toMatchObject({ limit: "seconds", output: "" });
    expect(await agents.handle(input, begunAgo(3_600_000, 3_590_000))).toMatchObject({ limit: null, output: "Done." });
  });

  it("can be as long as a timer, and no longer", () => {
    expect(RunLimits.safeParse({ seconds: 2_000_000 }).success).toBe(true);
    expect(RunLimits.safeParse({ seconds: 2_200_000 }).success).toBe(false);
  });
});

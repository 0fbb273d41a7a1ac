import { expect, it } from "vitest";
import { digestOf } from "../../../src/core/descriptor.ts";
import { TwelveError } from "../../../src/core/errors.ts";
import type { ToolAgents } from "../../../src/run/agent/open.ts";
import { newKind, startServer } from "../http/runs-fixture.ts";
import { fakeAgents, fakeTool, replies } from "./fixture.ts";

it("goes on with a run in the release that it was begun in", async () => {
  const kind = newKind();
  const ask = (): ReturnType<typeof fakeTool> => fakeTool("ask", () => "yes", { needsApproval: true });
  const first = await startServer(replies({ call: [["ask", "{}"]] }, "As of old."), { kind, tools: [ask()], release: "old" });
  await first.post("", { input: "go", id: "r" });
  await first.when("r", "waiting");
  await first.stop();
  const asked: string[] = [];
  const openOther = (release: string): Promise<ToolAgents> => {
    asked.push(release);
    return Promise.resolve(fakeAgents(replies({ call: [["ask", "{}"]] }, "As of old."), { tools: [ask()], release: "old" }));
  };
  const second = await startServer(replies("As of new."), { kind, tools: [ask()], release: "new", openOther });
  await second.post("/r/approvals", { call_id: "call_1_1", approve: true });
  expect(await second.when("r", "completed")).toMatchObject({ output: "As of old.", release: digestOf("old") });
  expect(asked).toEqual([digestOf("old")]);
});

it("gives a run back to its queue where its release cannot be opened, for whoever can open it", async () => {
  const kind = newKind();
  const ask = (): ReturnType<typeof fakeTool> => fakeTool("ask", () => "yes", { needsApproval: true });
  const script = replies({ call: [["ask", "{}"]] }, "As of old.");
  const first = await startServer(script, { kind, tools: [ask()], release: "old" });
  await first.post("", { input: "go", id: "r" });
  await first.when("r", "waiting");
  await first.stop();
  let isAway = true;
  const openOther = (): Promise<ToolAgents> => (isAway ? Promise.reject(new TwelveError("CONFIG_INVALID", "The secret OLD_KEY is missing")) : Promise.resolve(fakeAgents(script, { tools: [ask()], release: "old" })));
  const second = await startServer(replies("As of new."), { kind, tools: [ask()], release: "new", openOther });
  await second.post("/r/approvals", { call_id: "call_1_1", approve: true });
  const away = await followed(second.url, "run_postponed");
  expect(away).toMatchObject({ code: "config_invalid", attempt: 1, again_at: expect.any(String) });
  expect(JSON.stringify(away)).not.toContain("OLD_KEY");
  isAway = false;
  expect(await second.when("r", "completed")).toMatchObject({ output: "As of old.", release: digestOf("old") });
});

it("keeps a run that another version of twelve began for a process that knows it", async () => {
  const told: object[] = [];
  const warnings: string[] = [];
  const agents = fakeAgents(replies("Hello."), { tools: [fakeTool("look_up", () => "")], warn: (message) => void warnings.push(message) });
  const run = { id: "r", group: "support", postpone: (reason: object) => (told.push(reason), Promise.reject(new Error("left"))) } as never;
  await expect(agents.handle({ loop: 2 }, run)).rejects.toThrow("left");
  expect(told).toEqual([{ type: "run_postponed", code: "run_conflict" }]);
  expect(warnings).toEqual([expect.stringContaining("The run r is left to other processes and tried again later")]);
});

/** The first event of that type. */
async function followed(url: string, type: string): Promise<object> {
  const response = await fetch(`${url}/v1/agents/support/runs/r/events`);
  let text = "";
  for await (const part of response.body ?? []) {
    text += Buffer.from(part).toString();
    const found = new RegExp(`event: ${type}\ndata: (.*)\n\n`).exec(text)?.[1];
    if (found !== undefined) return JSON.parse(found) as object;
  }
  throw new Error(`There is no ${type} in ${text}`);
}

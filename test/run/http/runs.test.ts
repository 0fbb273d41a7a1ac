import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { digestOf } from "../../../src/core/descriptor.ts";
import { TwelveError } from "../../../src/core/errors.ts";
import { fakeTool, replies } from "../agent/fixture.ts";
import { saysAndHangs } from "../fixture.ts";
import { chat, newKind, startServer } from "./runs-fixture.ts";

const readEvents = async (url: string, id: string, lastEventId?: string): Promise<readonly EventSourceMessage[]> => (await followEvents(url, id, lastEventId)).events();

/** Returns when the stream has begun. */
async function followEvents(url: string, id: string, lastEventId?: string): Promise<{ readonly events: () => Promise<readonly EventSourceMessage[]> }> {
  const response = await fetch(`${url}/v1/agents/support/runs/${id}/events`, lastEventId === undefined ? {} : { headers: { "last-event-id": lastEventId } });
  expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  return {
    async events() {
      const events: EventSourceMessage[] = [];
      createParser({ onEvent: (event) => void events.push(event) }).feed(await response.text());
      return events;
    },
  };
}

async function rawAnswer(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.write(request);
  return text(socket);
}

describe("/v1/agents/{name}/runs", () => {
  it("takes a run in at once, and shows it with its steps", async () => {
    const look = fakeTool("look_up", () => "on its way");
    const server = await startServer(replies({ say: "I look.", call: [["look_up", '{"order":7}']] }, "Tomorrow."), { tools: [look] });
    const submitted = await server.post("", { input: "Where is order 7?", user: "ann" });
    expect(submitted).toMatchObject({ status: 202, body: { object: "agent.run", agent: "support", release: digestOf("release"), status: expect.stringMatching(/queued|running/), output: null } });
    const { id } = submitted.body;
    expect(submitted.headers.get("location")).toBe(`/v1/agents/support/runs/${id}`);
    const run = await server.when(id, "completed");
    expect(run).toMatchObject({ output: "Tomorrow.", limit: null, trace_id: submitted.headers.get("x-trace-id"), usage: { input_tokens: 20, output_tokens: 10, cached_input_tokens: 4 }, cost_usd: null, error: null, waiting_for: [] });
    expect(run.steps).toMatchObject([
      { type: "model_call", step: 1, status: "finished", attempts: 1, text: "I look.", finish_reason: "tool_calls", tool_calls: [{ call_id: "call_1_1", tool: "look_up", arguments: '{"order":7}' }], usage: { input_tokens: 10 } },
      { type: "tool_call", step: 1, call_id: "call_1_1", tool: "look_up", status: "finished", attempts: 1, arguments: '{"order":7}', result: "on its way", result_digest: digestOf("on its way"), is_error: false, outcome_unknown: false },
      { type: "model_call", step: 2, text: "Tomorrow.", finish_reason: "stop" },
    ]);
    expect(look.calls).toMatchObject([{ options: { user: "ann", run: id } }]);
  });

  it("gives the same run for the same ID and request, and refuses another request", async () => {
    const server = await startServer(replies("Hello."), { tools: [fakeTool("look_up", () => "")] });
    const first = await server.post("", { input: "Hi", id: "order-7" });
    expect((await server.post("", { input: [{ role: "user", content: "Hi" }], id: "order-7" })).body).toMatchObject({ id: "order-7", created_at: first.body.created_at });
    expect(await server.post("", { input: "Bye", id: "order-7" })).toMatchObject({ status: 409, body: { error: { code: "run_conflict", type: "invalid_request_error" } } });
    await server.when("order-7", "completed");
    expect(server.agents.asked).toHaveLength(1);
  });

  it("hides the runs of one API key from all others", async () => {
    const server = await startServer(replies("Hello."), { tools: [fakeTool("look_up", () => "")] });
    await server.post("", { input: "Hi", id: "one" }, "ann");
    await server.post("", { input: "Bye", id: "one" }, "bob");
    await server.post("", { input: "Hi", id: "two" }, "ann");
    await server.when("two", "completed", "ann");
    await server.when("one", "completed", "ann");
    await server.when("one", "completed", "bob");
    expect(new Set(server.agents.events.map((event) => event["twelve.key.name"]))).toEqual(new Set(["ann", "bob"]));
    expect((await server.get("", "ann")).body).toMatchObject({ object: "list", has_more: false, data: [{ id: "two" }, { id: "one" }] });
    expect((await server.get("?limit=1", "ann")).body).toMatchObject({ has_more: true, data: [{ id: "two" }] });
    expect((await server.get("?limit=1&after=two", "ann")).body).toMatchObject({ has_more: false, data: [{ id: "one" }] });
    expect((await server.get("", "bob")).body.data).toHaveLength(1);
    for (const key of ["eve", undefined]) {
      expect(await server.get("/one", key)).toMatchObject({ status: 404, body: { error: { code: "run_not_found" } } });
      expect(await server.get("/one/events", key)).toMatchObject({ status: 404 });
      expect(await server.post("/one/cancel", {}, key)).toMatchObject({ status: 404 });
      expect(await server.post("/one/approvals", { call_id: "x", approve: true }, key)).toMatchObject({ status: 404 });
    }
  });

  it("waits for approval without a worker, across a restart, and goes on with the decision", async () => {
    const kind = newKind();
    const pay = (): ReturnType<typeof fakeTool> => fakeTool("pay", (given) => `paid ${JSON.stringify(given)}`, { needsApproval: true, isIdempotent: false });
    const script = replies({ call: [["pay", '{"eur":5}'], ["pay", '{"eur":900}']] }, "Done.");
    const first = await startServer(script, { kind, tools: [pay()] });
    await first.post("", { input: "Pay", id: "r" });
    const waiting = await first.when("r", "waiting");
    expect(waiting).toMatchObject({ finished_at: null, usage: { input_tokens: 10, output_tokens: 5 }, waiting_for: [{ call_id: "call_1_1", tool: "pay", arguments: '{"eur":5}' }, { call_id: "call_1_2", tool: "pay", arguments: '{"eur":900}' }] });
    // The second request of a connection is answered when the first one's answer is through.
    const both = await rawAnswer(first.url, "HEAD /v1/agents/support/runs/r/events HTTP/1.1\r\nhost: localhost\r\n\r\nGET /livez HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    expect(both).toMatch(/^HTTP\/1\.1 200 .*content-type: text\/event-stream.*HTTP\/1\.1 200 .*"status":"ok"/s);
    await first.stop();

    const tool = pay();
    const second = await startServer(script, { kind, tools: [tool] });
    expect(await second.post("/r/approvals", { call_id: "call_9", approve: true })).toMatchObject({ status: 409, body: { error: { code: "run_conflict" } } });
    expect(await second.post("/r/approvals", { call_id: "call_1_1", approve: true }, undefined)).toMatchObject({ status: 200, body: { status: "waiting", waiting_for: [{ call_id: "call_1_2" }] } });
    await second.post("/r/approvals", { call_id: "call_1_2", approve: false, reason: "Too much" });
    const run = await second.when("r", "completed");
    expect(run.steps.slice(1, 3)).toMatchObject([
      { call_id: "call_1_1", approval: { approved: true, reason: null, by: null }, result: 'paid {"eur":5}', attempts: 1 },
      { call_id: "call_1_2", approval: { approved: false, reason: "Too much" }, result: "A person refused this call: Too much", is_error: true },
    ]);
    expect(tool.calls.map(({ given }) => given)).toEqual([{ eur: 5 }]);
    expect(second.agents.asked).toHaveLength(1);
    // What was decided stays decided.
    expect(await second.post("/r/approvals", { call_id: "call_1_2", approve: true })).toMatchObject({ status: 409, body: { error: { message: "The call call_1_2 was refused already" } } });
  });

  it("cancels what runs, and what waits", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const hang = fakeTool("hang", (_, { signal }) => new Promise((_resolve, reject) => {
      begun.resolve();
      signal.addEventListener("abort", () => {
        ended.resolve();
        reject(signal.reason as Error);
      });
    }));
    const server = await startServer(replies({ call: [["hang", "{}"]] }), { tools: [hang] });
    await server.post("", { input: "Hang", id: "running" });
    await begun.promise;
    expect((await server.post("/running/cancel", {})).body).toMatchObject({ status: "cancelled", finished_at: expect.any(String) });
    await ended.promise;
    expect((await server.get("/running")).body).toMatchObject({ steps: [{ status: "finished" }, { type: "tool_call", status: "finished", finished_at: expect.any(String), is_error: true, outcome_unknown: true }] });
    const asking = await startServer(replies({ call: [["pay", "{}"]] }), { tools: [fakeTool("pay", () => "", { needsApproval: true })] });
    await asking.post("", { input: "Pay", id: "waiting" });
    await asking.when("waiting", "waiting");
    expect((await asking.post("/waiting/cancel", {})).body).toMatchObject({ status: "cancelled", waiting_for: [] });
    expect(await asking.post("/waiting/approvals", { call_id: "call_1_1", approve: true })).toMatchObject({ status: 409, body: { error: { message: 'The run "waiting" is over' } } });
  });

  it("says why a run failed or is incomplete, and nothing about insides", async () => {
    const failing = await startServer(({ question }) => { throw question === "bug" ? new TypeError("secret insides") : new TwelveError("SERVICE_REJECTED", "Too long"); }, { tools: [fakeTool("look_up", () => "")] });
    await failing.post("", { input: "long", id: "failed" });
    await failing.post("", { input: "bug", id: "bug" });
    expect(await failing.when("failed", "failed")).toMatchObject({ error: { code: "service_rejected", message: "Too long" }, steps: [{ status: "failed", error: { code: "service_rejected" } }] });
    const bug = await failing.when("bug", "failed");
    expect(bug.error).toEqual({ code: "internal_error", message: expect.stringContaining(bug.trace_id) });
    expect(JSON.stringify(bug)).not.toContain("secret");
    const limited = await startServer(replies({ say: "one", call: [["look_up", "{}"]] }, { say: "two", call: [["look_up", "{}"]] }), { tools: [fakeTool("look_up", () => "")], limits: { steps: 2 } });
    await limited.post("", { input: "go", id: "limited" });
    expect(await limited.when("limited", "incomplete")).toMatchObject({ limit: "steps", output: "two", error: null });
  });

  it("tells events as they come, and goes on behind Last-Event-ID at another process", async () => {
    const kind = newKind();
    const gate = Promise.withResolvers<void>();
    const slow = fakeTool("look_up", () => gate.promise.then(() => ({ content: "found", isError: false })));
    const working = await startServer(replies({ call: [["look_up", "{}"]] }, "Done."), { kind, tools: [slow] });
    const other = await startServer(replies(), { kind, tools: [slow], works: false });
    await working.post("", { input: "go", id: "r" });
    const all = readEvents(working.url, "r");
    await vi.waitFor(() => expect(slow.calls).toHaveLength(1), { timeout: 20_000 });
    const resumed = readEvents(other.url, "r", "3");
    gate.resolve();
    const events = await all;
    expect(events.map(({ id, event }) => [id, event])).toEqual(["run_started", "model_call_started", "model_call_finished", "tool_call_started", "tool_call_finished", "model_call_started", "model_call_finished", "run_finished"].map((name, index) => [String(index + 1), name]));
    expect(JSON.parse(events.at(-1)?.data ?? "")).toMatchObject({ type: "run_finished", run: { status: "completed", output: "Done." } });
    expect(await resumed).toEqual(events.slice(3));
    expect(await readEvents(other.url, "r", "7")).toEqual(events.slice(7));
    expect((await fetch(`${other.url}/v1/agents/support/runs/r/events`, { headers: { "last-event-id": "8" } })).status).toBe(204);
    expect(await Promise.all(["abc", "9", "400"].map((id) => other.get("/r/events", undefined, { "last-event-id": id })))).toMatchObject([{ status: 400 }, { status: 400 }, { status: 400 }]);
  });

  it("lets go of followers when it stops, and they go on elsewhere", async () => {
    const kind = newKind();
    const tools = [fakeTool("pay", () => "", { needsApproval: true })];
    const [working, other] = [await startServer(replies({ call: [["pay", "{}"]] }, "Paid."), { kind, tools }), await startServer(replies(), { kind, tools, works: false })];
    await working.post("", { input: "go", id: "r" });
    await other.when("r", "waiting");
    const following = await followEvents(other.url, "r");
    await other.traffic.drain(30_000);
    const events = await following.events();
    expect(events.at(-1)).toMatchObject({ event: "error", data: expect.stringContaining("answer_cut") });
    const last = events.at(-2)?.id ?? "";
    await working.post("/r/approvals", { call_id: "call_1_1", approve: true });
    expect((await readEvents(working.url, "r", last)).map(({ event }) => event)).toEqual(["approval_decided", "tool_call_started", "tool_call_finished", "model_call_started", "model_call_finished", "run_finished"]);
  });

  it("refuses what it cannot understand, and agents without tools", async () => {
    const server = await startServer(replies(), { tools: [fakeTool("look_up", () => "")] });
    expect(await server.post("", { inputs: "x" })).toMatchObject({ status: 400, body: { error: { code: "invalid_request", param: expect.any(String) } } });
    expect(await server.post("", { input: "x", id: "a/b" })).toMatchObject({ status: 400, body: { error: { param: "id" } } });
    expect(await server.post("", { id: "r", input: [{ role: "user", content: "x" }, { role: "assistant", content: "y" }] })).toMatchObject({ status: 400, body: { error: { code: "invalid_request", message: expect.stringContaining("The last message has the role assistant") } } });
    expect(await server.get("/r")).toMatchObject({ status: 404 });
    const at = async (path: string): Promise<number> => (await fetch(`${server.url}${path}`)).status;
    expect([await at("/v1/agents/plain/runs"), await at("/v1/agents/nobody/runs"), await at("/v1/agents/support/runs?limit=0")]).toEqual([400, 404, 400]);
  });
});

describe("/v1/chat/completions of an agent with tools", () => {
  it("answers by a run of this process, streams as the model speaks, and names the run", async () => {
    const server = await startServer(replies({ say: "I look.", call: [["look_up", "{}"]] }, "Tomorrow."), { tools: [fakeTool("look_up", () => "on its way")] });
    const whole = await chat(server.url, false);
    expect(await whole.json()).toMatchObject({ choices: [{ message: { content: "I look.\n\nTomorrow." }, finish_reason: "stop" }], usage: { prompt_tokens: 20, completion_tokens: 10 } });
    expect((await server.get(`/${whole.headers.get("x-run-id")}`)).body).toMatchObject({ status: "completed", output: "Tomorrow." });
    const streamed = await chat(server.url, true);
    const text = await streamed.text();
    expect([...text.matchAll(/"content":"((?:[^"\\]|\\.)*)"/g)].map(([, said]) => said).join("")).toBe(String.raw`I look.\n\nTomorrow.`);
    expect((await server.get(`/${streamed.headers.get("x-run-id")}`)).body).toMatchObject({ status: "completed" });
  });

  it("cancels the run of a client that goes away", async () => {
    const server = await startServer((request) => saysAndHangs("Let me", request), { tools: [fakeTool("look_up", () => "")] });
    const client = new AbortController();
    const response = await chat(server.url, true, client.signal);
    const id = response.headers.get("x-run-id") ?? "";
    expect((await server.get(`/${id}`)).body).toMatchObject({ status: "running" });
    client.abort();
    await response.text().catch(() => {});
    await server.when(id, "cancelled");
    await vi.waitFor(() => expect(server.agents.events).toMatchObject([{ "twelve.aborted": true, "twelve.run.id": id, "gen_ai.usage.output_tokens": expect.any(Number) }]));
  });

  it("says that it waits for a person, and leaves the run to go on", async () => {
    const server = await startServer(replies({ call: [["pay", "{}"]] }, "Paid."), { tools: [fakeTool("pay", () => "ok", { needsApproval: true })] });
    const response = await chat(server.url, false);
    const id = response.headers.get("x-run-id") ?? "";
    expect([response.status, await response.json()]).toMatchObject([409, { error: { code: "approval_needed", message: expect.stringContaining(id) } }]);
    await server.post(`/${id}/approvals`, { call_id: "call_1_1", approve: true });
    expect(await server.when(id, "completed")).toMatchObject({ output: "Paid." });
  });

  it("says when to ask again where a worker's run failed, as it would of its own", async () => {
    const kind = newKind();
    const tools = [fakeTool("look_up", () => "")];
    await startServer(() => { throw new TwelveError("SERVICE_LIMITED", "Too many", { retry: { afterMs: 3_600_000 } }); }, { kind, tools });
    const server = await startServer(replies(), { kind, tools, works: false });
    const response = await chat(server.url, false);
    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "3600"]);
  });

  it("answers by a worker's run where only workers work", async () => {
    const kind = newKind();
    const tools = [fakeTool("look_up", () => "on its way")];
    const web = await startServer(replies(), { kind, tools, works: false });
    const worker = await startServer(replies({ say: "I look.", call: [["look_up", "{}"]] }, "Tomorrow."), { kind, tools });
    const response = await chat(web.url, false);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: "I look.\n\nTomorrow." } }], usage: { prompt_tokens: 20 } });
    expect([web.agents.asked.length, worker.agents.asked.length]).toEqual([0, 2]);
  });
});

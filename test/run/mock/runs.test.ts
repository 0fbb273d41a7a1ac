import { describe, expect, it, vi } from "vitest";
import { RunView } from "../../../src/run/agent/view-schema.ts";
import { startMock } from "./fixture.ts";

const script = `
tools:
  look_up: { result: { order: 7, paid: true } }
  refund: { result: Refunded., approve: true, idempotent: false }
  broken: { result: no such order, isError: true }
replies:
  - when: { contains: refund }
    sequence:
      - callTools: [{ name: look_up, arguments: { order: 7 } }]
      - say: Let me refund it.
        callTools: [{ name: refund, arguments: { order: 7 } }]
      - say: It was refunded.
  - when: { contains: broken, tool: broken, result: no such order }
    say: There is no such order.
  - when: { contains: broken }
    callTools: [{ name: broken }]
  - when: { contains: down }
    fail: { status: 503 }
  - when: { contains: teapot }
    fail: { status: 418, errorCode: teapot, message: Short and stout, retryAfterMs: 20 }
  - when: { contains: reset }
    fail: { reset: true }
  - when: { contains: half }
    say: One two three four.
    fail: { reset: true, afterChunks: 2 }
  - when: { contains: cited }
    sequence:
      - callTools: [{ name: look_up }]
      - say: See [1].
        passages: [{ document: docs/ports.md, text: The port is 3000. }]
  - when: { contains: slow }
    say: Never.
    latencyMs: 60000
  - say: Hello.
`;

type Mock = Awaited<ReturnType<typeof startMock>>;
const runs = "/v1/agents/support/runs";
const start = (input: object = {}) => startMock(script, { agents: "support", ...input });
const submit = async ({ ask }: Mock, input: string, more: object = {}) => RunView.parse(await (await ask(runs, { input, ...more })).json());
const when = ({ ask }: Mock, id: string, status: string) =>
  vi.waitFor(async () => {
    const view = RunView.parse(await (await ask(`${runs}/${id}`)).json());
    expect(view.status).toBe(status);
    return view;
  });

describe("the runs of a mock", () => {
  it("call the scripted tools, wait for approval, and go on to the end", async () => {
    const mock = await start();
    const { id } = await submit(mock, "Please refund order 7");
    expect(id).toBe("run_000000000000000000000001");
    const waiting = await when(mock, id, "waiting");
    expect(waiting).toMatchObject({ waiting_for: [{ call_id: "call_2_1", tool: "refund", arguments: '{"order":7}' }], steps: [{ type: "model_call" }, { type: "tool_call", result: '{"order":7,"paid":true}' }, { type: "model_call" }, { type: "tool_call", status: "waiting" }] });
    expect((await mock.ask(`${runs}/${id}/approvals`, { call_id: "call_2_1", approve: true })).status).toBe(200);
    expect(await when(mock, id, "completed")).toMatchObject({ output: "It was refunded.", created_at: "2026-01-01T00:00:00.000Z", steps: [{}, {}, {}, { result: "Refunded.", approval: { approved: true } }, {}] });
  });

  it("tell their events as they come, and the same ones from any place on", async () => {
    const mock = await start();
    const { id } = await submit(mock, "broken");
    await when(mock, id, "completed");
    const told = async (headers: Readonly<Record<string, string>> = {}) => (await (await fetch(`${mock.url}${runs}/${id}/events`, { headers })).text()).split("\n").flatMap((line) => (line.startsWith("event: ") ? [line.slice(7)] : []));
    const all = await told();
    expect(all).toEqual(["run_started", "model_call_started", "model_call_finished", "tool_call_started", "tool_call_finished", "model_call_started", "model_call_finished", "run_finished"]);
    expect(await told({ "last-event-id": "5" })).toEqual(all.slice(5));
  });

  it("are the same whichever process is asked", async () => {
    const views = await Promise.all([start(), start()].map(async (starting) => {
      const mock = await starting;
      const { id } = await submit(mock, "broken");
      return when(mock, id, "completed");
    }));
    expect(views[0]).toEqual(views[1]);
    expect(views[0]).toMatchObject({ output: "There is no such order.", steps: [{ latency_ms: 0 }, { is_error: true, latency_ms: 0 }, {}] });
  });

  it("fail as the script says, are cancelled, and are listed", async () => {
    const mock = await start();
    const [failed, slow] = [await submit(mock, "down"), await submit(mock, "slow")];
    expect(await when(mock, failed.id, "failed")).toMatchObject({ error: { code: "service_unavailable" } });
    expect(await (await mock.ask(`${runs}/${slow.id}/cancel`, {})).json()).toMatchObject({ status: "cancelled" });
    expect(await (await mock.ask(runs)).json()).toMatchObject({ data: [{ id: slow.id }, { id: failed.id }] });
    expect((await mock.ask(runs, { input: "other", id: slow.id })).status).toBe(409);
    expect((await mock.ask("/v1/agents/sales/runs", { input: "x" })).status).toBe(404);
  });

  it("answer a chat, which may call the tools of the caller instead", async () => {
    const { client } = await start();
    const ask = { model: "support", messages: [{ role: "user" as const, content: "broken" }] };
    expect((await client.chat.completions.create(ask)).choices[0]?.message).toMatchObject({ content: "There is no such order." });
    const offered = await client.chat.completions.create({ ...ask, tools: [{ type: "function", function: { name: "broken" } }] });
    expect(offered.choices[0]?.message.tool_calls).toMatchObject([{ function: { name: "broken" } }]);
    await expect(client.chat.completions.create({ model: "support", messages: [{ role: "user", content: "Please refund order 7" }] })).rejects.toMatchObject({ status: 409, code: "approval_needed" });
  });

  it("fail in a chat with the status, the code, the words and the wait that are written down", async () => {
    const { ask } = await start();
    const chat = (content: string, more: object = {}) => ask("/v1/chat/completions", { model: "support", messages: [{ role: "user", content }], ...more });
    const teapot = await chat("teapot");
    expect([teapot.status, teapot.headers.get("retry-after-ms")]).toEqual([418, "20"]);
    expect(await teapot.json()).toMatchObject({ error: { code: "teapot", message: "Short and stout" } });
    await expect(chat("reset")).rejects.toThrow("fetch failed");
    await expect((await chat("half", { stream: true })).text()).rejects.toThrow("terminated");
  });

  it("cite the passages of the reply that brings some, whatever was called before", async () => {
    const { ask } = await start();
    const answer = await (await ask("/v1/chat/completions", { model: "support", messages: [{ role: "user", content: "cited" }] })).json();
    expect(answer).toMatchObject({ choices: [{ message: { content: "See [1].", citations: [{ document: "docs/ports.md" }] } }] });
  });

  it("are forgotten where that is asked for, and the next ones are numbered from the first again", async () => {
    const mock = await start();
    const ids = async (): Promise<readonly string[]> => [(await submit(mock, "slow")).id, (await when(mock, (await submit(mock, "broken")).id, "completed")).id];
    const first = await ids();
    const waiting = mock.client.chat.completions.create({ model: "support", messages: [{ role: "user", content: "slow" }] });
    await vi.waitFor(async () => expect(await (await mock.ask(runs)).json()).toMatchObject({ data: { length: 3 } }));
    await fetch(`${mock.url}/mock/requests`, { method: "DELETE" });
    await expect(waiting).rejects.toMatchObject({ status: 409, code: "run_cancelled" });
    expect(await (await mock.ask(runs)).json()).toMatchObject({ data: [] });
    expect(await ids()).toEqual(first);
  });

  it("are none where the script has no tools", async () => {
    const { ask } = await startMock();
    expect((await ask("/v1/agents/sales/runs", { input: "x" })).status).toBe(404);
    const refused = await ask("/v1/agents/mock/runs", { input: "x" });
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { message: "The agent mock has no runs here: this is a mock that plays no tools. `twelve mock --answers <file>` plays those under `tools:` in the file" } });
  });
});

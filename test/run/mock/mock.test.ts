import { describe, expect, it, vi } from "vitest";
import { startedAt, startMock } from "./fixture.ts";

const hello = { model: "support", messages: [{ role: "user" as const, content: "Hello" }] };
const asking = (content: string) => ({ model: "support", messages: [{ role: "user" as const, content }] });

describe("a mock server", () => {
  it("says in its first line where it is and what it answers by, and in its last how much it was asked", async () => {
    const { ready, ask, stop } = await startMock(undefined, { agents: "support, sales" });
    expect(ready).toMatchObject({ event: "server-ready", "twelve.mock": true, url: expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/), agents: ["support", "sales"], answers: "the 11 replies of answers.yaml" });
    await ask("/v1/models");
    expect(await stop()).toBe(1);
  });

  it.each([
    ["/v1/chat/completions", hello],
    ["/v1/chat/completions", { ...hello, stream: true, stream_options: { include_usage: true } }],
    ["/v1/chat/completions", asking("nothing fits this")],
    ["/v1/responses", { model: "support", input: "Hello" }],
    ["/v1/responses", { model: "support", input: "Hello", stream: true }],
    ["/v1/embeddings", { model: "any", input: ["Hello", "you"], dimensions: 16 }],
    ["/v1/search", { index: "any", query: "Which port?" }],
    ["/v1/models", undefined],
  ])("gives equal bytes for equal requests at %s, whichever process is asked", async (path, body) => {
    const [one, other] = await Promise.all([startMock(), startMock()]);
    const texts = [await (await one.ask(path, body)).text(), await (await one.ask(path, body)).text(), await (await other.ask(path, body)).text()];
    expect(texts[0]?.length).toBeGreaterThan(50);
    expect(new Set(texts).size).toBe(1);
  });

  it("gives different requests different IDs", async () => {
    const { client } = await startMock();
    const [one, other] = [await client.chat.completions.create(hello), await client.chat.completions.create({ ...hello, seed: 1 })];
    expect(one.id).not.toBe(other.id);
  });

  it("makes its answers always at the same moment, or now where that is asked for", async () => {
    const created = async (input: object): Promise<number> => (await (await startMock(undefined, input)).client.chat.completions.create(hello)).created;
    expect([await created({}), await created({ realTime: true })]).toEqual([Date.UTC(2026, 0, 1) / 1000, startedAt.getTime() / 1000]);
  });

  it("fits a question that a recording has without its personal data", async () => {
    const { client } = await startMock('replies: [{ when: { equals: "Mail to [email]" }, say: Sent }]');
    expect((await client.chat.completions.create(asking("Mail to ann@example.org"))).choices[0]?.message.content).toBe("Sent");
  });

  it("goes by the name of a mock", async () => {
    const { ask } = await startMock();
    const answer = await ask("/v1/chat/completions", hello);
    expect(answer.headers.get("x-twelve-mock")).toBe("true");
    expect(await answer.json()).toMatchObject({ system_fingerprint: "twelve-mock", model: "support", usage: { prompt_tokens: 900, total_tokens: 903 }, choices: [{ message: { content: "Hello!" } }] });
    expect(await (await ask("/readyz")).json()).toEqual({ status: "ok", checks: { mock: { status: "ok", detail: "no model is asked: the answers are the 11 replies of answers.yaml" } } });
  });

  it("answers every name, or those alone that it is given", async () => {
    expect((await (await startMock()).client.chat.completions.create({ ...hello, model: "gpt-4o" })).model).toBe("gpt-4o");
    const { client } = await startMock(undefined, { agents: "support" });
    await expect(client.chat.completions.create({ ...hello, model: "suport" })).rejects.toMatchObject({ status: 404, message: expect.stringContaining('Did you mean "support"?') });
  });

  it("repeats the last user message where it is given no answers, and says so", async () => {
    const { ready, client } = await startMock(undefined, { answers: undefined });
    expect(ready).toMatchObject({ agents: ["mock"], answers: "the last user message, since no --answers are given" });
    expect((await client.chat.completions.create(hello)).choices[0]?.message.content).toBe("Hello");
  });

  it("refuses what no reply fits, with the nearest replies", async () => {
    const { client } = await startMock();
    await expect(client.chat.completions.create(asking("Hello there"))).rejects.toMatchObject({ status: 400, message: expect.stringContaining('replies[9]: it wants equals: "Hello"') });
  });

  it("fails with the status, the code, the words and the wait that are written down", async () => {
    const { client, ask } = await startMock();
    const limited = await ask("/v1/chat/completions", asking("limited"));
    expect([limited.status, limited.headers.get("retry-after"), limited.headers.get("retry-after-ms")]).toEqual([429, "1", "20"]);
    expect(await limited.json()).toMatchObject({ error: { code: "rate_limit_exceeded", message: "Too fast", type: "requests" } });
    await expect(client.chat.completions.create(asking("broken"))).rejects.toMatchObject({ status: 501, type: "server_error", message: expect.stringContaining("Not here") });
  });

  const tools = [{ type: "function" as const, function: { name: "look_up", parameters: { type: "object" } } }];

  it("streams calls in pieces, and gives one alone where no more are wanted", async () => {
    const { client } = await startMock();
    const deltas = async (change: object) => (await Array.fromAsync(await client.chat.completions.create({ ...asking("two orders"), tools, stream: true, ...change }))).flatMap(({ choices: [choice] }) => choice?.delta.tool_calls ?? []);
    const named = (index: number) => ({ index, id: `call_1_${index + 1}`, type: "function", function: { name: "look_up", arguments: "" } });
    const piece = (index: number, given: string) => ({ index, function: { arguments: given } });
    const first = [named(0), piece(0, '{"order":7,"'), piece(0, 'of":"Ann"}')];
    expect(await deltas({})).toEqual([...first, named(1), piece(1, '{"order"'), piece(1, ": 8}")]);
    expect(await deltas({ parallel_tool_calls: false })).toEqual(first);
    const whole = await client.chat.completions.create({ ...asking("two orders"), tools });
    expect(whole.choices[0]?.message.tool_calls).toMatchObject([{ function: { arguments: '{"order":7,"of":"Ann"}' } }, { function: { arguments: '{"order": 8}' } }]);
  });

  it("breaks off in the middle of a call", async () => {
    const { client, ask } = await startMock();
    let given = "";
    const reading = (async () => {
      for await (const { choices } of await client.chat.completions.create({ ...asking("half a call"), tools, stream: true })) given += (choices[0]?.delta.tool_calls ?? []).map((call) => call.function?.arguments).join("");
    })();
    await expect(reading).rejects.toThrow("Overloaded");
    expect(given).toBe('{"or');
    const response = await ask("/v1/responses", { model: "support", input: "half a call", tools: [{ type: "function", name: "look_up" }], stream: true });
    expect((await response.text()).split("\n").flatMap((line) => (line.startsWith("event: ") ? [line.slice(7)] : [])).slice(-4)).toEqual(["response.output_item.added", "response.function_call_arguments.delta", "error", "response.failed"]);
    expect((await ask("/v1/chat/completions", { ...asking("half a call"), tools })).status).toBe(529);
  });

  it("keeps a session for as long as it lives, apart for each user", async () => {
    const { ask } = await startMock();
    const turn = async (content: string, user: string): Promise<unknown> => (await ask("/v1/chat/completions", { ...asking(content), session: "s", user })).json();
    await turn("Hello", "ann");
    expect(await turn("Again?", "ann")).toMatchObject({ choices: [{ message: { content: "As I said." } }] });
    expect(await turn("Again?", "bob")).toMatchObject({ error: { code: "service_rejected" } });
  });

  it("answers a request with an Idempotency-Key once", async () => {
    const { ask } = await startMock("replies: [{ when: { call: 1 }, say: First }, { say: Later }]");
    const keyed = async (key: string): Promise<string> => (await ask("/v1/chat/completions", hello, { "idempotency-key": key })).text();
    const first = await keyed('"one"');
    expect([first.includes("First"), (await keyed('"one"')) === first, (await keyed('"two"')).includes("Later")]).toEqual([true, true, true]);
  });

  it("searches its passages, by their words and by their metadata", async () => {
    const { ask } = await startMock();
    expect(await (await ask("/v1/search", { index: "docs", query: "Which port?", topK: 1 })).json()).toMatchObject({ index: { name: "docs", chunks: 2 }, hits: [{ number: 1, document: "docs/ports.md" }] });
    expect(await (await ask("/v1/search", { index: "docs", query: "Which port?", filter: { kind: "faq" } })).json()).toMatchObject({ hits: [] });
  });
});

describe("the requests that a mock was sent", () => {
  it("are listed in order, without keys", async () => {
    const { ask, requests } = await startMock();
    const bearer = { authorization: "Bearer sk-1234567890abcdefghij", "x-session-id": "s1" };
    await ask("/v1/chat/completions", hello, bearer);
    await ask("/v1/responses", { model: "support", input: "My key is sk-1234567890abcdefghij", metadata: { api_key: "hunter2" } });
    await ask("/readyz");
    expect(await requests()).toMatchObject([
      { number: 1, method: "POST", path: "/v1/chat/completions", body: hello, headers: { authorization: "[key]", "x-session-id": "s1" }, status: 200, isComplete: true },
      { number: 2, path: "/v1/responses", body: { input: "My key is [key]", metadata: { api_key: "[key]" } }, status: 400 },
    ]);
  });

  it("and what replies have counted are forgotten where that is asked for", async () => {
    const { url, ask, requests } = await startMock();
    const statuses = async (): Promise<readonly number[]> => [(await ask("/v1/chat/completions", asking("limited"))).status, (await ask("/v1/chat/completions", asking("limited"))).status];
    expect(await statuses()).toEqual([429, 200]);
    expect((await fetch(`${url}/mock/requests`, { method: "DELETE" })).status).toBe(204);
    expect(await requests()).toEqual([]);
    expect(await statuses()).toEqual([429, 200]);
  });
  it("lists no status for a connection that it reset before an answer began", async () => {
    const { ask, requests } = await startMock("replies:\n  - fail: { reset: true }\n");
    await expect(ask("/v1/chat/completions", hello)).rejects.toThrow("fetch failed");
    await vi.waitFor(async () => expect(await requests()).toMatchObject([{ status: null, isComplete: false }]));
  });

});

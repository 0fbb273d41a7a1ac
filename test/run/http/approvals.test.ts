import OpenAI from "openai";
import { describe, expect, it } from "vitest";
import { type ApiKey, hashOfKey } from "../../../src/config/api-key.ts";
import type { ModelRequest } from "../../../src/ports/model.ts";
import { openKeyRing } from "../../../src/run/http/key.ts";
import { fakeTool, replies } from "../agent/fixture.ts";
import { says, wants } from "../fixture.ts";
import { chat, newKind, startServer } from "./runs-fixture.ts";

const keyOf = (name: string): string => `tw_${name.padEnd(43, "x")}`;
const record = (name: string, scopes?: ApiKey["scopes"]): ApiKey => ({ name, sha256: hashOfKey(keyOf(name)).toString("hex"), ...(scopes && { scopes }) });
const paying = () => ({ tools: [fakeTool("pay", () => "ok", { needsApproval: true })] });
const pays = () => replies({ call: [["pay", "{}"]] }, "Paid.");
const speaksAndPays = () => replies({ say: "I pay.", call: [["pay", "{}"]] }, "Paid.");
const ask = { model: "support", messages: [{ role: "user" as const, content: "Pay order 7 back" }] };
const runs = "/v1/agents/support/runs";

/** With the keys `asker` and `other`, which may only ask, `person`, who may only decide, and `all`. */
async function guarded() {
  const keys = openKeyRing([record("asker", ["chat", "runs"]), record("other", ["chat", "runs"]), record("person", ["approvals"]), record("all")], { instances: 1, nowMs: () => 0 });
  const server = await startServer(pays(), { ...paying(), keys });
  const send = async (name: string, path: string, body?: object) => {
    const headers = { "x-api-key": keyOf(name), ...(body && { "content-type": "application/json" }) };
    const response = await fetch(`${server.url}${runs}${path}`, { headers, ...(body && { method: "POST", body: JSON.stringify(body) }) });
    return { status: response.status, text: await response.text() };
  };
  const until = async (name: string, path: string, status: string): Promise<object> => {
    for (;;) {
      const { text } = await send(name, path);
      const run = JSON.parse(text) as { readonly status: string };
      if (run.status === status) return run;
    }
  };
  return { url: server.url, send, until, agents: server.agents };
}

describe("runs that wait for approval", () => {
  it("are found by whoever decides, of all keys and by their status, page by page", async () => {
    const { send, until, agents } = await guarded();
    for (const [name, id] of [["asker", "r-1"], ["other", "r-1"], ["all", "r-2"]] as const) {
      await send(name, "", { id, input: "Pay order 7 back" });
      await until(name, `/${id}`, "waiting");
    }
    const found = async (name: string, query: string) => {
      const { data, has_more: hasMore } = JSON.parse((await send(name, query)).text) as { readonly data: readonly { readonly id: string; readonly key: string }[]; readonly has_more: boolean };
      return [...data.map(({ id, key }) => `${id} of ${key}`), hasMore];
    };
    expect(await found("person", "?key=*&status=waiting")).toEqual(["r-2 of all", "r-1 of other", "r-1 of asker", false]);
    expect(await found("person", "?key=*&limit=1&after=r-2&after_key=all")).toEqual(["r-1 of other", true]);
    expect(await found("person", "?key=*&limit=1&after=r-1&after_key=other")).toEqual(["r-1 of asker", false]);
    const told = agents.waitingEvents.map((event) => [event["twelve.run.id"], event["twelve.key.name"], event["gen_ai.tool.name"], event["gen_ai.tool.call.id"]]);
    await send("person", "/r-1/approvals?key=asker", { call_id: "call_1_1", approve: true });
    await until("asker", "/r-1", "completed");
    expect(await found("person", "?key=*&status=completed")).toEqual(["r-1 of asker", false]);
    expect(await found("person", "?key=*&status=incomplete")).toEqual([false]);
    // Once for each, though the run came to the question again.
    expect(told).toEqual([["r-1", "asker", "pay", "call_1_1"], ["r-1", "other", "pay", "call_1_1"], ["r-2", "all", "pay", "call_1_1"]]);
    expect(agents.waitingEvents).toHaveLength(3);
    expect(await found("asker", "?status=waiting")).toEqual([false]);
    expect(await found("person", "?key=other&status=waiting")).toEqual(["r-1 of other", false]);
    expect(await send("asker", "?key=*")).toMatchObject({ status: 403, text: expect.stringContaining("approvals") });
    expect(await send("person", "?status=asleep")).toMatchObject({ status: 400, text: expect.stringContaining("status") });
  });
});

describe("a request for an answer that needs approval", () => {
  it("makes one run, though the official client asks again by itself", async () => {
    const server = await startServer(pays(), paying());
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: "none" });
    const error = await client.chat.completions.create(ask).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ status: 409, code: "approval_needed" });
    expect((await server.get("")).body.data).toHaveLength(1);
  });

  it("says where to look, where to decide and where the answer will be", async () => {
    const server = await startServer(pays(), paying());
    const response = await chat(server.url, false);
    const path = `${runs}/${response.headers.get("x-run-id")}`;
    expect(await response.json()).toMatchObject({ error: { message: expect.stringMatching(new RegExp(`GET ${path} .*POST ${path}/approvals .*then at ${path}$`)) } });
    expect(response.headers.get("x-should-retry")).toBe("false");
  });

  it.each([["whole", pays, false, 409], ["streamed", pays, true, 409], ["streamed, after some text", speaksAndPays, true, 200]] as const)("is refused while it waits and answered when it is through, under one Idempotency-Key: %s", async (_, script, stream, status) => {
    const server = await startServer(script(), paying());
    const send = async () => {
      const response = await fetch(`${server.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", "idempotency-key": "k-1" }, body: JSON.stringify({ ...ask, stream }) });
      return { status: response.status, run: response.headers.get("x-run-id"), text: await response.text() };
    };
    const first = await send();
    expect(first).toMatchObject({ status, run: expect.stringMatching(/^run_/), text: expect.stringContaining("approval_needed") });
    expect(await send()).toMatchObject({ status, run: first.run, text: expect.stringContaining("approval_needed") });
    await server.post(`/${first.run}/approvals`, { call_id: "call_1_1", approve: true });
    const last = await send();
    expect(last).toMatchObject({ status: 200, run: first.run, text: expect.stringContaining("Paid.") });
    expect(last.text).not.toContain("approval_needed");
    // That one is kept.
    expect(await send()).toEqual(last);
    expect((await server.get("")).body.data).toHaveLength(1);
  });
});

describe("a turn of a session that needs approval", () => {
  const say = async (url: string, content: string, headers: Record<string, string> = {}) => {
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", "x-session-id": "s-1", ...headers }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content }] }) });
    return { status: response.status, run: response.headers.get("x-run-id") ?? "", text: await response.text() };
  };
  const turns = async (url: string) => ((await (await fetch(`${url}/v1/sessions/s-1`)).json()) as { readonly turns: readonly { readonly status: string; readonly messages: readonly { readonly role: string; readonly content: string }[] }[] }).turns
    .map(({ status, messages }) => [status, ...messages.map(({ role, content }) => `${role}: ${content}`)]);
  /** Pays where it is asked to, and says otherwise what it was given. */
  const script = ({ messages }: ModelRequest) => {
    const last = messages.at(-1);
    if (last?.role === "user" && last.content.startsWith("Pay")) return wants({ id: "model_0", name: "pay", arguments: "{}" });
    return says(last?.role === "tool" ? "Paid." : messages.map(({ content }) => content).join("|"));
  };

  it("has its answer in the conversation once the run is through", async () => {
    const server = await startServer(script, paying());
    const { status, run } = await say(server.url, "Pay 5");
    expect([status, await turns(server.url)]).toEqual([409, [["waiting", "user: Pay 5"]]]);
    await server.post(`/${run}/approvals`, { call_id: "call_1_1", approve: true });
    await server.when(run, "completed");
    expect(await turns(server.url)).toEqual([["waiting", "user: Pay 5"], ["answered", "user: Pay 5", "assistant: ", "tool: ok", "assistant: Paid."]]);
    // The model is told of it once.
    expect((await say(server.url, "And now?")).text).toContain("Pay 5||ok|Paid.|And now?");
  });

  it("has it behind what was said meanwhile", async () => {
    const server = await startServer(script, paying());
    const { run } = await say(server.url, "Pay 5");
    expect((await say(server.url, "Meanwhile")).text).toContain("Pay 5|Meanwhile");
    await server.post(`/${run}/approvals`, { call_id: "call_1_1", approve: true });
    await server.when(run, "completed");
    expect((await turns(server.url)).map(([status, question]) => [status, question])).toEqual([["waiting", "user: Pay 5"], ["answered", "user: Meanwhile"], ["answered", "user: Pay 5"]]);
  });

  it("is answered under its Idempotency-Key without another turn", async () => {
    const server = await startServer(script, paying());
    const key = { "idempotency-key": "k-1" };
    const { run } = await say(server.url, "Pay 5", key);
    expect(await say(server.url, "Pay 5", key)).toMatchObject({ status: 409, run });
    await server.post(`/${run}/approvals`, { call_id: "call_1_1", approve: true });
    expect(await say(server.url, "Pay 5", key)).toMatchObject({ status: 200, run, text: expect.stringContaining("Paid.") });
    expect((await turns(server.url)).map(([status]) => status)).toEqual(["waiting", "answered"]);
  });

  it("waits no more when its run was cancelled", async () => {
    const server = await startServer(script, paying());
    const { run } = await say(server.url, "Pay 5");
    await server.post(`/${run}/cancel`, {});
    expect(await turns(server.url)).toEqual([["failed", "user: Pay 5"]]);
  });

  it("does not bring a conversation back that was deleted", async () => {
    const server = await startServer(script, paying());
    const { run } = await say(server.url, "Pay 5");
    await fetch(`${server.url}/v1/sessions/s-1`, { method: "DELETE" });
    await server.post(`/${run}/approvals`, { call_id: "call_1_1", approve: true });
    await server.when(run, "completed");
    expect((await fetch(`${server.url}/v1/sessions/s-1`)).status).toBe(404);
    expect(await (await fetch(`${server.url}${runs}/${run}/events`)).text()).toMatch(/"type":"conversation_finished",.*"is_kept":false,"error":"session_not_found"}/);
  });
});

describe("who may decide on a run", () => {
  it("is a key with the scope approvals, which sees the runs of others and is recorded", async () => {
    const { send, until } = await guarded();
    await send("asker", "", { input: "Pay order 7 back", id: "order-7" });
    await until("asker", "/order-7", "waiting");
    expect(JSON.parse((await send("person", "?key=asker")).text)).toMatchObject({ data: [{ id: "order-7" }] });
    expect(JSON.parse((await send("person", "")).text)).toMatchObject({ data: [] });
    expect((await send("person", "/order-7/approvals?key=asker", { call_id: "call_1_1", approve: true })).status).toBe(200);
    expect(await until("person", "/order-7?key=asker", "completed")).toMatchObject({ output: "Paid.", steps: [{}, { approval: { approved: true, by: "person" } }, {}] });
    expect((await send("person", "/order-7/events?key=asker")).text).toContain("event: run_finished");
  });

  it("is told the path, with the key that asked, by the refusal of a chat request", async () => {
    const { send, url } = await guarded();
    const refused = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "x-api-key": keyOf("asker"), "content-type": "application/json" }, body: JSON.stringify(ask) });
    const { error } = (await refused.json()) as { readonly error: { readonly message: string } };
    const [, path = ""] = /POST \/v1\/agents\/support\/runs(\S+) decides/.exec(error.message) ?? [];
    expect(path).toBe(`/${refused.headers.get("x-run-id")}/approvals?key=asker`);
    expect((await send("person", path, { call_id: "call_1_1", approve: false })).status).toBe(200);
  });

  it("is not the key that asked, nor another without that scope", async () => {
    const { send, until } = await guarded();
    await send("asker", "", { input: "Pay order 7 back", id: "order-7" });
    await until("asker", "/order-7", "waiting");
    const decision = { call_id: "call_1_1", approve: true };
    const refused = [await send("asker", "/order-7/approvals", decision), await send("other", "/order-7/approvals?key=asker", decision), await send("other", "/order-7?key=asker"), await send("other", "?key=asker"), await send("other", "/order-7/events?key=asker")];
    expect(refused.map(({ status, text }) => [status, (JSON.parse(text) as { error: { code: string } }).error.code])).toEqual(refused.map(() => [403, "scope_missing"]));
    expect((await send("other", "/order-7")).status).toBe(404);
    expect((await send("asker", "/order-7?key=asker")).status).toBe(200);
    expect((await send("person", "", { input: "Pay me", id: "mine" })).status).toBe(403);
    expect((await send("person", "/order-7/cancel?key=asker", {})).status).toBe(403);
    expect(await until("asker", "/order-7", "waiting")).toMatchObject({ waiting_for: [{ call_id: "call_1_1" }] });
  });

  it("is a key without scopes, too, and on a server without keys whoever reaches it", async () => {
    const { send, until } = await guarded();
    await send("all", "", { input: "Pay order 8 back", id: "order-8" });
    await until("all", "/order-8", "waiting");
    expect((await send("all", "/order-8/approvals", { call_id: "call_1_1", approve: true })).status).toBe(200);
    const open = await startServer(pays(), paying());
    expect((await open.get("?key=asker")).body).toMatchObject({ error: { code: "invalid_request", param: "key" } });
  });
});

describe("a request where only workers work on runs", () => {
  it.each([[false], [true]])("ends with a 503 when none takes the run, which is cancelled, with stream: %s", async (stream) => {
    const kind = newKind();
    const web = await startServer(pays(), { ...paying(), kind, works: false, startMs: 50 });
    const response = await chat(web.url, stream);
    expect([response.status, response.headers.get("retry-after"), await response.json()]).toMatchObject([503, "1", { error: { code: "run_not_taken", type: "server_error" } }]);
    expect((await web.get(`/${response.headers.get("x-run-id")}`)).body).toMatchObject({ status: "cancelled" });
  });
});

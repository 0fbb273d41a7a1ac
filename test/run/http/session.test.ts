import { describe, expect, it } from "vitest";
import { hashOfKey } from "../../../src/config/api-key.ts";
import { openKeyRing } from "../../../src/run/http/key.ts";
import { sessionKey } from "../../../src/run/http/session.ts";
import { fixedClock } from "../../helpers/context.ts";
import { keeping, openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";
import { ask, startServer } from "./fixture.ts";

async function start() {
  const runtime = runtimeOf(openAgent(scriptedModel(() => says("yes"))));
  return { runtime, ...(await startServer(runtime)) };
}

describe("the session of a request", () => {
  it("is named in the body or in a header, and belongs to the user", async () => {
    const { post, runtime } = await start();
    await post({ ...ask, session: "s-1", user: "ada" });
    await post(ask, { "x-session-id": "s-2" });
    await post({ ...ask, session: "s-3" }, { "x-session-id": "s-3" });
    await post({ ...ask, user: "ada" });
    expect(runtime.requests.map(({ session }) => session)).toEqual([{ user: "/ada", session: "s-1" }, { user: "/", session: "s-2" }, { user: "/", session: "s-3" }, undefined]);
  });

  it("belongs to the user of the API key that the request showed", async () => {
    const runtime = runtimeOf(openAgent(scriptedModel(() => says("yes"))));
    const key = `tw_${"x".repeat(43)}`;
    const keys = openKeyRing([{ name: "web", sha256: hashOfKey(key).toString("hex") }], { instances: 1, nowMs: () => 0 });
    const { post } = await startServer(runtime, { access: { keys } });
    await post({ ...ask, session: "s-1", user: "ada" }, { "x-api-key": key });
    await post({ model: "support", input: "x", conversation: "s-1", user: "ada" }, { "x-api-key": key }, "/v1/responses");
    expect(runtime.requests.map(({ session }) => session)).toEqual([{ user: "web/ada", session: "s-1" }, { user: "web/ada", session: "s-1" }]);
  });

  it("is trimmed to the window that the agent declares, after retrieval, and a caller's own conversation is not", async () => {
    const contextTokens = 588;
    const model = scriptedModel(() => says("yes"));
    const agent = openAgent(model);
    const kept = keeping({ contextTokens });
    const { post } = await startServer(runtimeOf({ ...agent, plan: { ...agent.plan, contextTokens, sampling: { maxTokens: 100 } } }, fixedClock(), kept));
    const long = "word ".repeat(300);
    const questions = [long, "And then?", "word ".repeat(150)];
    for (const content of questions) await post({ ...ask, session: "s-1", messages: [{ role: "user", content }] });
    expect(model.asked.map(({ messages }) => messages.filter(({ role }) => role === "user").length)).toEqual([1, 2, 2]);
    expect(model.asked[2]?.messages.map(({ content }) => content)).toEqual(["Be brief.", questions[1], "yes", questions[2]]);
    const own = [{ role: "user", content: long }, { role: "assistant", content: "yes" }, { role: "user", content: long }, { role: "assistant", content: "yes" }, { role: "user", content: long }];
    await post({ ...ask, messages: own });
    expect(model.asked[3]?.messages).toHaveLength(6);
  });

  it("is refused when body and header disagree", async () => {
    const { post } = await start();
    const response = await post({ ...ask, session: "s-1" }, { "x-session-id": "s-2" });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { message: "The body names the session s-1, and the header X-Session-Id the session s-2; give one of them" } }]);
  });

  it.each([
    ["a question", [{ role: "user", content: "a" }]],
    ["a question with instructions before it", [{ role: "system", content: "x" }, { role: "developer", content: "y" }, { role: "user", content: "a" }]],
    ["the results of tools", [{ role: "tool", tool_call_id: "c1", content: "x" }, { role: "tool", tool_call_id: "c2", content: "y" }]],
  ])("takes a new turn alone: %s", async (_what, messages) => {
    const { post, runtime } = await start();
    await post({ ...ask, session: "s-1", messages });
    expect(runtime.requests).toMatchObject([{ session: { session: "s-1" }, messages: messages.map(({ content }) => ({ content })) }]);
  });

  it.each([
    ["earlier turns", [{ role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "c" }]],
    ["two questions", [{ role: "user", content: "a" }, { role: "user", content: "b" }]],
    ["instructions behind the question", [{ role: "user", content: "a" }, { role: "system", content: "b" }]],
    ["results and a question", [{ role: "tool", tool_call_id: "c1", content: "x" }, { role: "user", content: "b" }]],
    ["instructions alone", [{ role: "system", content: "b" }]],
  ])("refuses more than that: %s", async (_what, messages) => {
    const { post, runtime } = await start();
    const response = await post({ ...ask, session: "s-1", messages });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "invalid_request", message: expect.stringContaining("a request holds the new turn alone") } }]);
    expect(runtime.requests).toEqual([]);
  });
});

describe("the user of a session", () => {
  it("is nobody else's, whatever the keys and users are called", () => {
    const keys = [null, "a", "a/b", "a%2Fb", "%"];
    const users = [undefined, "a", "c", "b/c", "/", "a/b", "%2F"];
    const names = keys.flatMap((key) => users.map((user) => sessionKey({ key }, "s", user).user));
    expect(new Set(names).size).toBe(names.length);
  });
});

import { expect, it } from "vitest";
import type { OpenedRuntime } from "../../../src/run/apply.ts";
import { fakeAgents, fakeTool, replies } from "../agent/fixture.ts";
import { keeping } from "../fixture.ts";
import { ask, openTestServer } from "./fixture.ts";

/** Gives the user that a tool is told when an API key's caller asks so. */
async function userTold(url: string, body: object, headers: Record<string, string> = {}): Promise<string | null | undefined> {
  const tool = fakeTool("look_up", () => "found");
  const agents = fakeAgents(replies({ call: [["look_up", "{}"]] }, "Done."), { tools: [tool] });
  const kept = keeping();
  const nothing = (): Promise<never> => Promise.reject(new Error("These agents retrieve nothing"));
  const runtime: OpenedRuntime = { indexes: [], search: nothing, embed: nothing, agents: ["support"], toolAgents: agents, answer: (request) => kept.answer(request, (turn) => agents.answer(turn)), kept: () => kept, check: () => Promise.resolve([]), close: () => agents.close() };
  const { app } = await openTestServer(runtime, { agentCore: { keepsSessions: () => true } });
  app.addHook("onRequest", (request, _reply, done) => {
    request.caller = { key: "web app" };
    done();
  });
  const { statusCode } = await app.inject({ method: "POST", url, headers: { host: "127.0.0.1", ...headers }, payload: body });
  expect([statusCode, tool.calls.length]).toEqual([200, 1]);
  return tool.calls[0]?.options.user;
}

const session = "a-conversation-of-some-length-and-more";
const agentCoreHeaders = { "x-amzn-bedrock-agentcore-runtime-session-id": session };

it.each([
  ["chat completions", "/v1/chat/completions", ask, {}],
  ["a chat with a session", "/v1/chat/completions", { ...ask, session }, {}],
  ["responses", "/v1/responses", { model: "support", input: "Hi" }, {}],
  ["responses with a conversation", "/v1/responses", { model: "support", input: "Hi", conversation: session }, {}],
  ["AgentCore", "/invocations", { prompt: "Hi" }, agentCoreHeaders],
])("tells tools the user of the request, else the caller, by %s", async (_, url, body, headers) => {
  expect(await userTold(url, { ...body, user: "ada" }, headers)).toBe("ada");
  expect(await userTold(url, body, headers)).toBe("web app");
});

it("tells tools the user that AgentCore names before the one of the body", async () => {
  expect(await userTold("/invocations", { prompt: "Hi", user: "ada" }, { ...agentCoreHeaders, "x-amzn-bedrock-agentcore-runtime-user-id": "bob" })).toBe("bob");
});

import { createServer, request as httpRequest } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { BedrockAgentCoreClient, InvokeAgentRuntimeCommand, type InvokeAgentRuntimeCommandInput } from "@aws-sdk/client-bedrock-agentcore";
import { describe, expect, it, onTestFinished } from "vitest";
import { fixedClock } from "../../helpers/context.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";
import { startServer } from "./fixture.ts";

const arn = "arn:aws:bedrock-agentcore:eu-west-1:123456789012:runtime/support-AbCdEf1234";
const session = "a".repeat(36);
const prompt = "What is the body limit?";
/** What the service hands on to the container, of what its caller sent. */
const passedOn = /^(?:content-type|content-length|accept|traceparent|tracestate|baggage|x-amzn-trace-id|x-amzn-bedrock-agentcore-runtime-.*)$/;

/** Stands where the service stands: takes InvokeAgentRuntime and calls the container's /invocations. */
async function startService(container: string): Promise<BedrockAgentCoreClient> {
  const service = createServer((incoming, outgoing) => {
    const url = new URL(incoming.url ?? "", "http://service");
    expect([incoming.method, decodeURIComponent(url.pathname)]).toEqual(["POST", `/runtimes/${arn}/invocations`]);
    const headers = Object.fromEntries(Object.entries(incoming.headers).filter(([name]) => passedOn.test(name)));
    incoming.pipe(httpRequest(`${container}/invocations`, { method: "POST", headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 500, { "content-type": answer.headers["content-type"] ?? "", "x-amzn-bedrock-agentcore-runtime-session-id": String(headers["x-amzn-bedrock-agentcore-runtime-session-id"]) });
      answer.pipe(outgoing);
    }));
  });
  service.listen(0, "127.0.0.1");
  await once(service, "listening");
  const { port } = service.address() as AddressInfo;
  const client = new BedrockAgentCoreClient({ endpoint: `http://127.0.0.1:${port}`, region: "eu-west-1", credentials: { accessKeyId: "a", secretAccessKey: "b" }, maxAttempts: 1 });
  onTestFinished(() => {
    client.destroy();
    service.closeAllConnections();
    service.close();
  });
  return client;
}

async function start({ keepsSessions = true, model = scriptedModel(() => says("It is ", "1 MiB [1].")) } = {}) {
  const runtime = runtimeOf(openAgent(model));
  // Each look at the clock is a second later: a time that is taken at each ping would show.
  let seconds = 1_767_225_600;
  const server = await startServer(runtime, { agentCore: { keepsSessions: () => keepsSessions }, clock: { ...fixedClock(), now: () => new Date(1000 * seconds++) } });
  const service = await startService(server.url);
  const invoke = async (payload: object, more: Partial<InvokeAgentRuntimeCommandInput> = {}) => {
    const { response, ...rest } = await service.send(new InvokeAgentRuntimeCommand({ agentRuntimeArn: arn, runtimeSessionId: session, payload: new TextEncoder().encode(JSON.stringify(payload)), ...more }));
    return { ...rest, text: (await response?.transformToString()) ?? "" };
  };
  const ping = async () => (await fetch(`${server.url}/ping`)).json();
  return { ...server, runtime, invoke, ping };
}

describe("AgentCore's InvokeAgentRuntime, by the AWS SDK", () => {
  it("gives nobody the kept answer of another user, of another session, or of another form", async () => {
    const { url, runtime } = await start();
    const invoke = async (headers: Readonly<Record<string, string>>): Promise<number> => (await fetch(`${url}/invocations`, { method: "POST", headers: { "idempotency-key": "k-1", "x-amzn-bedrock-agentcore-runtime-user-id": "ada", ...headers }, body: JSON.stringify({ prompt }) })).status;
    expect(await invoke({})).toBe(200);
    expect(await invoke({})).toBe(200);
    expect(await Promise.all([invoke({ "x-amzn-bedrock-agentcore-runtime-user-id": "bob" }), invoke({ "x-amzn-bedrock-agentcore-runtime-session-id": session }), invoke({ accept: "text/event-stream" })])).toEqual([422, 422, 422]);
    expect(runtime.requests).toHaveLength(1);
  });

  it("answers a prompt with JSON, in the session and for the user that the service names", async () => {
    const { invoke, runtime } = await start();
    const { statusCode, contentType, text } = await invoke({ prompt }, { runtimeUserId: "ada" });
    expect([statusCode, contentType]).toEqual([200, "application/json; charset=utf-8"]);
    expect(JSON.parse(text)).toMatchObject({ object: "chat.completion", model: "support", choices: [{ message: { content: "It is 1 MiB [1].", citations: [{ chunk: "c-1" }] } }] });
    expect(runtime.requests).toMatchObject([{ agent: "support", messages: [{ role: "user", content: prompt }], session: { user: "/ada", session } }]);
  });

  it("takes a chat body as well, whatever type the payload is said to have", async () => {
    const { invoke, runtime } = await start();
    for (const contentType of ["application/json", "text/plain", "application/octet-stream"]) {
      await invoke({ model: "support", messages: [{ role: "user", content: prompt }], temperature: 0.9 }, { contentType });
    }
    expect(runtime.requests).toMatchObject([{ temperature: 0.9 }, { temperature: 0.9 }, { temperature: 0.9 }]);
  });

  it.each([
    ["the body asks for a stream", { prompt, stream: true }, {}],
    ["the caller accepts events", { prompt }, { accept: "text/event-stream" }],
  ])("streams when %s", async (_when, payload, more) => {
    const { invoke } = await start();
    const { contentType, text } = await invoke(payload, more);
    expect(contentType).toBe("text/event-stream; charset=utf-8");
    expect(text.split("\n\n").filter((event) => event.includes('"content"'))).toHaveLength(3);
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it("goes on with the caller's trace", async () => {
    const { invoke, runtime } = await start();
    await invoke({ prompt }, { traceParent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" });
    expect(runtime.requests).toMatchObject([{ traceId: "4bf92f3577b34da6a3ce929d0e0e4736" }]);
  });

  it("gives an agent that keeps no sessions none, since the service names one with every request", async () => {
    const { invoke, runtime } = await start({ keepsSessions: false });
    await invoke({ prompt });
    await invoke({ messages: [{ role: "user", content: "a" }, { role: "assistant", content: "b" }, { role: "user", content: "c" }] });
    expect(runtime.requests.map((request) => request.session)).toEqual([undefined, undefined]);
  });

  it("shortens a session's name that no state service would take", async () => {
    const { invoke, runtime } = await start();
    await invoke({ prompt }, { runtimeSessionId: "b".repeat(256) });
    expect(runtime.requests).toMatchObject([{ session: { session: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) } }]);
  });

  it.each([
    [{ prompt, messages: [{ role: "user", content: "a" }] }, "prompt: Give a prompt or messages, not both"],
    [{ prompt: 3 }, "prompt: Expected a text"],
    [{ question: prompt }, "messages: Required; expected array"],
    [{ prmpt: prompt }, 'prmpt: Unknown field. Did you mean "prompt"?'],
    [{ prompt, model: "suport" }, 'There is no agent "suport"'],
  ])("refuses %j", async (payload, complaint) => {
    const { url } = await start();
    const response = await fetch(`${url}/invocations`, { method: "POST", body: JSON.stringify(payload) });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(await response.json()).toMatchObject({ error: { message: expect.stringContaining(complaint), trace_id: expect.any(String) } });
  });
});

describe("GET /ping", () => {
  it("is busy while an invocation is under way, and changes its time only with its status", async () => {
    const { promise: go, resolve: letGo } = Promise.withResolvers<void>();
    const { invoke, ping, runtime } = await start({ model: scriptedModel(async function* () {
      await go;
      yield* says("yes");
    }) });
    expect(await ping()).toEqual({ status: "Healthy", time_of_last_update: expect.any(Number) });
    expect(await ping()).toEqual(await ping());
    const first = invoke({ prompt });
    await expect.poll(ping).toMatchObject({ status: "HealthyBusy" });
    const busy = await ping();
    const second = invoke({ prompt });
    await expect.poll(() => runtime.requests.length).toBe(2);
    expect(await ping()).toEqual(busy);
    letGo();
    await Promise.all([first, second]);
    await expect.poll(ping).toMatchObject({ status: "Healthy" });
    expect(await ping()).toEqual(await ping());
  });

  it("is there only when asked for", async () => {
    const { url } = await startServer(runtimeOf(openAgent(scriptedModel(() => says("yes")))));
    expect([(await fetch(`${url}/ping`)).status, (await fetch(`${url}/invocations`, { method: "POST" })).status]).toEqual([404, 404]);
  });
});

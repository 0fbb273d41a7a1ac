import { BedrockAgentCoreClient, CreateEventCommand, DeleteEventCommand, GetEventCommand, ListEventsCommand, ListSessionsCommand } from "@aws-sdk/client-bedrock-agentcore";
import { describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/session/agentcore/adapter.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import { type MemoryServer, type MemoryServerOptions, memoryId, startAgentcoreMemory } from "../../helpers/agentcore-memory.ts";
import { describeSessions } from "../../ports/session.contract.ts";
import { describeAwsFaults } from "./aws-faults.ts";

const credentials = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "geheim" };
const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;
const key = { user: "u", session: "s" };

async function started(options?: MemoryServerOptions): Promise<MemoryServer> {
  const server = await startAgentcoreMemory(options);
  onTestFinished(() => server.close());
  return server;
}

const opened = ({ url }: { readonly url: string }, id = memoryId): SessionStore => openSessions(`agentcore-memory:${id}`, { ...credentials, AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: url });
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => "done", (error: { readonly code?: string }) => error.code ?? JSON.stringify(error));

describeSessions("agentcore-memory", async (options) => {
  const server = await started({ pageSize: 20 });
  let passedMs = 0;
  const store = openSessions(`agentcore-memory:${memoryId}`, { ...credentials, AWS_ENDPOINT_URL: server.url }, { ...options, now: () => Date.now() + passedMs });
  return { store, pass: async (_, seconds) => void (passedMs += seconds * 1000) };
});

describe("the mock of AgentCore Memory", () => {
  it("answers the SDK", async () => {
    const { url } = await started();
    const client = new BedrockAgentCoreClient({ region: "us-east-1", endpoint: url, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, maxAttempts: 1 });
    onTestFinished(() => client.destroy());
    const place = { memoryId, actorId: "team/u", sessionId: "s" };
    const event = { ...place, eventTimestamp: new Date(1e12), payload: [{ conversational: { role: "USER", content: { text: "é" } } }, { blob: "{}" }], clientToken: "t", metadata: { a: { stringValue: "b" } } } as const;
    const { event: made } = await client.send(new CreateEventCommand({ ...event, payload: [...event.payload] }));
    expect(made).toMatchObject({ eventTimestamp: new Date(1e12), payload: event.payload, metadata: event.metadata });
    expect((await client.send(new CreateEventCommand({ ...event, payload: [{ blob: "other" }] }))).event?.eventId).toBe(made?.eventId);
    expect((await client.send(new ListEventsCommand({ ...place, includePayloads: true }))).events).toMatchObject([{ eventId: made?.eventId, payload: event.payload }]);
    expect((await client.send(new ListSessionsCommand({ memoryId, actorId: "team/u" }))).sessionSummaries).toMatchObject([{ sessionId: "s", createdAt: new Date(1e12) }]);
    expect((await client.send(new GetEventCommand({ ...place, eventId: made?.eventId }))).event).toMatchObject({ eventId: made?.eventId });
    await client.send(new DeleteEventCommand({ ...place, eventId: made?.eventId }));
    await expect(client.send(new GetEventCommand({ ...place, eventId: made?.eventId }))).rejects.toMatchObject({ name: "ResourceNotFoundException" });
    await expect(client.send(new CreateEventCommand({ ...event, sessionId: "a b", payload: [] }))).rejects.toMatchObject({ name: "ValidationException" });
  });
});

describe("agentcore sessions", () => {
  it("tell messages as conversation, which the memory learns from, under the names of user and session", async () => {
    const server = await started();
    const content = "é\u{1F600}x".repeat(30_000);
    await opened(server).append({ user: "ann", session: "s-1" }, [{ ...entry, role: "system", content: "Be brief" }, entry, { ...entry, role: "assistant", content, data: { calls: [1] } }, { ...entry, role: "tool", content: "" }], { expected: 0 });
    const [kept] = server.events.values();
    expect(kept).toMatchObject({ actorId: "ann", sessionId: "s-1" });
    expect(kept?.payload.map(({ conversational }) => [conversational?.role, conversational?.content?.text?.length])).toEqual([["OTHER", 8], ["USER", 4], ["ASSISTANT", 100_000], ["ASSISTANT", 20_000], [undefined, undefined]]);
    expect((await opened(server).read({ user: "ann", session: "s-1" }))?.entries.at(2)?.content).toBe(content);
  });

  it("begin again as often as they are deleted, and leave no event behind", async () => {
    const server = await started();
    for (let round = 0; round < 4; round += 1) {
      const outcomes = await Promise.all(Array.from({ length: 5 }, () => codeOf(opened(server).append(key, [entry], { expected: 0 }))));
      expect(outcomes.toSorted()).toEqual(["SESSION_CONFLICT", "SESSION_CONFLICT", "SESSION_CONFLICT", "SESSION_CONFLICT", "done"]);
      expect(await opened(server).delete(key)).toBe(true);
      expect(server.events.size).toBe(0);
    }
  });

  it("leave nothing behind when one process deletes and another goes on at the same time", async () => {
    const server = await started();
    for (let round = 0; round < 10; round += 1) {
      const version = await opened(server).append(key, [entry], { expected: 0 });
      await Promise.all([codeOf(opened(server).append(key, [entry], { expected: version })), opened(server).delete(key)]);
      expect(await opened(server).read(key)).toBeUndefined();
      await opened(server).deleteUser("u");
      expect(server.events.size).toBe(0);
    }
  });

  it("are gone once their deletion has begun, and what is left of it goes with the next one", async () => {
    let mayDelete = false;
    const server = await started({ mayDelete: () => mayDelete });
    const version = await opened(server).append(key, [entry], { expected: 0 });
    await expect(opened(server).delete(key)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    expect(server.events.size).toBe(2);
    expect(await opened(server).read(key)).toBeUndefined();
    expect(await opened(server).list("u")).toEqual({ sessions: [] });
    expect(await codeOf(opened(server).append(key, [entry], { expected: version }))).toBe("SESSION_CONFLICT");
    mayDelete = true;
    await opened(server).append(key, [{ ...entry, content: "new" }], { expected: 0 });
    expect((await opened(server).read(key))?.entries.map(({ content }) => content)).toEqual(["new"]);
    expect(server.events.size).toBe(1);
  });

  it("leave alone what another process has begun where one has expired", async () => {
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    let asked = 0;
    // The slow one has seen that the session has expired, and is held before it clears it away.
    const server = await started({ before: ({ headers }) => (headers.authorization?.includes("AKIDSLOW") === true && (asked += 1) === 2 ? released : undefined) });
    const now = (): number => Date.now() + 70_000;
    const later = (accessKey: string): SessionStore => openSessions(`agentcore-memory:${memoryId}`, { ...credentials, AWS_ACCESS_KEY_ID: accessKey, AWS_ENDPOINT_URL: server.url }, { now });
    await opened(server).append(key, [entry, entry], { expected: 0, ttlSeconds: 60 });
    const slow = codeOf(later("AKIDSLOW").append(key, [{ ...entry, content: "slow" }], { expected: 0 }));
    await expect.poll(() => asked).toBe(2);
    await later("AKIDFAST").append(key, [{ ...entry, content: "fast" }], { expected: 0 });
    release();
    expect(await slow).toBe("SESSION_CONFLICT");
    expect((await later("AKIDFAST").read(key))?.entries.map(({ content }) => content)).toEqual(["fast"]);
  });

  it("keep their end when the memory lets the beginning go", async () => {
    const server = await started();
    let version = 0;
    for (const content of ["one", "two", "three"]) version = await opened(server).append(key, [{ ...entry, content }], { expected: version });
    server.dropOldest();
    expect((await opened(server).read(key))?.entries.map(({ content }) => content)).toEqual(["two", "three"]);
    await opened(server).append(key, [{ ...entry, content: "four" }], { expected: version });
    expect((await opened(server).read(key))?.entries.map(({ content }) => content)).toEqual(["two", "three", "four"]);
  });

  it("take back what does not count where the memory forgets tokens", async () => {
    const server = await started({ knowsTokens: false });
    const version = await opened(server).append(key, [entry], { expected: 0 });
    await Promise.all(Array.from({ length: 5 }, (_, index) => codeOf(opened(server).append(key, [{ ...entry, content: String(index) }], { expected: version }))));
    const read = await opened(server).read(key);
    expect(read?.entries).toHaveLength(2);
    expect(await codeOf(opened(server).append(key, [entry], { expected: version }))).toBe("SESSION_CONFLICT");
    await opened(server).append(key, [entry], { expected: read?.version ?? 0 });
  });

  it("try again while another process uses the same token", async () => {
    const server = await started();
    const store = opened(server);
    await store.append({ user: "u", session: "other" }, [entry], { expected: 0 });
    const retry = { status: 409, headers: { "x-amzn-errortype": "RetryableConflictException" }, body: { message: "Try again" } };
    server.faults.push({ body: { events: [] } }, retry, retry);
    await store.append(key, [entry], { expected: 0 });
    expect((await store.read(key))?.entries).toHaveLength(1);
  });

  it("say that there is no such memory, and how to make one", async () => {
    const store = opened(await started(), "nowhere-a1b2c3d4e5");
    for (const work of [() => store.check(), () => store.read(key), () => store.append(key, [entry], { expected: 0 }), () => store.list("u"), () => store.deleteUser("u")]) {
      await expect(work()).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND", fix: expect.stringContaining("create-memory") as string });
    }
  });

  it.each(["agentcore-memory:", "agentcore-memory:short", "agentcore-memory:a b-a1b2c3d4e5", `agentcore-memory:${memoryId}?actor=x`, `agentcore-memory:${memoryId}?region=Berlin`])("refuse %s", (reference) => {
    expect(() => openSessions(reference, {})).toThrow(expect.objectContaining({ code: "SERVICE_UNSUPPORTED" }) as Error);
  });
});

describeAwsFaults("agentcore-memory", {
  start: startAgentcoreMemory,
  open: (url, query) => openSessions(`agentcore-memory:${memoryId}${query}`, { ...credentials, AWS_ENDPOINT_URL_BEDROCK_AGENTCORE: url }),
  throttled: "ThrottledException",
  broken: "ServiceException",
  action: "bedrock-agentcore:ListEvents",
});

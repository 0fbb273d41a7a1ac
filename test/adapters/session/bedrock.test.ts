import { BedrockAgentRuntimeClient, CreateInvocationCommand, CreateSessionCommand, DeleteSessionCommand, EndSessionCommand, GetInvocationStepCommand, ListInvocationStepsCommand, ListSessionsCommand, PutInvocationStepCommand } from "@aws-sdk/client-bedrock-agent-runtime";
import { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";
import { describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/session/bedrock/adapter.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import { type SessionsServer, type SessionsServerOptions, startBedrockSessions } from "../../helpers/bedrock-sessions.ts";
import { describeSessions } from "../../ports/session.contract.ts";
import { describeAwsFaults } from "./aws-faults.ts";

const credentials = { AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "geheim" };
const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;
const key = { user: "u", session: "s" };

async function started(options?: SessionsServerOptions): Promise<SessionsServer> {
  const server = await startBedrockSessions(options);
  onTestFinished(() => server.close());
  return server;
}

const opened = ({ url }: { readonly url: string }, reference = "bedrock-sessions:"): SessionStore => openSessions(reference, { ...credentials, AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: url });
const codeOf = (work: Promise<unknown>): Promise<string> => work.then(() => "done", (error: { readonly code?: string }) => error.code ?? JSON.stringify(error, Object.getOwnPropertyNames(error)));

for (const repeats of ["reject", "ignore"] as const) {
  describeSessions(`bedrock-sessions, where a repeated step is to ${repeats},`, async (options) => {
    const server = await started({ repeats, pageSize: 20 });
    let passedMs = 0;
    const store = openSessions("bedrock-sessions:", { ...credentials, AWS_ENDPOINT_URL: server.url }, { ...options, now: () => Date.now() + passedMs });
    return { store, pass: async (_, seconds) => void (passedMs += seconds * 1000) };
  });
}

describe("the mock of Bedrock's session store", () => {
  it.each([["HTTP/2", () => new NodeHttp2Handler()], ["HTTP/1.1", () => new NodeHttpHandler()]])("answers the SDK over %s", async (_, handler) => {
    const server = await started();
    const client = new BedrockAgentRuntimeClient({ region: "us-east-1", endpoint: server.url, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, requestHandler: handler(), maxAttempts: 1 });
    onTestFinished(() => client.destroy());
    const { sessionId: sessionIdentifier, createdAt } = await client.send(new CreateSessionCommand({ sessionMetadata: { user: "u" } }));
    expect(createdAt).toBeInstanceOf(Date);
    const { invocationId: invocationIdentifier } = await client.send(new CreateInvocationCommand({ sessionIdentifier }));
    const step = { sessionIdentifier, invocationIdentifier, invocationStepTime: new Date(1e12), payload: { contentBlocks: [{ text: "é\u{1F600}" }] } };
    const { invocationStepId } = await client.send(new PutInvocationStepCommand(step));
    expect((await client.send(new GetInvocationStepCommand({ sessionIdentifier, invocationIdentifier, invocationStepId }))).invocationStep).toMatchObject({ invocationStepTime: new Date(1e12), payload: step.payload });
    expect((await client.send(new ListInvocationStepsCommand({ sessionIdentifier }))).invocationStepSummaries).toMatchObject([{ invocationStepId }]);
    await expect(client.send(new PutInvocationStepCommand({ ...step, invocationStepId }))).rejects.toMatchObject({ name: "ConflictException" });
    await expect(client.send(new DeleteSessionCommand({ sessionIdentifier }))).rejects.toMatchObject({ name: "ConflictException", $metadata: { httpStatusCode: 409 } });
    await client.send(new EndSessionCommand({ sessionIdentifier }));
    await client.send(new DeleteSessionCommand({ sessionIdentifier }));
    expect((await client.send(new ListSessionsCommand({}))).sessionSummaries).toEqual([]);
  });
});

describe("bedrock sessions", () => {
  it.each(["ENDED", "EXPIRED"] as const)("go on in another session of Bedrock's once one is %s, and are deleted as a whole", async (status) => {
    const server = await started();
    const store = opened(server);
    let version = await store.append(key, [entry, entry], { expected: 0 });
    for (const content of ["two", "three"]) {
      server.expireAll(status);
      version = await store.append(key, [{ ...entry, content }], { expected: version });
    }
    expect((await opened(server).read(key))?.entries.map(({ content }) => content)).toEqual(["text", "text", "two", "three"]);
    expect((await store.list("u")).sessions).toMatchObject([{ session: "s", version }]);
    expect(server.sessions.size).toBe(3);
    expect(await store.deleteUser("u")).toBe(1);
    expect(server.sessions.size).toBe(0);
  });

  it("lets one of twenty go on with a session that Bedrock has ended, and leaves no other one behind", async () => {
    const server = await started();
    const version = await opened(server).append(key, [entry], { expected: 0 });
    server.expireAll("ENDED");
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => codeOf(opened(server).append(key, [entry], { expected: version }))));
    expect(outcomes.toSorted()).toEqual([...Array.from({ length: 19 }, () => "SESSION_CONFLICT"), "done"]);
    expect((await opened(server).read(key))?.entries).toHaveLength(2);
    expect(server.sessions.size).toBe(2);
  });

  it("go on in another one when the first has as many steps as it may have", async () => {
    const server = await started({ mostSteps: 2 });
    const store = opened(server);
    let version = 0;
    for (let step = 0; step < 5; step += 1) version = await (step === 3 ? opened(server) : store).append(key, [{ ...entry, content: String(step) }], { expected: version });
    expect((await store.read(key))?.entries.map(({ content }) => content)).toEqual(["0", "1", "2", "3", "4"]);
    expect(server.sessions.size).toBe(3);
  });

  it("take over what somebody began who was killed before the first step", async () => {
    const server = await started();
    const store = opened(server);
    let looks = 0;
    const now = (): number => {
      // It looks at the clock when it reads, and again before it writes.
      if ((looks += 1) === 2) throw new Error("killed");
      return Date.now();
    };
    const killed = openSessions("bedrock-sessions:", { ...credentials, AWS_ENDPOINT_URL: server.url }, { now });
    expect(await codeOf(killed.append(key, [entry], { expected: 0 }))).toContain("killed");
    expect(server.sessions.size).toBe(1);
    expect(await store.read(key)).toBeUndefined();
    await store.append(key, [entry], { expected: 0 });
    expect((await store.read(key))?.entries).toHaveLength(1);
    expect(server.sessions.size).toBe(1);
  });

  it("leave nothing behind when one process deletes and another goes on at the same time", async () => {
    const server = await started();
    for (let round = 0; round < 10; round += 1) {
      const version = await opened(server).append(key, [entry], { expected: 0 });
      server.expireAll("ENDED");
      await Promise.all([codeOf(opened(server).append(key, [entry], { expected: version })), opened(server).delete(key)]);
      expect(await opened(server).delete(key)).toBe(false);
      expect(server.sessions.size).toBe(0);
    }
  });

  it("keep apart what lies in one account: other spaces, and sessions of others", async () => {
    const server = await started();
    const [staging, production] = [opened(server, "bedrock-sessions:staging"), opened(server, "bedrock-sessions:production")];
    await staging.append(key, [{ ...entry, content: "staging" }], { expected: 0 });
    await production.append(key, [{ ...entry, content: "production" }], { expected: 0 });
    const client = new BedrockAgentRuntimeClient({ region: "us-east-1", endpoint: server.url, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, requestHandler: new NodeHttpHandler() });
    onTestFinished(() => client.destroy());
    await client.send(new CreateSessionCommand({ sessionMetadata: { user: "u", session: "s" } }));
    expect((await staging.read(key))?.entries).toMatchObject([{ content: "staging" }]);
    expect(await staging.deleteUser("u")).toBe(1);
    expect((await production.read(key))?.entries).toMatchObject([{ content: "production" }]);
    expect(server.sessions.size).toBe(2);
  });

  it("lose an append where a repeated step replaces the first and two write at the same moment: the documented gap", async () => {
    const server = await started({ repeats: "overwrite" });
    const version = await opened(server).append(key, [entry], { expected: 0 });
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => codeOf(opened(server).append(key, [entry], { expected: version }))));
    expect(new Set(outcomes).size).toBeLessThanOrEqual(2);
    // Whatever was told, the session stays whole.
    expect((await opened(server).read(key))?.entries).toHaveLength(2);
    // One after the other they see each other.
    expect(await codeOf(opened(server).append(key, [entry], { expected: version }))).toBe("SESSION_CONFLICT");
  });

  it.each(["bedrock-sessions:a b", "bedrock-sessions:x?table=y", "bedrock-sessions:?region=Berlin"])("refuse %s", (reference) => {
    expect(() => openSessions(reference, {})).toThrow(expect.objectContaining({ code: "SERVICE_UNSUPPORTED" }) as Error);
  });
});

describeAwsFaults("bedrock-sessions", {
  start: startBedrockSessions,
  open: (url, query) => openSessions(`bedrock-sessions:${query}`, { ...credentials, AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: url }),
  throttled: "ThrottlingException",
  broken: "InternalServerException",
  action: "bedrock:ListSessions",
});

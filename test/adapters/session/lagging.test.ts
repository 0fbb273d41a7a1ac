/** Services whose answers are a little behind, or meet another writer. */
import { describe, expect, it, onTestFinished } from "vitest";
import { type MemoryServer, startAgentcoreMemory } from "../../helpers/agentcore-memory.ts";
import { type SessionsServer, startBedrockSessions } from "../../helpers/bedrock-sessions.ts";
import type { Asked, Fault } from "../../helpers/service-server.ts";
import { agentcore, bedrock, codeOf, contentsOf, entry, key, refusal } from "./aws-services.ts";

type FaultOf = (asked: Asked) => Fault | undefined;

interface Faulty<Server> {
  readonly server: Server;
  /** From now on; a call of it is a request that was made. */
  readonly fail: (faultOf: FaultOf) => void;
}

async function faulty<Server extends { close(): Promise<void> }>(start: (options: { readonly faultOf: FaultOf }) => Promise<Server>): Promise<Faulty<Server>> {
  let current: FaultOf = () => undefined;
  const server = await start({ faultOf: (asked) => current(asked) });
  onTestFinished(() => server.close());
  return { server, fail: (faultOf) => void (current = faultOf) };
}

/** The first so many of the requests that are meant. */
function first(times: number, isMeant: (asked: Asked) => boolean, fault: Fault): FaultOf {
  let left = times;
  return (asked) => (isMeant(asked) && (left -= 1) >= 0 ? fault : undefined);
}

const notFound = refusal(404, "ResourceNotFoundException", "Not found");
const isList = ({ method, path }: Asked): boolean => method === "POST" && /^\/sessions\/(?:\?.*)?$/.test(path);
const isGet = ({ method }: Asked): boolean => method === "GET";

describe("bedrock sessions", () => {
  const started = (): Promise<Faulty<SessionsServer>> => faulty((options) => startBedrockSessions(options));

  it.each([["of sessions", isList, { sessionSummaries: [], nextToken: "x" }], ["of steps", ({ path }: Asked) => /\/invocationSteps\/?\?/.test(path), { invocationStepSummaries: [], nextToken: "x" }]])("end although a list %s does not", async (_, isMeant, body) => {
    const { server, fail } = await started();
    await bedrock.open(server).append(key, [entry], { expected: 0 });
    fail(first(Infinity, isMeant, { body }));
    expect(await codeOf(bedrock.open(server).read(key))).toBe("SERVICE_FAILED");
  });

  it("are found although they were not, a moment ago", async () => {
    const { server, fail } = await started();
    await bedrock.open(server).append(key, [entry], { expected: 0 });
    const store = bedrock.open(server);
    fail(first(1, isGet, notFound));
    expect(await store.read(key)).toBeUndefined();
    expect(await contentsOf(store)).toEqual(["text"]);
  });

  it("begin although the list does not show at once what was made", async () => {
    const { server, fail } = await started();
    let creations = 0;
    const late = first(3, (asked) => isList(asked) && creations > 0, { body: { sessionSummaries: [] } });
    fail((asked) => {
      if (asked.method === "PUT" && /^\/sessions\/?$/.test(asked.path)) creations += 1;
      return late(asked);
    });
    await bedrock.open(server).append(key, [entry], { expected: 0 });
    expect(creations).toBe(1);
    expect(await contentsOf(bedrock.open(server))).toEqual(["text"]);
  });

  it("are no conflict where the list never shows what was made, and leave nothing behind", async () => {
    const { server, fail } = await started();
    fail(first(Infinity, isList, { body: { sessionSummaries: [] } }));
    expect(await codeOf(bedrock.open(server).append(key, [entry], { expected: 0 }))).toBe("SERVICE_UNAVAILABLE");
    expect(server.sessions.size).toBe(0);
  });

  it("say so where what was made may not be read, and leave nothing behind", async () => {
    const { server, fail } = await started();
    fail((asked) => (isGet(asked) && [...server.sessions.keys()].some((id) => asked.path.includes(id)) ? refusal(403, "AccessDeniedException", "kms:Decrypt") : undefined));
    await expect(bedrock.open(server).append(key, [entry], { expected: 0 })).rejects.toMatchObject({ code: "SERVICE_DENIED", message: expect.stringContaining("kms:Decrypt") as string });
    expect(server.sessions.size).toBe(0);
  });

  it("are there where a step is listed that cannot be read for the moment: that is said", async () => {
    const { server, fail } = await started();
    const version = await bedrock.open(server).append(key, [entry], { expected: 0 });
    fail(first(Infinity, bedrock.isLook, notFound));
    const store = bedrock.open(server);
    expect(await codeOf(store.read(key))).toBe("SERVICE_UNAVAILABLE");
    expect(await codeOf(store.list("u"))).toBe("SERVICE_UNAVAILABLE");
    expect(await codeOf(store.append(key, [entry], { expected: 0 }))).toBe("SERVICE_UNAVAILABLE");
    expect(await codeOf(store.append(key, [entry], { expected: version }))).toBe("SERVICE_UNAVAILABLE");
    fail(() => undefined);
    expect(await contentsOf(store)).toEqual(["text"]);
  });

  it("are read where their last step can be and an earlier one cannot for the moment: that is said", async () => {
    const { server, fail } = await started();
    const store = bedrock.open(server);
    const version = await store.append(key, [{ ...entry, content: "first" }], { expected: 0 });
    await store.append(key, [entry], { expected: version });
    // The last one is asked for before all others.
    let last: string | undefined;
    fail((asked) => (bedrock.isLook(asked) && asked.path !== (last ??= asked.path) ? notFound : undefined));
    expect(await codeOf(store.read(key))).toBe("SERVICE_UNAVAILABLE");
    fail(() => undefined);
    expect(await contentsOf(store)).toEqual(["first", "text"]);
  });

  it("can be deleted although a step of theirs cannot be read", async () => {
    const { server, fail } = await started();
    await bedrock.open(server).append(key, [entry], { expected: 0 });
    fail(first(Infinity, bedrock.isLook, notFound));
    expect(await bedrock.open(server).deleteUser("u")).toBe(1);
    expect(server.sessions.size).toBe(0);
  });

  it.each([1, 2])("keep what is appended after %i that began to go on with them and gave up were closed", async (times) => {
    const { server, fail } = await started();
    const store = bedrock.open(server);
    let version = await store.append(key, [{ ...entry, content: "first" }], { expected: 0 });
    for (let time = 0; time < times; time += 1) {
      server.expireAll("ENDED");
      fail((asked) => (bedrock.isWrite(asked) ? refusal(429, "ThrottlingException") : undefined));
      expect(await codeOf(store.append(key, [entry], { expected: version }))).toBe("SERVICE_LIMITED");
    }
    server.expireAll("EXPIRED");
    fail(() => undefined);
    version = await store.append(key, [{ ...entry, content: "second" }], { expected: version });
    expect(await contentsOf(bedrock.open(server))).toEqual(["first", "second"]);
    await store.append(key, [{ ...entry, content: "third" }], { expected: version });
    expect(await contentsOf(bedrock.open(server))).toEqual(["first", "second", "third"]);
    expect(server.sessions.size).toBe(2 + times);
    await store.delete(key);
    expect(server.sessions.size).toBe(0);
  });

  it("go on where another writer holds them for a moment", async () => {
    const { server, fail } = await started();
    const store = bedrock.open(server);
    const version = await store.append(key, [entry], { expected: 0 });
    fail(first(2, bedrock.isWrite, refusal(409, "ConflictException", "Try again")));
    await store.append(key, [{ ...entry, content: "more" }], { expected: version });
    expect(await contentsOf(store)).toEqual(["text", "more"]);
  });

  it("show an append that was taken and is not there at once", async () => {
    const { server, fail } = await started();
    fail(first(2, bedrock.isLook, notFound));
    const version = await bedrock.open(server).append(key, [entry], { expected: 0 });
    expect(await bedrock.open(server).read(key)).toMatchObject({ version });
  });
});

describe("agentcore sessions", () => {
  const started = (): Promise<Faulty<MemoryServer>> => faulty((options) => startAgentcoreMemory(options));

  it("show an append that was taken and is not listed at once", async () => {
    const { server, fail } = await started();
    let hasWritten = false;
    const late = first(2, (asked) => agentcore.isLook(asked) && hasWritten, { body: { events: [] } });
    fail((asked) => {
      hasWritten ||= agentcore.isWrite(asked);
      return late(asked);
    });
    const version = await agentcore.open(server).append(key, [entry], { expected: 0 });
    expect(await agentcore.open(server).read(key)).toMatchObject({ version });
  });

  it("end although a list of events does not", async () => {
    const { server, fail } = await started();
    fail(first(Infinity, agentcore.isLook, { body: { events: [], nextToken: "x" } }));
    expect(await codeOf(agentcore.open(server).read(key))).toBe("SERVICE_FAILED");
  });

  it("are not there where the memory is, whatever words it has for that", async () => {
    const { server, fail } = await started();
    fail(() => refusal(404, "ResourceNotFoundException", "Session s not found in memory support-a1b2c3d4e5"));
    expect(await agentcore.open(server).read(key)).toBeUndefined();
    expect(await agentcore.open(server).list("u")).toEqual({ sessions: [] });
  });

  it("are not cut where the list misses one in the middle: that is said", async () => {
    const { server, fail } = await started();
    const store = agentcore.open(server);
    let version = 0;
    for (const content of ["one", "two", "three"]) version = await store.append(key, [{ ...entry, content }], { expected: version });
    const [one, , three] = server.events.values();
    fail(first(Infinity, agentcore.isLook, { body: { events: [three, one] } }));
    expect(await codeOf(store.read(key))).toBe("SERVICE_UNAVAILABLE");
    expect(await codeOf(store.append(key, [entry], { expected: version }))).toBe("SERVICE_UNAVAILABLE");
    fail(() => undefined);
    expect(await contentsOf(store)).toEqual(["one", "two", "three"]);
  });

  it("are no conflict where every token stands for an event that is gone", async () => {
    const { server, fail } = await started();
    const gone = { eventId: "0000000000000000001#00000000", memoryId: "support-a1b2c3d4e5", actorId: "u", sessionId: "s", eventTimestamp: 1, payload: [], metadata: {} };
    fail(first(Infinity, agentcore.isWrite, { status: 201, body: { event: { ...gone, metadata: metadataOf("other") } } }));
    expect(await codeOf(agentcore.open(server).append(key, [entry], { expected: 0 }))).toBe("SERVICE_LIMITED");
    expect(server.events.size).toBe(0);
  });

  it("keep an append where the one before it is not listed for a moment", async () => {
    const { server, fail } = await started();
    const store = agentcore.open(server);
    const version = await store.append(key, [entry], { expected: 0 });
    const [before] = server.events.keys();
    let left = 2;
    // The first list is asked for before the write.
    let hasWritten = false;
    fail((asked) => {
      hasWritten ||= agentcore.isWrite(asked);
      return hasWritten && agentcore.isLook(asked) && (left -= 1) >= 0 ? { body: { events: [...server.events.values()].filter(({ eventId }) => eventId !== before) } } : undefined;
    });
    await store.append(key, [{ ...entry, content: "more" }], { expected: version });
    expect(await contentsOf(store)).toEqual(["text", "more"]);
  });
});

function metadataOf(writer: string): object {
  const values = { life: "l", writer, from: 0, version: 1, bytes: 1, updated: 1, expires: "never", end: 0 };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [`twelve.${name}`, { stringValue: String(value) }]));
}

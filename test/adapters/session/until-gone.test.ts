import { describe, expect, it, onTestFinished } from "vitest";
import { type MemoryServer, startAgentcoreMemory } from "../../helpers/agentcore-memory.ts";
import { type SessionsServer, startBedrockSessions } from "../../helpers/bedrock-sessions.ts";
import type { Asked, Fault } from "../../helpers/service-server.ts";
import { agentcore, bedrock, entry, key } from "./aws-services.ts";

/** A service whose list shows what it showed once, so many times. */
function lagging(isList: (asked: Asked) => boolean): { readonly faultOf: (asked: Asked) => Fault | undefined; readonly freeze: (body: object, times: number) => void; readonly lists: () => number } {
  let [frozen, left, lists] = [{}, 0, 0];
  return {
    faultOf(asked) {
      if (!isList(asked)) return undefined;
      lists += 1;
      return (left -= 1) >= 0 ? { body: frozen } : undefined;
    },
    freeze(body, times) {
      [frozen, left, lists] = [body, times, 0];
    },
    lists: () => lists,
  };
}

async function startBedrock(): Promise<ReturnType<typeof lagging> & { readonly server: SessionsServer; readonly shown: () => object }> {
  const list = lagging(({ method, path }) => method === "POST" && /^\/sessions\/(?:\?.*)?$/.test(path));
  const server = await startBedrockSessions({ faultOf: list.faultOf });
  onTestFinished(() => server.close());
  const at = new Date().toISOString();
  return { ...list, server, shown: () => ({ sessionSummaries: [...server.sessions.keys()].map((sessionId) => ({ sessionId, sessionArn: "arn", sessionStatus: "ACTIVE", createdAt: at, lastUpdatedAt: at })) }) };
}

async function startAgentcore(): Promise<ReturnType<typeof lagging> & { readonly server: MemoryServer; readonly shown: () => object }> {
  const list = lagging(agentcore.isLook);
  const server = await startAgentcoreMemory({ faultOf: list.faultOf });
  onTestFinished(() => server.close());
  return { ...list, server, shown: () => ({ events: [...server.events.values()] }) };
}

describe("a deletion", () => {
  it("waits for a list of Bedrock's that is late", async () => {
    const { server, shown, freeze } = await startBedrock();
    const store = bedrock.open(server);
    await store.append(key, [entry], { expected: 0 });
    freeze(shown(), 4);
    expect(await store.deleteUser("u")).toBe(1);
    expect(server.sessions.size).toBe(0);
  });

  it("waits for a list of AgentCore's that is late", async () => {
    const { server, shown, freeze } = await startAgentcore();
    const store = agentcore.open(server);
    await store.append(key, [entry], { expected: 0 });
    freeze(shown(), 4);
    expect(await store.delete(key)).toBe(true);
    expect(server.events.size).toBe(0);
  });

  it("of Bedrock's ends although the list does not, and says what is still listed", async () => {
    const { server, shown, freeze, lists } = await startBedrock();
    const store = bedrock.open(server);
    await store.append(key, [entry], { expected: 0 });
    freeze(shown(), Infinity);
    await expect(store.deleteUser("u")).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: expect.stringMatching(/"u".*1 still listed after \d+ rounds.*the list may be late/) as string, fix: expect.stringContaining("again") as string });
    expect(server.sessions.size).toBe(0);
    expect(lists()).toBeLessThan(20);
  });

  it("of AgentCore's ends although the list does not, and says what is still listed", async () => {
    const { server, shown, freeze, lists } = await startAgentcore();
    const store = agentcore.open(server);
    await store.append(key, [entry], { expected: 0 });
    freeze(shown(), Infinity);
    await expect(store.delete(key)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: expect.stringMatching(/"s" of "u".*1 still listed after \d+ rounds/) as string });
    expect(lists()).toBeLessThan(20);
    // What marks the end stays for as long as the list shows what it ends.
    expect([...server.events.values()].map(({ payload }) => payload)).toEqual([[{ blob: "{}" }]]);
    freeze({}, 0);
    expect(await store.read(key)).toBeUndefined();
    expect(await store.delete(key)).toBe(false);
    expect(server.events.size).toBe(0);
  });
});

import { describe, expect, it, onTestFinished } from "vitest";
import { type SessionsServer, startBedrockSessions } from "../../helpers/bedrock-sessions.ts";
import type { Asked, Fault } from "../../helpers/service-server.ts";
import { bedrock, codeOf, contentsOf, entry, key, refusal } from "./aws-services.ts";

const { open } = bedrock;
const denied = refusal(403, "AccessDeniedException");

async function started(faultOf: (asked: Asked) => Fault | undefined): Promise<SessionsServer> {
  // Each session is asked for with GET, and nothing else is.
  const server = await startBedrockSessions({ faultOf: (asked) => (asked.method === "GET" ? faultOf(asked) : undefined) });
  onTestFinished(() => server.close());
  return server;
}

describe("what else lies in the account, for bedrock sessions", () => {
  it("does not matter where it may not be read", async () => {
    const foreign: string[] = [];
    const server = await started(({ path }) => (foreign.some((id) => path.includes(id)) ? denied : undefined));
    await open(server).append({ user: "u", session: "of others" }, [entry], { expected: 0 });
    foreign.push(...server.sessions.keys());
    // Nothing that may be read is there yet.
    expect(await open(server).list("u")).toEqual({ sessions: [] });
    const version = await open(server).append(key, [entry], { expected: 0 });
    expect(await contentsOf(open(server))).toEqual(["text"]);
    expect((await open(server).list("u")).sessions).toMatchObject([{ session: "s", version }]);
    expect(await open(server).deleteUser("u")).toBe(1);
  });

  it("is seen again once it may be read", async () => {
    const hidden: string[] = [];
    const server = await started(({ path }) => (hidden.some((id) => path.includes(id)) ? denied : undefined));
    await open(server).append(key, [entry], { expected: 0 });
    hidden.push(...server.sessions.keys());
    const store = open(server);
    expect(await store.read(key)).toBeUndefined();
    hidden.length = 0;
    expect(await contentsOf(store)).toEqual(["text"]);
  });

  it("cannot be told where no session may be read: that is said", async () => {
    let isDenied = false;
    const server = await started(() => (isDenied ? denied : undefined));
    await open(server).append(key, [entry], { expected: 0 });
    isDenied = true;
    const store = open(server);
    for (const work of [() => store.read(key), () => store.list("u"), () => store.delete(key), () => store.deleteUser("u"), () => store.append(key, [entry], { expected: 0 })]) {
      await expect(work()).rejects.toMatchObject({ code: "SERVICE_DENIED", fix: expect.stringContaining("bedrock:GetSession") as string });
    }
  });

  it("is not passed over where it cannot be read for the moment", async () => {
    let fault: Fault | undefined;
    const server = await started(() => fault);
    await open(server).append(key, [entry], { expected: 0 });
    fault = refusal(429, "ThrottlingException");
    expect(await codeOf(open(server).read(key))).toBe("SERVICE_LIMITED");
  });
});

import { describe, expect, it, onTestFinished } from "vitest";
import { startBedrockSessions } from "../../helpers/bedrock-sessions.ts";
import type { Fault } from "../../helpers/service-server.ts";
import { bedrock, codeOf, contentsOf, entry, key, refusal } from "./aws-services.ts";

const { start, open, isWrite, throttled } = bedrock;

describe("a quota of Bedrock's that is used up", () => {
  const quota = refusal(402, "ServiceQuotaExceededException", "You have used up your session storage");

  async function failingWrites(fault: Fault): Promise<Awaited<ReturnType<typeof start>> & { readonly mend: () => void }> {
    let isBroken = true;
    const started = await start({ faultOf: (asked) => (isBroken && isWrite(asked) ? fault : undefined) });
    return { ...started, mend: () => void (isBroken = false) };
  }

  it("is told with the service's words, and leaves nothing behind where a session begins", async () => {
    const { server, size } = await failingWrites(quota);
    for (let time = 0; time < 3; time += 1) {
      await expect(open(server).append(key, [entry], { expected: 0 })).rejects.toMatchObject({ code: "SERVICE_QUOTA", message: expect.stringContaining("You have used up your session storage") as string, fix: expect.stringContaining("Raise the quota") as string });
    }
    expect(size()).toBe(0);
  });

  it("is told where a session goes on, which stays as it was and goes on later, without another one of Bedrock's", async () => {
    let isBroken = false;
    const { server, size } = await start({ faultOf: (asked) => (isBroken && isWrite(asked) ? quota : undefined) });
    const store = open(server);
    const version = await store.append(key, [entry], { expected: 0 });
    isBroken = true;
    expect(await codeOf(store.append(key, [entry], { expected: version }))).toBe("SERVICE_QUOTA");
    expect(size()).toBe(1);
    isBroken = false;
    await store.append(key, [{ ...entry, content: "more" }], { expected: version });
    expect(await contentsOf(store)).toEqual(["text", "more"]);
    expect(size()).toBe(1);
  });

  it.each([["may not be done", refusal(403, "AccessDeniedException"), "SERVICE_DENIED"], ["is invalid", refusal(400, "ValidationException"), "SERVICE_REJECTED"]])("leaves nothing behind, and neither does a write that %s", async (_, fault, code) => {
    const { server, size } = await failingWrites(fault);
    expect(await codeOf(open(server).append(key, [entry], { expected: 0 }))).toBe(code);
    expect(size()).toBe(0);
  });

  it("keeps what was begun where a write is refused for the moment, for the next one", async () => {
    const { server, size, mend } = await failingWrites(refusal(429, throttled));
    const store = open(server);
    for (let time = 0; time < 3; time += 1) expect(await codeOf(store.append(key, [entry], { expected: 0 }))).toBe("SERVICE_LIMITED");
    expect(size()).toBe(1);
    mend();
    await store.append(key, [entry], { expected: 0 });
    expect(size()).toBe(1);
  });

  it("takes nothing away that another process wrote where this one was refused", async () => {
    let refused = 0;
    const { server, size } = await start({ faultOf: (asked) => (isWrite(asked) && (refused += 1) === 1 ? quota : undefined) });
    const [one, other] = [open(server), open(server)];
    const outcomes = await Promise.all([one, other].map((store) => codeOf(store.append(key, [entry], { expected: 0 }))));
    expect(outcomes.toSorted()).toEqual(["SERVICE_QUOTA", "done"]);
    expect(await contentsOf(one)).toEqual(["text"]);
    expect(size()).toBe(1);
  });

  it("that keeps closing every session is no conflict", async () => {
    const server = await startBedrockSessions({
      faultOf: (asked) => {
        if (isWrite(asked)) server.expireAll("ENDED");
        return undefined;
      },
    });
    onTestFinished(() => server.close());
    expect(await codeOf(open(server).append(key, [entry], { expected: 0 }))).toBe("SERVICE_UNAVAILABLE");
    expect(server.sessions.size).toBe(0);
  });
});

import { describe, expect, it } from "vitest";
import type { Asked, Fault, Lost } from "../../helpers/service-server.ts";
import { awsServices, codeOf, contentsOf, entry, key, refusal } from "./aws-services.ts";

describe.each(awsServices)("the outcome of an append to $name", ({ throttled, broken, start, open, isWrite, isLook }) => {
  /** Once the append has been written, looks fail as often as it is said. */
  function failingLooks(fault: Fault, times: number): (asked: Asked) => Fault | undefined {
    let [hasWritten, left] = [false, times];
    return (asked) => {
      if (isWrite(asked)) hasWritten = true;
      else if (hasWritten && isLook(asked) && (left -= 1) >= 0) return fault;
      return undefined;
    };
  }

  it.each(["begun", "gone on with"])("is known although the look after it is throttled for a moment: %s", async (how) => {
    let faultOf: ((asked: Asked) => Fault | undefined) | undefined;
    const { server } = await start({ faultOf: (asked) => faultOf?.(asked) });
    const store = open(server);
    const before = how === "begun" ? 0 : await store.append(key, [entry], { expected: 0 });
    faultOf = failingLooks(refusal(429, throttled), 2);
    const version = await store.append(key, [{ ...entry, content: "new" }], { expected: before });
    faultOf = undefined;
    expect(await store.read(key)).toMatchObject({ version });
    expect((await contentsOf(open(server))).at(-1)).toBe("new");
  });

  it.each([
    ["is throttled for long", refusal(429, throttled)],
    ["fails for long", refusal(500, broken)],
    ["is refused", refusal(403, "AccessDeniedException")],
    ["finds that the credentials have expired", refusal(403, "ExpiredTokenException")],
    ["gets a page", "garbage" as const],
  ])("is said to be unknown where the look after it %s", async (_, fault) => {
    let faultOf: ((asked: Asked) => Fault | undefined) | undefined = failingLooks(fault, Infinity);
    const { server } = await start({ faultOf: (asked) => faultOf?.(asked) });
    const failure: unknown = await open(server).append(key, [entry], { expected: 0 }).then(() => "done", (error: unknown) => error);
    expect(failure).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: undefined, message: expect.stringContaining("may have happened") as string, fix: expect.stringContaining("Read the session again") as string });
    faultOf = undefined;
    expect(await contentsOf(open(server))).toEqual(["text"]);
  });

  it.each<[string, Fault]>([["breaks", refusal(500, broken)], ["is cut", "cut"], ["is reset", "reset"], ["is a page", "garbage"]])("is found where the answer to the write %s", async (_, instead) => {
    const { server } = await start({ faultOf: (asked): Lost | undefined => (isWrite(asked) ? { instead } : undefined) });
    const version = await open(server).append(key, [entry], { expected: 0 });
    expect(await open(server).read(key)).toMatchObject({ version, entries: [entry] });
  });

  it.each<[string, Fault]>([["breaks", refusal(500, broken)], ["is a page", "garbage"]])("is said to be unknown where the write %s and nothing is found", async (_, fault) => {
    let isBroken = true;
    const { server } = await start({ faultOf: (asked) => (isBroken && isWrite(asked) ? fault : undefined) });
    const store = open(server);
    expect(await codeOf(store.append(key, [entry], { expected: 0 }))).toBe("SERVICE_UNAVAILABLE");
    isBroken = false;
    expect(await store.read(key)).toBeUndefined();
    await store.append(key, [entry], { expected: 0 });
    expect(await contentsOf(store)).toEqual(["text"]);
  });

  it("is a plain refusal where the write is throttled: nothing was written", async () => {
    const { server } = await start({ faultOf: (asked) => (isWrite(asked) ? refusal(429, throttled) : undefined) });
    await expect(open(server).append(key, [entry], { expected: 0 })).rejects.toMatchObject({ code: "SERVICE_LIMITED", retry: { afterMs: null } });
    expect(await open(server).read(key)).toBeUndefined();
  });
});

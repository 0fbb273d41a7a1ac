import { describe, expect, it } from "vitest";
import { awsServices, entry, key, refusal } from "./aws-services.ts";

const tooLarge = [
  ["in a constraint", refusal(400, "ValidationException", "1 validation error detected: Value at 'payload.contentBlocks.1.member.text' failed to satisfy constraint: Member must have length less than or equal to 100000")],
  ["in words", refusal(400, "ValidationException", "The size of the payload exceeds the maximum of 52428800 bytes")],
  ["as invalid input", refusal(400, "InvalidInputException", "Event payload is too large")],
  ["as a quota", refusal(402, "ServiceQuotaExceededException", "The session is too large: its size limit is 50 MB")],
  ["by the status alone", { status: 413, headers: { "content-type": "text/plain" }, json: "Request Entity Too Large" }],
] as const;
const other = [
  ["another constraint", refusal(400, "ValidationException", "1 validation error detected: Value at 'invocationStepTime' failed to satisfy constraint"), "SERVICE_REJECTED"],
  ["another quota", refusal(402, "ServiceQuotaExceededException", "The number of requests exceeds the service quota"), "SERVICE_QUOTA"],
  ["a limit of rates", refusal(429, "TooManyRequestsException", "The rate is too large"), "SERVICE_LIMITED"],
] as const;

describe.each(awsServices)("what is too large for $name", ({ start, open, isWrite }) => {
  it.each(tooLarge)("is told like a limit of ours where the service refuses it %s", async (_, fault) => {
    let isSmall = true;
    const { server, size } = await start({ faultOf: (asked) => (isWrite(asked) && !isSmall ? fault : undefined) });
    const store = open(server);
    const version = await store.append(key, [entry], { expected: 0 });
    isSmall = false;
    await expect(store.append(key, [entry], { expected: version })).rejects.toMatchObject({ code: "SESSION_TOO_LARGE", message: expect.stringContaining("body" in fault ? (fault.body as { readonly message: string }).message : "the status 413") as string, retry: undefined });
    expect(await store.read(key)).toMatchObject({ version, entries: [entry] });
    const before = size();
    await expect(store.append({ user: "u", session: "new" }, [entry], { expected: 0 })).rejects.toMatchObject({ code: "SESSION_TOO_LARGE" });
    expect(size()).toBe(before);
  });

  it.each(other)("is not %s", async (_, fault, code) => {
    const { server } = await start({ faultOf: (asked) => (isWrite(asked) ? fault : undefined) });
    await expect(open(server).append(key, [entry], { expected: 0 })).rejects.toMatchObject({ code });
  });
});

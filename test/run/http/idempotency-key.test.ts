import { describe, expect, it } from "vitest";
import { readIdempotencyKey, requestDigest } from "../../../src/run/http/idempotency-key.ts";

describe("the header Idempotency-Key", () => {
  it.each([
    ['"8e03978e-40d5-43dd-bc93-6894a57f9324"', "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    ["8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"],
    [' "a b, c; d" ', "a b, c; d"],
    [String.raw`"say \"hi\" \\ there"`, String.raw`say "hi" \ there`],
    ["a/b+c=:_.~", "a/b+c=:_.~"],
    ["x".repeat(255), "x".repeat(255)],
  ])("reads %s", (header, key) => {
    expect(readIdempotencyKey(header)).toBe(key);
  });

  it.each(["", '""', '"open', 'open"', "a b", "a, b", '"a", "b"', '"a"; b=1', String.raw`"bad \x"`, "é", '"é"', "x".repeat(256), `"${"x".repeat(256)}"`])("refuses %s", (header) => {
    expect(() => readIdempotencyKey(header)).toThrow(expect.objectContaining({ code: "REQUEST_INVALID", problems: [expect.objectContaining({ path: "Idempotency-Key" })] }));
  });
});

describe("the digest of a request", () => {
  const request = { method: "POST", url: "/v1/chat/completions", headers: {}, body: { a: 1, b: [1, "x"] } };
  const other = (change: object) => requestDigest({ ...request, ...change });

  it("is the same whatever the order of fields, and for headers that decide nothing", () => {
    expect(other({ body: { b: [1, "x"], a: 1 }, headers: { "user-agent": "x", traceparent: "y" } })).toBe(requestDigest(request));
    expect(other({ body: undefined })).toBe(other({ body: null }));
  });

  it("is another one for all that decides about the answer", () => {
    const changes = [{}, { body: { a: 1, b: ["x", 1] } }, { body: null }, { url: "/v1/responses" }, { url: "/v1/chat/completions?a" }, { headers: { "x-session-id": "s-1" } }, { body: { a: "\ud83d" } }, { body: { a: "\ud83c" } }];
    expect(new Set(changes.map(other)).size).toBe(changes.length);
  });

  it("counts the headers that decide at the route", () => {
    const at = (headers: Readonly<Record<string, string>>) => requestDigest({ ...request, headers }, ["x-user", "accept"]);
    expect(new Set([at({}), at({ "x-user": "ada" }), at({ "x-user": "bob" }), at({ accept: "text/event-stream" })]).size).toBe(4);
    expect(at({ "x-user": "ada", "x-other": "1" })).toBe(at({ "x-user": "ada" }));
  });

  it("is refused to what is nested too deeply to be read", () => {
    let body: unknown = [];
    for (let depth = 0; depth < 200_000; depth++) body = [body];
    expect(() => other({ body })).toThrow(expect.objectContaining({ code: "REQUEST_INVALID" }));
  });
});

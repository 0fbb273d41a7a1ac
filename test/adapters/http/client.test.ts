import { createServer as createHttp } from "node:http";
import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import { type JsonRequest, requestAnswer, requestJson } from "../../../src/adapters/http/client.ts";
import { connectionFailure } from "../../../src/adapters/http/failure.ts";
import { retryAfterMs } from "../../../src/adapters/http/retry-after.ts";
import { listening } from "../../helpers/listen.ts";
import { type Reply, type ServiceServer, startServer } from "../../helpers/service-server.ts";

const service = { name: "service:model", keyName: "SERVICE_KEY", key: "sk-0123456789abcdef" };

async function started(reply: Reply = { body: { done: true } }): Promise<ServiceServer> {
  const server = await startServer(() => reply);
  onTestFinished(() => server.close());
  return server;
}

async function asking(reply: Reply, change: Partial<JsonRequest> = {}): Promise<unknown> {
  const server = await started(reply);
  return requestJson({ service, url: `${server.url}/path`, body: { question: "ü" }, ...change });
}

describe("requestJson", () => {
  it("posts JSON with the key as bearer token, or gets without a body", async () => {
    const server = await started();
    expect(await requestJson({ service, url: `${server.url}/a?b=c`, body: { question: "ü" }, headers: { "x-own": "1" } })).toEqual({ done: true });
    await requestJson({ service: { ...service, key: undefined }, url: `${server.url}/d` });
    expect(server.requests).toMatchObject([
      { method: "POST", path: "/a?b=c", body: { question: "ü" }, headers: { authorization: `Bearer ${service.key}`, "content-type": "application/json", "x-own": "1" } },
      { method: "GET", path: "/d", body: undefined },
    ]);
    expect(server.requests[1]?.headers).not.toHaveProperty("authorization");
  });

  it("sends JSON that is ready as it is, asks for something to be deleted, and gives the headers of the answer", async () => {
    const server = await started({ headers: { "x-place": "7" }, body: {} });
    await requestJson({ service, url: `${server.url}/a`, json: '{"number":1e0}' });
    expect(await requestAnswer({ service, url: `${server.url}/b`, method: "DELETE" })).toMatchObject({ headers: { "x-place": "7" }, value: {} });
    expect(server.requests).toMatchObject([{ method: "POST", path: "/a", body: { number: 1 }, headers: { "content-length": "14" } }, { method: "DELETE", path: "/b", body: undefined }]);
  });

  it("uses a connection again", async () => {
    const ports = new Set<number | undefined>();
    const server = await startServer(() => ({ body: 1 }), {
      listen: (handler) => createHttp((request, response) => {
        ports.add(request.socket.remotePort);
        handler(request, response);
      }),
    });
    onTestFinished(() => server.close());
    for (let i = 0; i < 10; i++) await requestJson({ service, url: server.url });
    // One may still be winding up when the next request begins.
    expect(ports.size).toBeLessThanOrEqual(2);
  });

  it.each([
    ["OpenAI's form", { error: { message: "Bad  input\n here", code: "x" } }, "Bad input here"],
    ["TEI's form", { error: "batch too large", error_type: "Validation" }, "batch too large"],
    ["a message", { message: "no such thing" }, "no such thing"],
    ["a detail", { detail: "no such thing" }, "no such thing"],
    ["anything else", { reasons: [1] }, '{"reasons":[1]}'],
  ])("quotes %s", async (_, body, said) => {
    await expect(asking({ status: 400, body })).rejects.toMatchObject({ code: "SERVICE_REJECTED", retry: undefined, message: `service:model answered 400: ${said}` });
  });

  it("quotes little of a page, and never the key", async () => {
    const page = `<html><h1>Bad gateway</h1>${service.key} ${"x".repeat(5000)}`;
    const failure = await asking({ status: 502, headers: { "x-request-id": "r-1" }, json: page }).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringMatching(/^service:model answered 502: Bad gateway \[key\] x+… \(request r-1\)$/) });
    expect((failure as Error).message.length).toBeLessThan(400);
  });

  it.each([
    [400, "SERVICE_REJECTED", false], [401, "SERVICE_UNAUTHENTICATED", false], [402, "SERVICE_QUOTA", false], [403, "SERVICE_DENIED", false], [404, "SERVICE_NOT_FOUND", false],
    [408, "SERVICE_TIMEOUT", true], [413, "SERVICE_REJECTED", false], [422, "SERVICE_REJECTED", false], [425, "SERVICE_UNAVAILABLE", true], [429, "SERVICE_LIMITED", true],
    [500, "SERVICE_UNAVAILABLE", true], [503, "SERVICE_UNAVAILABLE", true], [529, "SERVICE_UNAVAILABLE", true],
  ])("understands %i", async (status, code, mayPass) => {
    await expect(asking({ status, body: {} })).rejects.toMatchObject({ code, retry: mayPass ? { afterMs: null } : undefined });
  });

  it.each([
    ["a quota that is used up", { status: 429, body: { error: { message: "You exceeded your current quota", type: "insufficient_quota", code: "insufficient_quota" } } }, "SERVICE_QUOTA"],
    ["credit that is used up", { status: 400, body: { type: "error", error: { type: "invalid_request_error", message: "Your credit balance is too low to access the API" } } }, "SERVICE_QUOTA"],
    ["a content filter", { status: 400, body: { error: { message: "The response was filtered", code: "content_filter", param: "prompt" } } }, "SERVICE_FILTERED"],
    ["a content policy", { status: 400, body: { error: { message: "Your request was rejected", code: "content_policy_violation" } } }, "SERVICE_FILTERED"],
  ])("understands %s", async (_, reply, code) => {
    await expect(asking(reply)).rejects.toMatchObject({ code, retry: undefined });
  });

  it("lets a service say that another status may pass", async () => {
    await expect(asking({ status: 424, body: {} }, { passing: [424] })).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
  });

  it("stops reading an answer that is too large", async () => {
    await expect(asking({ body: "x".repeat(100_000) }, { maxAnswerBytes: 10_000 })).rejects.toMatchObject({ code: "SERVICE_FAILED", retry: undefined, message: expect.stringContaining("more than 10 KiB") });
  });

  it("does not take what speaks no HTTP for an answer", async () => {
    const port = await listening(createServer((socket) => socket.end("220 mail ready\r\n")));
    await expect(requestJson({ service, url: `http://127.0.0.1:${port}/` })).rejects.toMatchObject({ code: "SERVICE_FAILED", retry: undefined });
  });
});

describe("connectionFailure", () => {
  const failureOf = (code: string, message = "") => connectionFailure(new AggregateError([Object.assign(new Error(message), { code })]), { service, url: "https://host.example:8443/v1" });

  it.each([
    ["ENOTFOUND", false, "service:model: there is no host host.example:8443"],
    ["ECONNREFUSED", true, "service:model: nothing answers at host.example:8443"],
    ["EAI_AGAIN", true, "service:model: the connection to host.example:8443 failed: EAI_AGAIN"],
    ["SELF_SIGNED_CERT_IN_CHAIN", false, "service:model: the connection to host.example:8443 failed: SELF_SIGNED_CERT_IN_CHAIN"],
  ])("understands %s", (code, mayPass, message) => {
    expect(failureOf(code)).toMatchObject({ code: "SERVICE_UNAVAILABLE", message, retry: mayPass ? { afterMs: null } : undefined });
  });
});

describe("retryAfterMs", () => {
  const now = Date.UTC(2026, 0, 1);

  it.each([
    [{ "retry-after": "7" }, 7000],
    [{ "retry-after": "0.5" }, 500],
    [{ "retry-after": "Thu, 01 Jan 2026 00:01:30 GMT" }, 90_000],
    [{ "retry-after": "Wed, 31 Dec 2025 23:59:00 GMT" }, 0],
    [{ "retry-after": "7", "retry-after-ms": "250.4" }, 251],
    [{ "retry-after": "999999999" }, 24 * 60 * 60 * 1000],
    [{ "retry-after": "soon" }, null],
    [{ "retry-after": "-5" }, null],
    [{}, null],
  ])("reads %j as %s", (headers, expected) => {
    expect(retryAfterMs(headers, now)).toBe(expected);
  });
});

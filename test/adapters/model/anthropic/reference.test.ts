import { describe, expect, it, onTestFinished } from "vitest";
import { readReference } from "../../../../src/adapters/model/anthropic/reference.ts";
import { openModel } from "../../../../src/adapters/registry.ts";
import { collect, failureOf } from "../../../helpers/chat-ask.ts";
import { type ChatServer, type ChatServerOptions, startChatServer } from "../../../helpers/chat-server.ts";
import { startServer } from "../../../helpers/service-server.ts";

async function started(options: ChatServerOptions): Promise<ChatServer> {
  const server = await startChatServer({ dialect: "anthropic", ...options });
  onTestFinished(() => server.close());
  return server;
}

describe("anthropic:", () => {
  const headersOf = async (options: string, env: Readonly<Record<string, string>>): Promise<unknown> => {
    const server = await started({});
    await collect(await openModel(`anthropic:claude-5${options}`, { dir: "/", env: { ANTHROPIC_BASE_URL: `${server.url}/`, ...env } }));
    const { authorization, "x-api-key": key, "anthropic-version": version, "x-team": team } = server.requests[0]?.headers ?? {};
    return [version, authorization, key, team];
  };

  it("sends its version, and the key as that version takes it", async () => {
    const key = { ANTHROPIC_API_KEY: "sk-ant-1" };
    const token = { ANTHROPIC_AUTH_TOKEN: "token" };
    expect(await headersOf("", key)).toEqual(["2026-10-21", "Bearer sk-ant-1", undefined, undefined]);
    expect(await headersOf("?version=2023-06-01", { ...key, ...token })).toEqual(["2023-06-01", undefined, "sk-ant-1", undefined]);
    expect(await headersOf("?version=2023-06-01", token)).toEqual(["2023-06-01", "Bearer token", undefined, undefined]);
    expect(await headersOf("", { ANTHROPIC_CUSTOM_HEADERS: "X-Team: support\n\n" })).toEqual(["2026-10-21", undefined, undefined, "support"]);
  });

  it.each([
    ["anthropic:", "names no model"], ["anthropic:claude-5?temperature=1", 'unknown option "temperature"'], ["anthropic:claude-5?version=2024-01-01", "2026-10-21 or 2023-06-01"],
    ["anthropic:claude-5?thinking=12", "thinking"], ["anthropic:claude-5?effort=huge", "effort"], ["anthropic:claude-5?maxOutput=0", "maxOutput"],
  ])("refuses %s", async (reference, message) => {
    await expect(openModel(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining(message) });
  });

  it.each([["ftp://host", "not an http(s) URL"], ["https://host.example/v1/", "ends in /v1"]])("refuses %s as its address", async (base, message) => {
    await expect(openModel("anthropic:claude-5", { dir: "/", env: { ANTHROPIC_BASE_URL: base } })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining(message) });
  });

  it("does not repeat a header that it cannot read", () => {
    expect(() => readReference("anthropic:claude-5", { ANTHROPIC_CUSTOM_HEADERS: "X-Team: a\nsecret without a colon" })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", message: "Line 2 of ANTHROPIC_CUSTOM_HEADERS is not `Name: value`" }));
  });

  it("names the key that is missing, and the one that is wrong", async () => {
    expect((await failureOf(await openModel("anthropic:claude-5", { dir: "/", env: {} }))).failure).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", message: "anthropic:claude-5 needs a key, and ANTHROPIC_API_KEY is not set" });
    const server = await started({ key: "sk-ant-right" });
    const { failure } = await failureOf(await openModel("anthropic:claude-5", { dir: "/", env: { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_AUTH_TOKEN: "sk-ant-wrong" } }));
    expect(failure).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", fix: expect.stringContaining("ANTHROPIC_AUTH_TOKEN"), message: expect.not.stringContaining("sk-ant-wrong") });
  });
});

describe("a check of anthropic:", () => {
  const checking = async (model: object | undefined): Promise<unknown> => {
    const server = await startServer(() => (model === undefined ? { status: 404, body: { type: "error", error: { type: "not_found_error", message: "Not Found" } } } : { body: model }));
    onTestFinished(() => server.close());
    return (await openModel("anthropic:claude-5", { dir: "/", env: { ANTHROPIC_BASE_URL: server.url } })).check();
  };

  it("tells the model's name and its life", async () => {
    expect(await checking({ id: "claude-5", display_name: "Claude 5", lifecycle: "active" })).toEqual({ version: "2026-10-21", detail: "Claude 5", lifecycle: { state: "active", endOfLife: null } });
    expect(await checking({ id: "claude-5", display_name: "Claude 5" })).toEqual({ version: "2026-10-21", detail: "Claude 5" });
    expect(await checking({ id: "claude-5", lifecycle: "deprecated", retires_at: null })).toMatchObject({ lifecycle: { state: "legacy", endOfLife: null } });
    expect(await checking({ id: "claude-5", display_name: "Claude 5", lifecycle: "deprecated", retires_at: "2027-03-01T00:00:00Z" })).toEqual({ version: "2026-10-21", detail: "Claude 5; deprecated, retires 2027-03-01", lifecycle: { state: "legacy", endOfLife: "2027-03-01" } });
    await expect(checking({ id: "claude-5", lifecycle: "retired", retires_at: "2026-03-01T00:00:00Z" })).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND", message: "anthropic:claude-5 is retired since 2026-03-01" });
  });

  it("does not call a model down because its key may not look it up, and fails for a key that is wrong", async () => {
    const answering = async (status: number, type: string): Promise<unknown> => {
      const server = await startServer(() => ({ status, body: { type: "error", error: { type, message: "No" } } }));
      onTestFinished(() => server.close());
      return (await openModel("anthropic:claude-5", { dir: "/", env: { ANTHROPIC_BASE_URL: server.url } })).check();
    };
    expect(await answering(403, "permission_error")).toEqual({ version: "2026-10-21", detail: "the server answers; whether the model can be used is unknown, because the key may not look it up (anthropic:claude-5 answered 403: No)", isModelUnknown: true });
    await expect(answering(401, "authentication_error")).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
  });

  it("does not take a gateway without a list for one that is down", async () => {
    expect(await checking(undefined)).toEqual({ version: "2026-10-21", detail: "the server does not list its models", isModelUnknown: true });
  });
});

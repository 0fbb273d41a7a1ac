import { describe, expect, it, onTestFinished } from "vitest";
import { readCompatibleReference, readOpenaiReference } from "../../../../src/adapters/model/openai/reference.ts";
import { openModel } from "../../../../src/adapters/registry.ts";
import { type ChatServer, type ChatServerOptions, startChatServer } from "../../../helpers/chat-server.ts";
import { collect, failureOf } from "../../../helpers/chat-ask.ts";
import { startServer } from "../../../helpers/service-server.ts";

async function started(options: ChatServerOptions): Promise<ChatServer> {
  const server = await startChatServer(options);
  onTestFinished(() => server.close());
  return server;
}

describe("openai: and its relatives", () => {
  it("know where to ask, and by which name a limit goes", () => {
    expect(readOpenaiReference("openai:gpt-5.2", { OPENAI_API_KEY: "sk-own\n" })).toMatchObject({ model: "gpt-5.2", provider: "openai", url: "https://api.openai.com/v1/chat/completions", isOpenai: true, limitName: "max_completion_tokens", service: { key: "sk-own" } });
    expect(readOpenaiReference("openai:gpt-5.2?timeoutMs=9", { OPENAI_BASE_URL: "https://gateway.example/openai/", OPENAI_PROJECT_ID: "p" })).toMatchObject({ url: "https://gateway.example/openai/chat/completions", isOpenai: false, limitName: "max_tokens", timeoutMs: 9, headers: { "OpenAI-Project": "p" } });
    expect(readCompatibleReference("https://host.example/v1?version=2#team/model:8b?limitName=max_completion_tokens", {})).toMatchObject({ model: "team/model:8b", provider: "openai-compatible", url: "https://host.example/v1/chat/completions?version=2", limitName: "max_completion_tokens", service: { name: "https://host.example/v1?version=2#team/model:8b" } });
    expect(readCompatibleReference("https://api.deepseek.com/v1#deepseek-chat", {}).provider).toBe("deepseek");
    expect(readCompatibleReference("https://mine.openai.azure.com/openai/v1#deployment", {}).provider).toBe("azure.ai.openai");
  });

  it("send each key to its own server and to no other", () => {
    const env = { OPENAI_API_KEY: "sk-openai", MODEL_API_KEY: "sk-model", TOGETHER_KEY: "sk-together" };
    expect(readCompatibleReference("https://host.example/v1#m", { OPENAI_API_KEY: "sk-openai" }).service.key).toBeUndefined();
    expect(readCompatibleReference("https://api.openai.com/v1#m", { OPENAI_API_KEY: "sk-openai" }).service.key).toBe("sk-openai");
    expect(readCompatibleReference("https://host.example/v1#m", env).service).toMatchObject({ key: "sk-model", keyName: "MODEL_API_KEY" });
    expect(readCompatibleReference("https://host.example/v1#m?keyName=TOGETHER_KEY", env).service).toMatchObject({ key: "sk-together", keyName: "TOGETHER_KEY" });
  });

  it.each([
    ["openai:", "names no model"], ["openai:gpt 5", "names no model"], ["openai:gpt-5?temperature=1", 'unknown option "temperature"'], ["openai:gpt-5?limitName=tokens", "limitName"], ["openai:gpt-5?timeoutMs=0", "timeoutMs"],
    ["https://host/v1", "names no model"], ["https://me:word@host/v1#m", "holds credentials"], ["https://host/v1?api_key=secret#m", "holds credentials"], ["http://#m", "is not a URL"], ["https://host/v1#m?keyName=sk-1234", "keyName"],
  ])("refuse %s", async (reference, message) => {
    await expect(openModel(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining(message) });
    await expect(openModel(reference, { dir: "/", env: {} })).rejects.toMatchObject({ message: expect.not.stringMatching(/word|secret/) });
  });

  it("name the key that is missing, without asking OpenAI", async () => {
    const model = await openModel("openai:gpt-5.2", { dir: "/", env: {} });
    const failure = { code: "SERVICE_UNAUTHENTICATED", message: "openai:gpt-5.2 needs a key, and OPENAI_API_KEY is not set", fix: expect.stringContaining("kind: secret") };
    expect((await failureOf(model)).failure).toMatchObject(failure);
    await expect(model.check()).rejects.toMatchObject(failure);
  });

  it("say that a key is wrong, without repeating it", async () => {
    const server = await started({ key: "sk-right" });
    const model = await openModel(`${server.url}/v1#m`, { dir: "/", env: { MODEL_API_KEY: "sk-wrong-0123456789abcdef" } });
    const { failure } = await failureOf(model);
    expect(failure).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", fix: expect.stringContaining("MODEL_API_KEY"), retry: undefined });
    expect(`${failure.message} ${failure.fix}`).not.toMatch(/sk-w|cdef/);
  });
});

describe("a check", () => {
  const checking = async (models: readonly string[] | undefined, model: string): Promise<unknown> => {
    const server = await started(models === undefined ? {} : { models });
    return (await openModel(`${server.url}/v1#${model}`, { dir: "/", env: {} })).check();
  };

  it("finds the model in the server's list", async () => {
    expect(await checking(["a", "llama3:8b"], "llama3:8b")).toEqual({ version: null, detail: "2 models" });
    expect(await checking(["llama3:latest"], "llama3")).toEqual({ version: null, detail: "1 model" });
    expect(await checking(["openai/*"], "openai/gpt-5")).toEqual({ version: null, detail: "1 model" });
  });

  it("tells until when, where the server does", async () => {
    const checkingOf = async (entry: object): Promise<unknown> => {
      const server = await startServer(() => ({ body: { object: "list", data: [{ id: "other" }, { id: "m", object: "model", created: 0, owned_by: "o", ...entry }] } }));
      onTestFinished(() => server.close());
      return (await openModel(`${server.url}/v1#m`, { dir: "/", env: {} })).check();
    };
    expect(await checkingOf({ shutdown_date: "2027-01-14" })).toEqual({ version: null, detail: "2 models", lifecycle: { state: "legacy", endOfLife: "2027-01-14" } });
    expect(await checkingOf({ shutdown_date: null })).toEqual({ version: null, detail: "2 models", lifecycle: { state: "active", endOfLife: null } });
    for (const entry of [{}, { shutdown_date: "soon" }, { shutdown_date: 7 }]) expect(await checkingOf(entry)).toEqual({ version: null, detail: "2 models" });
  });

  it("misses the model, and names those there are", async () => {
    await expect(checking(["a", "b", "c", "d", "e", "llama3:8b"], "llama3:8d")).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND", message: expect.stringMatching(/does not list the model llama3:8d\. Did you mean "?llama3:8b.* It lists a, b, c, d, e and 1 more$/), retry: undefined });
  });

  it.each([[403, "Missing scopes: api.model.read."], [401, "You have insufficient permissions for this operation. Missing scopes: api.model.read."]])("does not call a model down because its key may not look it up (%i)", async (status, message) => {
    const server = await startServer(({ method }) => (method === "GET" ? { status, body: { error: { message, type: "invalid_request_error", param: null, code: null } } } : { body: { id: "1", model: "m", choices: [{ index: 0, message: { role: "assistant", content: "Yes." }, finish_reason: "stop" }] } }));
    onTestFinished(() => server.close());
    for (const reference of ["openai:gpt-5.2", `${server.url}/v1#m`]) {
      const model = await openModel(reference, { dir: "/", env: { OPENAI_API_KEY: "sk-restricted", MODEL_API_KEY: "sk-restricted", OPENAI_BASE_URL: `${server.url}/v1` } });
      expect(await model.check()).toEqual({ version: null, detail: `the server answers; whether the model can be used is unknown, because the key may not look it up (${reference} answered ${status}: ${message})`, isModelUnknown: true });
      expect((await collect(model)).text).toBe("Yes.");
    }
  });

  it("fails for a key that is wrong", async () => {
    const server = await startServer(() => ({ status: 401, body: { error: { message: "Incorrect API key provided", type: "invalid_request_error", code: "invalid_api_key" } } }));
    onTestFinished(() => server.close());
    await expect((await openModel(`${server.url}/v1#m`, { dir: "/", env: {} })).check()).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
  });

  it("does not take a server without a list for one that is down", async () => {
    expect(await checking(undefined, "m")).toEqual({ version: null, detail: "the server does not list its models", isModelUnknown: true });
    expect(await checking([], "m")).toEqual({ version: null, detail: "the server does not list its models", isModelUnknown: true });
  });
});

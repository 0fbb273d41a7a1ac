import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { createOpenAI } from "@ai-sdk/openai";
import { generateText, isStepCount, streamText, tool } from "ai";
import { execa } from "execa";
import OpenAI from "openai";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { z } from "zod";
import { openStore } from "../../src/adapters/store/fs/adapter.ts";
import { binary, cleanEnv } from "../helpers/binary.ts";
import { startEmbeddingServer } from "../helpers/embedding-server.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { answers } from "../run/mock/fixture.ts";
import { makeRelease, manifest } from "../run/release.ts";

interface Started {
  readonly url: string;
  readonly child: ChildProcess;
  readonly ended: Promise<unknown>;
  readonly asked: () => Promise<readonly { readonly body: { readonly messages: readonly unknown[] }; readonly status: number; readonly isComplete: boolean }[]>;
}

/** The first line on stdout has the address. */
async function start(args: readonly string[], cwd: string): Promise<Started> {
  const child = spawn(process.execPath, [binary, ...args, "--port", "0"], { cwd, env: cleanEnv(), stdio: ["pipe", "pipe", "ignore"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const ended = once(child, "close").then(([code]: unknown[]) => code);
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const line = (await Promise.race([lines.next(), ended.then(() => ({ value: "null" }))])) as { readonly value: string };
  child.stdout.resume();
  const { url } = JSON.parse(line.value) as { readonly url: string };
  return { url, child, ended, asked: async () => ((await (await fetch(`${url}/mock/requests`)).json()) as { readonly data: Awaited<ReturnType<Started["asked"]>> }).data };
}

async function startMock(): Promise<Started> {
  const dir = await temporaryFolder();
  await writeFile(join(dir, "answers.yaml"), answers);
  return start(["mock", "--answers", "answers.yaml", "--agents", "support"], dir);
}

const asking = (content: string) => ({ model: "support", messages: [{ role: "user" as const, content }] });
const lookUp = tool({ description: "Looks an order up", inputSchema: z.object({ order: z.int() }), execute: ({ order }) => `Order ${order}: paid back` });

describe("the mock of the built program", () => {
  beforeAll(() => vi.setConfig({ testTimeout: 60_000 }));

  it("answers the official client, asks it to wait and takes its second attempt", async () => {
    const { url, asked, child, ended } = await startMock();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
    expect((await client.chat.completions.create(asking("Hello"))).choices[0]?.message.content).toBe("Hello!");
    expect((await client.responses.create({ model: "support", input: "Hello" })).output_text).toBe("Hello!");
    expect((await client.embeddings.create({ model: "any", input: "x", dimensions: 8 })).data[0]?.embedding).toHaveLength(8);
    expect((await client.chat.completions.create(asking("limited"))).choices[0]?.message.content).toBe("Now it works.");
    expect((await asked()).map(({ status }) => status)).toEqual([200, 200, 200, 429, 200]);
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it.each([
    ["by the failure that is told in the stream", "overloaded", /Overloaded/],
    ["by a connection that breaks off", "reset", /terminated|aborted|premature|closed|other side/i],
  ])("cuts streams %s, after what came before", async (_how, question, message) => {
    const { url, asked } = await startMock();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
    let text = "";
    const reading = (async () => {
      for await (const { choices } of await client.chat.completions.create({ ...asking(question), stream: true })) text += choices[0]?.delta.content ?? "";
    })();
    await expect(reading).rejects.toThrow(message);
    expect(text).toBe("One two");
    expect(await asked()).toMatchObject([{ status: 200, isComplete: question === "overloaded" }]);
  });

  it("answers the ai package, whose tools it calls", async () => {
    const { url, asked } = await startMock();
    const model = createOpenAI({ baseURL: `${url}/v1`, apiKey: "none" }).chat("support");
    const { text } = await generateText({ model, prompt: "Where is my refund?", tools: { look_up: lookUp }, stopWhen: isStepCount(3) });
    expect(text).toBe("It was refunded. [1]");
    expect((await asked())[1]?.body.messages.at(-1)).toMatchObject({ role: "tool", content: "Order 7: paid back" });
    expect(await Array.fromAsync(streamText({ model, prompt: "Hello" }).textStream)).toEqual(["Hel", "lo", "!"]);
    expect((await generateText({ model, prompt: "limited" })).text).toBe("Now it works.");
    const errors: unknown[] = [];
    const cut = streamText({ model, prompt: "overloaded", maxRetries: 0, onError: ({ error }) => void errors.push(error) });
    expect((await Array.fromAsync(cut.textStream).catch(() => [])).join("")).toBe("One two");
    expect(JSON.stringify(errors)).toContain("Overloaded");
  });

  it("streams calls as they come to the official client, the ai package and curl", async () => {
    const { url } = await startMock();
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none" });
    const tools = [{ type: "function" as const, name: "look_up", parameters: { type: "object" }, strict: false }];
    const snapshots: string[] = [];
    const stream = client.responses.stream({ model: "support", input: "two orders", tools, parallel_tool_calls: false, reasoning: { effort: "low" } });
    stream.on("response.function_call_arguments.delta", ({ snapshot }) => snapshots.push(snapshot));
    expect((await stream.finalResponse()).output).toMatchObject([{ type: "function_call", arguments: '{"order":7,"of":"Ann"}' }]);
    expect(snapshots).toEqual(['{"order":7,"', '{"order":7,"of":"Ann"}']);

    const model = createOpenAI({ baseURL: `${url}/v1`, apiKey: "none" }).chat("support");
    const parts = await Array.fromAsync(streamText({ model, prompt: "two orders", tools: { look_up: lookUp } }).fullStream);
    expect(parts.flatMap((part) => (part.type === "tool-input-delta" ? [part.delta] : []))).toEqual(['{"order":7,"', 'of":"Ann"}', '{"order"', ": 8}"]);

    const body = { ...asking("two orders"), tools: [{ type: "function", function: { name: "look_up" } }], stream: true };
    const { stdout } = await execa("curl", ["-sN", `${url}/v1/chat/completions`, "-H", "content-type: application/json", "-d", JSON.stringify(body)]);
    const lines = stdout.split("\n\n").filter((line) => line !== "");
    expect(lines.at(-1)?.trim()).toBe("data: [DONE]");
    expect(lines.filter((line) => line.includes('"tool_calls":[{"index"'))).toHaveLength(6);
  });

  it("plays an agent with tools, whose run waits for approval", async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, "answers.yaml"), "tools: { refund: { result: Refunded., approve: true } }\nreplies: [{ when: { agent: support }, sequence: [{ callTools: [{ name: refund }] }, { say: Done. }] }]\n");
    const { url, child, ended } = await start(["mock", "--answers", "answers.yaml"], dir);
    const runs = `${url}/v1/agents/support/runs`;
    const post = async (address: string, body: object) => (await (await fetch(address, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })).json()) as { readonly id: string };
    const { id } = await post(runs, { input: "Refund it" });
    const status = async () => (await (await fetch(`${runs}/${id}`)).json()) as { readonly status: string; readonly output: string };
    await vi.waitFor(async () => expect(await status()).toMatchObject({ status: "waiting" }));
    await post(`${runs}/${id}/approvals`, { call_id: "call_1_1", approve: true });
    const { stdout } = await execa("curl", ["-sN", `${runs}/${id}/events`]);
    expect(stdout).toContain("event: approval_decided");
    expect(await status()).toMatchObject({ status: "completed", output: "Done." });
    child.kill("SIGTERM");
    expect(await ended).toBe(0);
  });

  it("stops when standard input is closed", async () => {
    const { child, ended } = await start(["mock", "--stdin"], await temporaryFolder());
    child.stdin?.end();
    expect(await ended).toBe(0);
  });

  it("stops when standard input is empty from the start, while it is still starting", async () => {
    const dir = await temporaryFolder();
    await writeFile(join(dir, "answers.yaml"), answers);
    const results = await Promise.all(Array.from({ length: 3 }, () => execa(process.execPath, [binary, "mock", "--answers", "answers.yaml", "--port", "0", "--stdin"], { cwd: dir, env: cleanEnv(), extendEnv: false, stdin: "ignore", timeout: 30_000 })));
    expect(results.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  });
});

describe("a release of the built program", () => {
  beforeAll(() => vi.setConfig({ testTimeout: 60_000 }));

  const paid = (embedder: string) => manifest.replace("hash:64", embedder).replace("API_KEY: { kind: secret, optional: true }", "API_KEY: { kind: secret }").replace("mock:extractive", "openai:gpt-4o").replace('model: "mock:echo"', 'model: "anthropic:claude-opus-4-5"');

  it("is served without its models, embedder and secrets, with its own prompts and index", async () => {
    const dir = await temporaryFolder();
    const embedder = await startEmbeddingServer();
    await makeRelease(await testContext({ dir, env: { API_KEY: "secret", OPENAI_API_KEY: "k", ANTHROPIC_API_KEY: "k" }, store: openStore("file:.twelve/store", dir) }), paid(`${embedder.baseUrl}#small`));
    await embedder.close();
    await writeFile(join(dir, "answers.yaml"), "replies:\n  - { when: { agent: support }, say: 'See [1].' }\n  - { when: { contains: fail }, fail: { status: 418, message: No } }\n  - say: Kind words.\n");
    const { url, asked } = await start(["run", "web", "--env", "staging", "--mock", "--answers", "answers.yaml"], dir);
    const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
    const { data, response } = await client.chat.completions.create(asking("How large may the body of a request be?")).withResponse();
    expect(response.headers.get("x-twelve-mock")).toBe("true");
    expect(data).toMatchObject({ system_fingerprint: expect.stringMatching(/^mock-v1-/), choices: [{ message: { content: "See [1].", citations: [{ document: "docs/limits.md" }] } }] });
    // The prompt is rendered all the same.
    await expect(client.chat.completions.create({ ...asking("Hi"), model: "chat" })).rejects.toMatchObject({ status: 400, code: "invalid_variables" });
    const kind = { variables: { tone: "kind" } };
    expect((await client.chat.completions.create({ ...asking("Hi"), model: "chat", ...kind })).choices[0]?.message.content).toBe("Kind words.");
    await expect(client.chat.completions.create({ ...asking("fail"), model: "chat", ...kind })).rejects.toMatchObject({ status: 418 });
    expect(await asked()).toHaveLength(4);
    expect(await (await fetch(`${url}/readyz`)).json()).toMatchObject({ status: "ok", checks: { mock: { detail: "no model is asked: the answers are the 3 replies of answers.yaml" } } });
  });

  it("is recorded, and a mock says the same in the same pieces", async () => {
    const dir = await temporaryFolder();
    await makeRelease(await testContext({ dir, store: openStore("file:.twelve/store", dir) }));
    const streamed = async ({ url }: Started): Promise<readonly string[]> => {
      const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 });
      return (await Array.fromAsync(await client.chat.completions.create({ ...asking("How large may the body of a request be?"), stream: true }))).map(({ choices }) => JSON.stringify(choices));
    };
    const real = await start(["run", "web", "--env", "staging", "--record", "answers.yaml"], dir);
    const said = await streamed(real);
    real.child.kill("SIGTERM");
    expect(await real.ended).toBe(0);
    expect(said.join("")).toContain("docs/limits.md");
    expect(await streamed(await start(["mock", "--answers", "answers.yaml"], dir))).toEqual(said);
  });
});

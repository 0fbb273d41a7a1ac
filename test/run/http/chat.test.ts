import { APIUserAbortError, NotFoundError } from "openai";
import { describe, expect, it } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import { openAgent, runtimeOf, says, saysAndHangs, scriptedModel } from "../fixture.ts";
import { ask, startServer } from "./fixture.ts";

const answering = () => runtimeOf(openAgent(scriptedModel(() => says("It is ", "1 MiB", " [1]."))));
const citation = { number: 1, document: "docs/limits.md", headings: "Limits", chunk: "c-1", score: 0.9 };

describe("POST /v1/chat/completions with the official client", () => {
  it("gives the whole answer with its citations and tokens", async () => {
    const { client } = await startServer(answering());
    const completion = await client.chat.completions.create({ ...ask, messages: [...ask.messages] });
    expect(completion).toMatchObject({
      object: "chat.completion",
      model: "support",
      system_fingerprint: "v3-abcdef",
      choices: [{ index: 0, message: { role: "assistant", content: "It is 1 MiB [1].", refusal: null, citations: [citation] }, finish_reason: "stop" }],
      usage: { prompt_tokens: 12, completion_tokens: 3, total_tokens: 15, prompt_tokens_details: { cached_tokens: 4 } },
    });
  });

  it("streams the role, the text as it comes, the reason it ended and, when asked, the tokens", async () => {
    const { client } = await startServer(answering());
    const stream = await client.chat.completions.create({ ...ask, messages: [...ask.messages], stream: true, stream_options: { include_usage: true } });
    const chunks = await Array.fromAsync(stream);
    expect(chunks.map(({ choices: [choice] }) => choice && [choice.delta, choice.finish_reason])).toEqual([
      [{ role: "assistant", content: "", refusal: null }, null],
      [{ content: "It is " }, null],
      [{ content: "1 MiB" }, null],
      [{ content: " [1]." }, null],
      [{ citations: [citation] }, "stop"],
      undefined,
    ]);
    expect(chunks.map(({ usage }) => usage?.total_tokens ?? null)).toEqual([null, null, null, null, null, 15]);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  });

  it("gives the client's streaming helper the same message as a whole answer", async () => {
    const { client } = await startServer(answering());
    const { choices } = await client.chat.completions.stream({ ...ask, messages: [...ask.messages] }).finalChatCompletion();
    expect(choices[0]?.message).toMatchObject({ content: "It is 1 MiB [1].", citations: [citation] });
  });

  it("ends a stream with [DONE] and sends no usage that was not asked for", async () => {
    const { post } = await startServer(answering());
    const response = await post({ ...ask, stream: true });
    const text = await response.text();
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
    expect(text).not.toContain("usage");
  });

  it("lets the request's sampling win over the agent's", async () => {
    const model = scriptedModel(() => says("yes"));
    const { client } = await startServer(runtimeOf(openAgent(model)));
    await client.chat.completions.create({ ...ask, messages: [...ask.messages], temperature: 0.9, top_p: 0.5, max_completion_tokens: 7, stop: "END", seed: 4, response_format: { type: "json_object" } });
    await client.chat.completions.create({ ...ask, messages: [...ask.messages], user: "u-1", metadata: { a: "b" }, store: true });
    expect(model.asked.map(({ temperature, topP, maxTokens, stop, seed, format }) => ({ temperature, topP, maxTokens, stop, seed, format }))).toEqual([
      { temperature: 0.9, topP: 0.5, maxTokens: 7, stop: ["END"], seed: 4, format: "json" },
      { temperature: 0.2, topP: undefined, maxTokens: undefined, stop: undefined, seed: undefined, format: undefined },
    ]);
  });

  it("takes a conversation back with its own earlier answer in it, and text in parts", async () => {
    const model = scriptedModel(() => says("yes"));
    const { client } = await startServer(runtimeOf(openAgent(model)));
    const first = await client.chat.completions.create({ ...ask, messages: [...ask.messages] });
    const reply = first.choices[0]?.message;
    if (reply === undefined) throw new Error("no answer");
    await client.chat.completions.create({
      model: "support",
      messages: [{ role: "developer", content: "In English." }, ...ask.messages, reply, { role: "user", content: [{ type: "text", text: "And " }, { type: "text", text: "why?" }] }],
    });
    expect(model.asked[1]?.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "system", content: "In English." },
      { role: "user", content: "What is the body limit?" },
      { role: "assistant", content: "yes" },
      { role: "user", content: "And why?" },
    ]);
  });

  it("answers for an unknown agent with 404 model_not_found and the names there are", async () => {
    const { client } = await startServer(answering());
    const error = await client.chat.completions.create({ ...ask, model: "suport", messages: [...ask.messages] }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error).toMatchObject({
      status: 404,
      code: "model_not_found",
      param: "model",
      type: "invalid_request_error",
      error: { message: 'There is no agent "suport". Did you mean "support"? This release serves: support', trace_id: expect.stringMatching(/^[0-9a-f]{32}$/) },
    });
  });

  it.each([
    ["SERVICE_LIMITED", 429, "service_limited"],
    ["SERVICE_REJECTED", 400, "service_rejected"],
    ["MODEL_UNABLE", 400, "model_unable"],
    ["SERVICE_FILTERED", 400, "content_filter"],
    ["SERVICE_QUOTA", 502, "service_quota"],
    ["SERVICE_UNAVAILABLE", 503, "service_unavailable"],
    ["INDEX_NOT_FOUND", 503, "index_not_found"],
    ["SERVICE_TIMEOUT", 504, "service_timeout"],
  ] as const)("answers a model's %s with %i", async (failure, status, code) => {
    const { post } = await startServer(runtimeOf(openAgent(scriptedModel(() => { throw new TwelveError(failure, "So it is"); }))));
    const response = await post(ask);
    expect([response.status, await response.json()]).toMatchObject([status, { error: { code, message: "So it is" } }]);
  });

  it("answers with 502 when the model fails before its first word", async () => {
    const model = scriptedModel(() => { throw new TwelveError("SERVICE_FAILED", "The model is overloaded"); });
    const { post } = await startServer(runtimeOf(openAgent(model)));
    for (const stream of [false, true]) {
      const response = await post({ ...ask, stream });
      expect([response.status, await response.json()]).toEqual([502, { error: { message: "The model is overloaded", type: "server_error", param: null, code: "service_failed", trace_id: expect.any(String) } }]);
    }
  });

  it("tells a failure on the way in one last event, which the client throws", async () => {
    const model = scriptedModel(function* () {
      yield { type: "text", text: "It " };
      throw new TwelveError("SERVICE_FAILED", "The model broke off");
    });
    const runtime = runtimeOf(openAgent(model));
    const { client, post } = await startServer(runtime);
    const stream = await client.chat.completions.create({ ...ask, messages: [...ask.messages], stream: true });
    await expect(Array.fromAsync(stream)).rejects.toThrow("The model broke off");
    const text = await (await post({ ...ask, stream: true })).text();
    expect(text).not.toContain("[DONE]");
    expect(JSON.parse(text.trim().split("data: ").at(-1) ?? "")).toMatchObject({ error: { code: "service_failed" } });
    expect(runtime.events[0]).toMatchObject({ "error.type": "SERVICE_FAILED", "gen_ai.response.finish_reasons": ["error"], "twelve.aborted": false, "twelve.usage.estimated": true, "gen_ai.usage.output_tokens": 2 });
  });

  it("passes on what a service said, without what looks like a key", async () => {
    const said = "openai:gpt-5 answered 401: Incorrect API key provided: sk-proj-abcdefghijklmnop1234 (Authorization: Bearer abcdefghijklmnop1234)";
    const model = scriptedModel(function* ({ question }) {
      if (question === "late") yield { type: "text", text: "a" };
      throw new TwelveError("SERVICE_UNAUTHENTICATED", said, { problems: [{ message: "before it, tw_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789-_AbCdEfG failed" }] });
    });
    const { post } = await startServer(runtimeOf(openAgent(model)));
    for (const body of [ask, { ...ask, stream: true, messages: [{ role: "user", content: "late" }] }]) {
      const text = await (await post(body)).text();
      expect(text).toContain("Incorrect API key provided: [key]");
      expect(text).not.toMatch(/abcdefghijklmnop|AbCdEfGhIj/);
    }
  });

  it("keeps from the caller what a failure that is not his says about the server, and writes it to the log", async () => {
    const model = scriptedModel(() => { throw new TwelveError("FOLDER_UNUSABLE", "/srv/shop/.twelve/cache cannot be written"); });
    const { post, lines } = await startServer(runtimeOf(openAgent(model)));
    for (const stream of [false, true]) {
      const response = await post({ ...ask, stream });
      const text = await response.text();
      expect([response.status, JSON.parse(text)]).toMatchObject([500, { error: { code: "folder_unusable", message: expect.stringContaining("Its log has the details") } }]);
      expect(text).not.toContain("/srv");
    }
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "request-failed", "error.type": "FOLDER_UNUSABLE", "exception.stacktrace": expect.stringContaining("/srv/shop/.twelve/cache") });
  });

  it("ends no answer whose runtime did not end it", async () => {
    const runtime = { ...answering(), async *answer() { yield { type: "text", text: "It is" } as const; } };
    const { post } = await startServer(runtime);
    expect((await post(ask)).status).toBe(500);
    const stream = await (await post({ ...ask, stream: true })).text();
    expect(stream).toMatch(/"content":"It is".*"code":"internal_error"/s);
    expect(stream).not.toMatch(/\[DONE\]|"finish_reason":"/);
  });

  it("keeps a bug's insides from the caller and writes them to the log", async () => {
    const model = scriptedModel(() => { throw new TypeError("x is not a function, said ada@example.com"); });
    const { post, lines } = await startServer(runtimeOf(openAgent(model)));
    const response = await post(ask);
    expect(response.status).toBe(500);
    const { error } = (await response.json()) as { error: { message: string; trace_id: string } };
    expect(error.message).not.toContain("x is not a function");
    expect(JSON.parse(lines[0] ?? "")).toMatchObject({ event: "request-failed", trace_id: error.trace_id, "error.type": "TypeError", "exception.stacktrace": expect.stringContaining("x is not a function, said [email]") });
  });

  it("aborts a streaming model when the client goes away, and logs what was said", async () => {
    const { runtime, model, client, lines } = await startHanging();
    const controller = new AbortController();
    const stream = await client.chat.completions.create({ ...ask, messages: [...ask.messages], stream: true }, { signal: controller.signal });
    for await (const { choices } of stream) if (choices[0]?.delta.content === "Half an ") controller.abort();
    await expect.poll(() => runtime.events).toMatchObject([{ ...abandoned, "gen_ai.request.stream": true }]);
    expect(model.asked[0]?.signal?.aborted).toBe(true);
    expect(lines).toEqual([]);
  });

  it("does the same when nobody waits for the whole answer any more", async () => {
    const { runtime, model, client, lines } = await startHanging();
    const controller = new AbortController();
    const answer = client.chat.completions.create({ ...ask, messages: [...ask.messages] }, { signal: controller.signal });
    const outcome = answer.catch((error: unknown) => error);
    await expect.poll(() => model.asked.length).toBe(1);
    controller.abort();
    expect(await outcome).toBeInstanceOf(APIUserAbortError);
    await expect.poll(() => runtime.events).toMatchObject([{ ...abandoned, "gen_ai.request.stream": false }]);
    expect(model.asked[0]?.signal?.aborted).toBe(true);
    expect(lines).toEqual([]);
  });
});

const abandoned = { "twelve.aborted": true, "gen_ai.response.finish_reasons": ["error"], "gen_ai.usage.output_tokens": 3, "twelve.usage.estimated": true };

async function startHanging() {
  const model = scriptedModel((request) => saysAndHangs("Half an ", request));
  const runtime = runtimeOf(openAgent(model));
  const { client, lines } = await startServer(runtime);
  return { model, runtime, client, lines };
}

import { request as httpRequest } from "node:http";
import { describe, expect, it } from "vitest";
import { invalidRequest } from "../../../src/run/http/error.ts";
import { ChatRequest } from "../../../src/run/http/request.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";
import { ask, startServer } from "./fixture.ts";

const answering = () => runtimeOf(openAgent(scriptedModel(() => says("yes"))));

/** `field: complaint` of each problem that the schema sees in a request like `ask` with these changes. */
function complaints(change: object): readonly string[] {
  const result = ChatRequest.safeParse({ ...ask, ...change });
  if (result.success) return [];
  return invalidRequest(result.error, { ...ask, ...change }, Object.keys(ChatRequest.shape)).problems.map(({ path, message }) => `${path}: ${message}`);
}

describe("the request schema", () => {
  it.each([
    [{ user: "u", metadata: { a: "b" }, store: false, service_tier: "auto", safety_identifier: "s", prompt_cache_key: "k", parallel_tool_calls: false }],
    [{ tools: [{ type: "function", function: { name: "f", strict: true } }], tool_choice: { type: "function", function: { name: "f" } }, parallel_tool_calls: true }],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "x" }, { type: "image_url", image_url: { url: "https://example.com/a.png", detail: "auto" } }] }] }],
    [{ response_format: { type: "json_schema", json_schema: { name: "order", schema: { type: "object" }, strict: true } } }],
    [{ n: 1, tools: [], tool_choice: "none", modalities: ["text"], logprobs: false, logit_bias: {}, frequency_penalty: 0, presence_penalty: 0 }],
    [{ n: null, temperature: null, stop: null, stream: null, max_tokens: null, response_format: null, stream_options: null, tools: null }],
    [{ response_format: { type: "text" }, max_tokens: 5, max_completion_tokens: 5 }],
    [{ messages: [...ask.messages, { role: "assistant", content: "x", reasoning: "hm", reasoning_details: [], audio: null, tool_calls: [{ index: 0, id: "1", type: "function", function: { name: "f", arguments: "{}" } }] }, { role: "tool", name: "f", tool_call_id: "1", content: "x" }] }],
  ])("takes what changes nothing: %j", (change) => {
    expect(complaints(change)).toEqual([]);
  });

  it.each([
    [{ n: 2 }, "n: Only one answer a request is supported: leave n out or set it to 1"],
    [{ tools: [{ type: "custom", custom: { name: "f" } }] }, "tools[0].type: Only tools of type function are supported; tools[0].function: Required; expected object; tools[0].custom: Unknown field."],
    [{ tools: [{ type: "function", function: { name: "look up" } }] }, "tools[0].function.name: Expected 1 to 64 letters, digits, underscores and hyphens"],
    [{ tools: [{ type: "function", function: { name: "f", parameters: [] } }] }, "tools[0].function.parameters: Expected object, found array"],
    [{ tools: [{ type: "function", function: { name: "f" } }], tool_choice: { type: "function", function: { name: "g" } } }, "tool_choice: The tool g is not among the tools of the request"],
    [{ tool_choice: "required" }, "tool_choice: A call is required, but the request has no tools"],
    [{ tool_choice: "any" }, "tool_choice: Expected none, auto, required or {type: \"function\", function: {name}}"],
    [{ functions: [{ name: "f" }] }, "functions: functions and function_call are not supported; use tools and tool_choice"],
    [{ session: "" }, "session: Too small: expected string to have >=1 characters"],
    [{ audio: { voice: "alloy", format: "wav" } }, "audio: Audio is not supported"],
    [{ logprobs: true }, "logprobs: Log probabilities are not supported"],
    [{ frequency_penalty: 0.5 }, "frequency_penalty: frequency_penalty is not supported"],
    [{ reasoning_effort: "extreme" }, "reasoning_effort: Expected none, minimal, low, medium, high, xhigh, max"],
    [{ response_format: { type: "json_schema", json_schema: { name: "order" } } }, "response_format.json_schema.schema: Required; expected object"],
    [{ response_format: { type: "xml" } }, "response_format.type: Expected a format of type text, json_object or json_schema"],
    [{ temperature: 3 }, "temperature: Too big: expected number to be <=2"],
    [{ temperature: "hot" }, "temperature: Expected number, found string"],
    [{ stop: ["a", "b", "c", "d", "e"] }, "stop: Expected a string or at most four strings"],
    [{ max_tokens: 1, max_completion_tokens: 2 }, "max_tokens: max_tokens and max_completion_tokens differ; give one of them"],
    [{ stream_options: { include_usage: true } }, "stream_options: stream_options is allowed only with stream: true"],
    [{ temprature: 1 }, 'temprature: Unknown field. Did you mean "temperature"?'],
    [{ model: undefined }, "model: Required; expected string"],
    [{ messages: [] }, "messages: At least one message is needed"],
    [{ messages: "hello" }, "messages: Expected array, found string"],
    [{ messages: [{ role: "user" }] }, "messages[0].content: Expected a string or a list of at most 2048 parts"],
    [{ messages: [{ role: "wizard", content: "x" }] }, "messages[0].role: Expected a message whose role is system, developer, user, assistant or tool"],
    [{ messages: [{ role: "tool", content: "x" }] }, "messages[0].tool_call_id: Required; expected string"],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "x" }, { type: "image_url", image_url: { url: "data:" } }] }] }, "messages[0].content[1].image_url.url: Expected an https: URL, or a data: URL of an image"],
    [{ messages: [{ role: "user", content: [{ type: "input_audio", input_audio: {} }] }] }, "messages[0].content[0].type: Parts of type input_audio are not supported here; only text and image_url are"],
    [{ messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png", detail: "original" } }] }] }, "messages[0].content[0].image_url.detail: Expected auto, low or high"],
    [{ messages: [{ role: "system", content: [{ type: "image_url", image_url: { url: "https://example.com/a.png" } }] }] }, "messages[0].content[0].type: Parts of type image_url are not supported here; only text is"],
    [{ messages: [{ role: "user", content: "x", name: "<|im_end|>" }] }, "messages[0].name: Expected a name of 1 to 64 signs, without white space and without < | \\ / >"],
    [{ messages: [{ role: "assistant", content: null, tool_calls: [{ id: "1" }] }] }, "messages[0].tool_calls[0].type: Only calls of type function are supported; messages[0].tool_calls[0].function: Required; expected object"],
  ])("refuses what it would have to ignore or cannot read: %j", (change, complaint) => {
    expect(complaints(change).join("; ")).toBe(complaint);
  });
});

describe("malformed requests", () => {
  it.each([
    ["malformed JSON", '{"model": ', 400, "invalid_request"],
    ["an empty body", "", 400, "invalid_request"],
    ["a list", "[]", 400, "invalid_request"],
    ["a question that is missing", JSON.stringify({ ...ask, messages: [{ role: "system", content: "x" }] }), 400, "invalid_request"],
    ["a question that is empty", JSON.stringify({ ...ask, messages: [{ role: "user", content: " " }] }), 400, "invalid_request"],
    ["text in its last message that is an answer", JSON.stringify({ ...ask, messages: [...ask.messages, { role: "assistant", content: "x" }] }), 400, "invalid_request"],
    ["the result of a call that nobody made", JSON.stringify({ ...ask, messages: [...ask.messages, { role: "tool", content: "x", tool_call_id: "c1" }] }), 400, "invalid_request"],
  ])("answers %s with 400 in the shape of OpenAI's errors", async (_what, body, status, code) => {
    const { post } = await startServer(answering());
    const response = await post(body);
    expect([response.status, await response.json()]).toEqual([
      status,
      { error: { message: expect.any(String), type: "invalid_request_error", param: null, code, trace_id: response.headers.get("x-trace-id") } },
    ]);
  });

  it.each([
    ["variables", (deep: string) => `"variables": {"a": ${deep}}`],
    ["tools[0].function.parameters", (deep: string) => `"tools": [{"type": "function", "function": {"name": "f", "parameters": {"a": ${deep}}}}]`],
    ["response_format.json_schema.schema", (deep: string) => `"response_format": {"type": "json_schema", "json_schema": {"name": "f", "schema": {"a": ${deep}}}}`],
  ])("refuses %s that are nested 100,000 deep", async (param, field) => {
    const { post } = await startServer(answering());
    const response = await post(`{"model": "support", "messages": [{"role": "user", "content": "x"}], ${field(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)}}`);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "invalid_request", param, message: expect.stringContaining("Nested more than 100 levels deep") } }]);
  });

  it("names the field that is wrong as the parameter", async () => {
    const { client } = await startServer(answering());
    await expect(client.chat.completions.create({ ...ask, messages: [...ask.messages], n: 2 })).rejects.toMatchObject({ status: 400, param: "n" });
  });

  it("refuses bytes that are no UTF-8, rather than ask with other words, and a number that is none", async () => {
    const { url, post } = await startServer(answering());
    const body = Buffer.from(JSON.stringify({ ...ask, messages: [{ role: "user", content: "caf\u00e9" }] }), "latin1");
    const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { code: "invalid_request", message: expect.stringContaining("not UTF-8") } }]);
    const endless = await post(JSON.stringify({ ...ask, max_tokens: 1 }).replace('"max_tokens":1', '"max_tokens":1e400'));
    expect([endless.status, await endless.json()]).toMatchObject([400, { error: { param: "max_tokens", message: expect.stringContaining("Too large a number") } }]);
  });

  it.each([
    ["tools that are none", "/v1/chat/completions", { ...ask, tools: Array.from({ length: 300_000 }, () => 1) }, "tools: Too big: expected array to have <=2048 items"],
    ["messages that are none", "/v1/chat/completions", { ...ask, messages: Array.from({ length: 300_000 }, () => ({})) }, "messages: Too big: expected array to have <=2048 items"],
    ["parts that are none", "/v1/chat/completions", { ...ask, messages: [{ role: "user", content: Array.from({ length: 300_000 }, () => 1) }] }, "messages[0].content: Expected a string or a list of at most 2048 parts"],
    ["items that are none", "/v1/responses", { model: "support", input: Array.from({ length: 300_000 }, () => 1) }, "input: Expected a text or a list of 1 to 2048 items"],
    ["texts that are empty", "/v1/embeddings", { model: "docs", input: Array.from({ length: 150_000 }, () => "") }, "input: Expected a text, or a list of at most 2048 texts; or the same as tokens"],
  ])("refuses a list of very many %s with one complaint", async (_, path, body, complaint) => {
    const { post } = await startServer(answering());
    const response = await post(body, {}, path);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { message: `The request is not valid; ${complaint}` } }]);
  });

  it("does not look at the entries of a list that is too long", () => {
    let looks = 0;
    const entry = { get role() { return looks++; } };
    expect(ChatRequest.safeParse({ ...ask, messages: [entry] }).success).toBe(false);
    expect(looks).toBeGreaterThan(0);
    looks = 0;
    expect(ChatRequest.safeParse({ ...ask, messages: Array.from({ length: 2049 }, () => entry) }).success).toBe(false);
    expect(looks).toBe(0);
  });

  it("tells the first of very many complaints, and how many there are", async () => {
    const { post } = await startServer(answering());
    const told = async (body: object): Promise<string> => ((await (await post(body)).json()) as { error: { message: string } }).error.message;
    const wrong = await told({ ...ask, messages: Array.from({ length: 2000 }, () => ({ role: "wizard" })) });
    expect(wrong).toMatch(/^The request is not valid in 2000 places, of which these are the first; messages\[0\].role: .*; messages\[19\].role: [^;]*$/);
    const inParts = await told({ ...ask, messages: [{ role: "user", content: Array.from({ length: 2000 }, () => 1) }] });
    expect(inParts).toContain("in 2000 places");
    expect(inParts.match(/content\[/g)).toHaveLength(20);
    const unknown = await told({ ...ask, ...Object.fromEntries(Array.from({ length: 2000 }, (_, at) => [`field${at}`, 1])) });
    expect(unknown).toContain("in 2000 places");
    expect(unknown.match(/Unknown field/g)).toHaveLength(20);
  });

  it("refuses another content type with 415", async () => {
    const { post } = await startServer(answering());
    const response = await post(ask, { "content-type": "text/plain" });
    expect([response.status, await response.json()]).toMatchObject([415, { error: { code: "unsupported_media_type" } }]);
  });

  it("refuses 20 MB before they are sent, and an endless body when it has seen 1 MiB", async () => {
    const { url, post } = await startServer(answering());
    const large = await post({ ...ask, messages: [{ role: "user", content: "x".repeat(20_000_000) }] });
    expect([large.status, await large.json()]).toMatchObject([413, { error: { message: "The body is larger than 1 MiB", code: "request_too_large" } }]);

    const block = Buffer.alloc(64 * 1024, "x");
    let sentBytes = 0;
    const status = await new Promise((resolve, reject) => {
      const endless = httpRequest(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" } });
      let isAnswered = false;
      endless.on("response", (response) => {
        isAnswered = true;
        resolve(response.statusCode);
        endless.destroy();
      });
      endless.on("error", (error) => isAnswered || reject(error));
      const pour = (): void => {
        if (isAnswered || endless.destroyed) return;
        sentBytes += block.length;
        endless.write(block, () => setImmediate(pour));
      };
      pour();
    });
    expect(status).toBe(413);
    expect(sentBytes).toBeLessThan(20_000_000);
  });
});

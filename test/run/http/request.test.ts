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
  return invalidRequest(result.error, Object.keys(ChatRequest.shape)).problems.map(({ path, message }) => `${path}: ${message}`);
}

describe("the request schema", () => {
  it.each([
    [{ user: "u", metadata: { a: "b" }, store: false, service_tier: "auto", safety_identifier: "s", prompt_cache_key: "k", parallel_tool_calls: false }],
    [{ n: 1, tools: [], tool_choice: "none", modalities: ["text"], logprobs: false, logit_bias: {}, frequency_penalty: 0, presence_penalty: 0 }],
    [{ n: null, temperature: null, stop: null, stream: null, max_tokens: null, response_format: null, stream_options: null, tools: null }],
    [{ response_format: { type: "text" }, max_tokens: 5, max_completion_tokens: 5 }],
  ])("takes what changes nothing: %j", (change) => {
    expect(complaints(change)).toEqual([]);
  });

  it.each([
    [{ n: 2 }, "n: Only one answer a request is supported: leave n out or set it to 1"],
    [{ tools: [{ type: "function", function: { name: "f" } }] }, "tools: Tools are not supported by this version"],
    [{ audio: { voice: "alloy", format: "wav" } }, "audio: Audio is not supported"],
    [{ logprobs: true }, "logprobs: Log probabilities are not supported"],
    [{ frequency_penalty: 0.5 }, "frequency_penalty: frequency_penalty is not supported"],
    [{ reasoning_effort: "low" }, "reasoning_effort: reasoning_effort is not supported by this version"],
    [{ response_format: { type: "json_schema", json_schema: {} } }, 'response_format.type: Only {type: "text"} and {type: "json_object"} are supported'],
    [{ temperature: 3 }, "temperature: Too big: expected number to be <=2"],
    [{ temperature: "hot" }, "temperature: Invalid input: expected number, received string"],
    [{ stop: ["a", "b", "c", "d", "e"] }, "stop: Expected a string or at most four strings"],
    [{ max_tokens: 1, max_completion_tokens: 2 }, "max_tokens: max_tokens and max_completion_tokens differ; give one of them"],
    [{ stream_options: { include_usage: true } }, "stream_options: stream_options is allowed only with stream: true"],
    [{ temprature: 1 }, 'temprature: Unknown field. Did you mean "temperature"?'],
    [{ model: undefined }, "model: Invalid input: expected string, received undefined"],
    [{ messages: [] }, "messages: At least one message is needed"],
    [{ messages: "hello" }, "messages: Invalid input: expected array, received string"],
    [{ messages: [{ role: "user" }] }, "messages[0].content: Expected a string or a list of text parts"],
    [{ messages: [{ role: "wizard", content: "x" }] }, "messages[0].role: Expected a message whose role is system, developer, user or assistant"],
    [{ messages: [{ role: "tool", content: "x", tool_call_id: "1" }] }, "messages[0].role: Tools are not supported by this version"],
    [{ messages: [{ role: "user", content: [{ type: "text", text: "x" }, { type: "image_url", image_url: { url: "data:" } }] }] }, "messages[0].content[1]: Parts of type image_url are not supported; only text is"],
    [{ messages: [{ role: "user", content: "x", name: "Ann" }] }, "messages[0].name: Names of participants are not supported; write them into the content"],
    [{ messages: [{ role: "assistant", content: null, tool_calls: [{ id: "1" }] }] }, "messages[0].tool_calls: Tools are not supported by this version"],
  ])("refuses what it would have to ignore or cannot read: %j", (change, complaint) => {
    expect(complaints(change)).toEqual([complaint]);
  });
});

describe("malformed requests", () => {
  it.each([
    ["malformed JSON", '{"model": ', 400, "invalid_request"],
    ["an empty body", "", 400, "invalid_request"],
    ["a list", "[]", 400, "invalid_request"],
    ["a question that is missing", JSON.stringify({ ...ask, messages: [{ role: "system", content: "x" }] }), 400, "invalid_request"],
    ["a question that is empty", JSON.stringify({ ...ask, messages: [{ role: "user", content: " " }] }), 400, "invalid_request"],
    ["variables that are nested 100,000 deep", `{"model": "support", "messages": [{"role": "user", "content": "x"}], "variables": {"a": ${"[".repeat(100_000)}${"]".repeat(100_000)}}}`, 400, "invalid_request"],
  ])("answers %s with 400 in the shape of OpenAI's errors", async (_what, body, status, code) => {
    const { post } = await startServer(answering());
    const response = await post(body);
    expect([response.status, await response.json()]).toEqual([
      status,
      { error: { message: expect.any(String), type: "invalid_request_error", param: null, code, trace_id: response.headers.get("x-trace-id") } },
    ]);
  });

  it("names the field that is wrong as the parameter", async () => {
    const { client } = await startServer(answering());
    await expect(client.chat.completions.create({ ...ask, messages: [...ask.messages], n: 2 })).rejects.toMatchObject({ status: 400, param: "n" });
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

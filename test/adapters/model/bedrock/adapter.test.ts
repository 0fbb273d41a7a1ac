import { describe, expect, it, onTestFinished } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import { TwelveError } from "../../../../src/core/errors.ts";
import type { ModelRequest } from "../../../../src/ports/model.ts";
import { refuse } from "../../../helpers/bedrock-server.ts";
import { contentFrames, endFrames, sendFrames } from "../../../helpers/converse-frames.ts";
import { claude, type ConverseUpstream, startConverseUpstream } from "../../../helpers/converse-upstream.ts";
import { errorFrame, eventFrame, exceptionFrame } from "../../../helpers/event-stream.ts";
import type { Reply } from "../../../helpers/service-server.ts";
import { ask } from "../../../ports/model-ask.ts";

const name = `bedrock:${claude}`;

async function started(): Promise<ConverseUpstream> {
  const upstream = await startConverseUpstream();
  onTestFinished(() => upstream.server.close());
  return upstream;
}

function frames(...sent: readonly Buffer[]): Reply {
  return { send: sendFrames(sent, { requestId: "r-1" }) };
}

async function answered(reply: Reply, change?: Partial<ModelRequest>): ReturnType<typeof ask> {
  const upstream = await started();
  upstream.answer(reply);
  return ask(await upstream.open(), change);
}

async function failureOf(reply: Reply): Promise<TwelveError> {
  const failure: unknown = await answered(reply).then(() => undefined, (error: unknown) => error);
  expect(failure).toBeInstanceOf(TwelveError);
  return failure as TwelveError;
}

/** The body that a request becomes. */
async function sent(change: Partial<ModelRequest>, options = ""): Promise<Record<string, unknown>> {
  const upstream = await started();
  upstream.script({ says: ["Yes."] });
  await ask(await upstream.open(options), change);
  return upstream.server.requests[0]?.body as Record<string, unknown>;
}

describe("an answer of Bedrock", () => {
  it("counts what was read from and written to the cache as input", async () => {
    const metadata = eventFrame("metadata", { usage: { inputTokens: 10, outputTokens: 2, totalTokens: 112, cacheReadInputTokens: 60, cacheWriteInputTokens: 40 }, metrics: { latencyMs: 1 }, trace: { promptRouter: { invokedModelId: "arn:chosen" } } });
    const { end } = await answered(frames(...contentFrames({ says: ["A"] }), eventFrame("messageStop", { stopReason: "end_turn" }), metadata));
    expect(end).toEqual({ type: "end", finishReason: "stop", usage: { inputTokens: 110, outputTokens: 2, cachedInputTokens: 60 }, model: "arn:chosen", responseId: "r-1" });
  });

  it("is counted here when Bedrock says nothing of tokens", async () => {
    const { end } = await answered(frames(...contentFrames({ says: ["One two three"] }), eventFrame("messageStop", { stopReason: "end_turn" })));
    expect(end).toMatchObject({ isUsageEstimated: true, usage: { outputTokens: 3, cachedInputTokens: 0 } });
    expect(end?.usage.inputTokens).toBeGreaterThan(10);
  });

  it("is whole when the connection breaks after its end, before the tokens are told", async () => {
    const stopped = [...contentFrames({ says: ["Yes."] }), eventFrame("messageStop", { stopReason: "end_turn" })];
    const { text, end } = await answered({ send: sendFrames(stopped, { requestId: "r-1", ending: "breaksOff" }) });
    expect([text, end?.finishReason, end?.isUsageEstimated]).toEqual(["Yes.", "stop", true]);
  });

  it.each([
    ["end_turn", "stop"], ["stop_sequence", "stop"], ["max_tokens", "length"], ["model_context_window_exceeded", "length"], ["guardrail_intervened", "content_filter"],
    ["content_filtered", "content_filter"], ["malformed_model_output", "error"], ["malformed_tool_use", "error"], ["something_new", "stop"],
  ])("that stopped for %s ended for %s", async (stopReason, finishReason) => {
    expect((await answered(frames(...contentFrames({ says: ["A"] }), eventFrame("messageStop", { stopReason })))).end).toMatchObject({ finishReason });
  });

  it("gives its calls, whether their input is empty, missing or broken, and whether it stopped for them or not", async () => {
    const start = (contentBlockIndex: number): Buffer => eventFrame("contentBlockStart", { contentBlockIndex, start: { toolUse: { toolUseId: `call_${contentBlockIndex}`, name: "look_up" } } });
    const input = (contentBlockIndex: number, text: string): Buffer => eventFrame("contentBlockDelta", { contentBlockIndex, delta: { toolUse: { input: text } } });
    const stop = (contentBlockIndex: number): Buffer => eventFrame("contentBlockStop", { contentBlockIndex });
    const { calls, end } = await answered(frames(start(0), input(0, ""), stop(0), start(1), stop(1), start(2), start(3), input(2, '{"a"'), input(3, '{"b":'), input(3, "1}"), stop(3), eventFrame("messageStop", { stopReason: "end_turn" })));
    expect(calls.map(({ id, arguments: text }) => [id, text])).toEqual([["call_0", "{}"], ["call_1", "{}"], ["call_3", '{"b":1}'], ["call_2", '{"a"']]);
    expect(end).toMatchObject({ finishReason: "tool_calls" });
  });

  it("gives its reasoning so that it can be sent back unchanged, and leaves out that of others", async () => {
    const redacted = Buffer.from([1, 2, 250]);
    const upstream = await started();
    const hidden = [eventFrame("contentBlockDelta", { contentBlockIndex: 7, delta: { reasoningContent: { redactedContent: redacted.toString("base64") } } }), eventFrame("contentBlockStop", { contentBlockIndex: 7 })];
    upstream.answer(frames(...contentFrames({ reasons: "Let me see.", says: ["Yes."] }), ...hidden, ...endFrames({})));
    upstream.answer(frames(...contentFrames({ says: ["Done."] }), ...endFrames({})));
    const model = await upstream.open();
    const { end, reasoning } = await ask(model);
    expect(reasoning).toBe("Let me see.");
    expect(end?.reasoning).toEqual([{ reasoningContent: { reasoningText: { text: "Let me see.", signature: "c2lnbmVk" } } }, { reasoningContent: { redactedContent: "AQL6" } }]);
    await ask(model, { messages: [{ role: "user", content: "Hello" }, { role: "assistant", content: "Yes.", reasoning: [...(end?.reasoning ?? []), { type: "thinking", thinking: "of another" }] }, { role: "user", content: "And?" }] });
    expect(upstream.server.requests[1]?.body).toMatchObject({ messages: [{}, { role: "assistant", content: [...(end?.reasoning ?? []), { text: "Yes." }] }, {}] });
  });
});

describe("an answer of Bedrock that fails on its way", () => {
  const begun = contentFrames({ says: ["A body may "] });

  it.each([
    ["throttlingException", "SERVICE_LIMITED", true], ["internalServerException", "SERVICE_UNAVAILABLE", true], ["serviceUnavailableException", "SERVICE_UNAVAILABLE", true],
    ["validationException", "SERVICE_REJECTED", false], ["modelStreamErrorException", "SERVICE_CUT", true],
  ])("with %s fails with %s, in Bedrock's words", async (type, code, mayPass) => {
    const failure = await failureOf(frames(...begun, exceptionFrame(type, { message: "Its own words" })));
    expect(failure).toMatchObject({ code, message: `${name} broke off its answer: ${type.charAt(0).toUpperCase()}${type.slice(1)}: Its own words (request r-1)` });
    expect(failure.retry !== undefined).toBe(mayPass);
  });

  it.each([
    ["an error that has no shape", frames(...begun, errorFrame("InternalFailure", "Oh")), "SERVICE_UNAVAILABLE"],
    ["a frame that is cut", frames(...begun, begun[1]?.subarray(0, 30) ?? Buffer.alloc(0)), "SERVICE_CUT"],
    ["a connection that is reset", { send: sendFrames(begun, { requestId: "r-1", ending: "breaksOff" }) } satisfies Reply, "SERVICE_CUT"],
    ["no end", frames(...begun), "SERVICE_CUT"],
    ["nothing at all", frames(), "SERVICE_CUT"],
  ])("with %s can be asked again", async (_, reply, code) => {
    expect(await failureOf(reply)).toMatchObject({ code, retry: { afterMs: null }, message: expect.stringMatching(/^bedrock:anthropic\.claude-test-v1:0 broke off its answer: .*\(request r-1\)$/) });
  });
});

describe("a refusal of Bedrock", () => {
  it.each([
    [400, "ValidationException", "The provided model identifier is invalid.", "SERVICE_NOT_FOUND", /ID and the region/],
    [404, "ResourceNotFoundException", "This model version has reached the end of its life.", "SERVICE_NOT_FOUND", /end of life/],
    [400, "ValidationException", "Invocation of model ID x with on-demand throughput isn’t supported.", "SERVICE_REJECTED", /inference profile/],
    [400, "ValidationException", "`temperature` and `top_p` cannot both be specified for this model.", "SERVICE_REJECTED", /leave `temperature` out/],
    [400, "ValidationException", "Input is too long for requested model.", "SERVICE_REJECTED", /Send less/],
    [429, "ThrottlingException", "Too many tokens per day, please wait before trying again.", "SERVICE_QUOTA", /quota/],
    [403, "AccessDeniedException", "Bearer Token has expired", "SERVICE_UNAUTHENTICATED", /AWS_BEARER_TOKEN_BEDROCK/],
    [403, "AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized to perform: bedrock:InvokeModelWithResponseStream", "SERVICE_DENIED", /bedrock:InvokeModelWithResponseStream/],
    [403, "ExpiredTokenException", "The security token included in the request is expired", "SERVICE_UNAUTHENTICATED", /Renew/],
    [408, "ModelTimeoutException", "The model timed out.", "SERVICE_TIMEOUT", /timeoutMs/],
    [429, "ModelNotReadyException", "The model is being restored.", "SERVICE_UNAVAILABLE", /up/],
  ])("%i %s: %s is %s", async (status, type, message, code, fix) => {
    expect(await failureOf(refuse(status, type, message))).toMatchObject({ code, message: `${name} answered ${status} ${type}: ${message} (request b0a1)`, fix: expect.stringMatching(fix) });
  });
});

describe("a request to Bedrock", () => {
  it("holds nothing that nobody configured", async () => {
    expect(await sent({ messages: [{ role: "user", content: "Hello" }], seed: 7 })).toEqual({ messages: [{ role: "user", content: [{ text: "Hello" }] }] });
  });

  it("puts user and assistant in turn, all results of a turn together, and leaves out texts without a sign", async () => {
    const toolCalls = [{ id: "call_1", name: "look_up", arguments: '{"a":1}' }, { id: "call_2", name: "look_up", arguments: "[1" }, { id: "call_3", name: "look_up", arguments: "" }];
    const { messages } = await sent({
      tools: [{ name: "look_up", parameters: { type: "object" } }],
      messages: [
        { role: "user", content: "One" }, { role: "user", content: "two" }, { role: "assistant", content: " \n", toolCalls },
        ...toolCalls.map(({ id }, i) => ({ role: "tool" as const, content: i === 1 ? "" : `result ${i}`, toolCallId: id, isError: i === 2 })), { role: "user", content: "Go on", images: [{ url: "data:image/jpg;base64,AQI=" }] },
      ],
    });
    expect(messages).toEqual([
      { role: "user", content: [{ text: "One" }, { text: "two" }] },
      { role: "assistant", content: [{ toolUse: { toolUseId: "call_1", name: "look_up", input: { a: 1 } } }, { toolUse: { toolUseId: "call_2", name: "look_up", input: { unreadable: "[1" } } }, { toolUse: { toolUseId: "call_3", name: "look_up", input: {} } }] },
      {
        role: "user", content: [
          { toolResult: { toolUseId: "call_1", content: [{ text: "result 0" }] } }, { toolResult: { toolUseId: "call_2", content: [{ text: "(nothing)" }] } }, { toolResult: { toolUseId: "call_3", content: [{ text: "result 2" }], status: "error" } },
          { text: "Go on" }, { image: { format: "jpeg", source: { bytes: "AQI=" } } },
        ],
      },
    ]);
  });

  it("refuses what Converse has no word for, before anything is asked", async () => {
    const upstream = await started();
    const model = await upstream.open();
    const tools = [{ name: "f", parameters: { type: "object" } }];
    for (const change of [{ effort: "low" }, { isSingleCall: true, tools }] as const) await expect(ask(model, change)).rejects.toMatchObject({ code: "MODEL_UNABLE", message: expect.stringContaining("Converse API has no word for it") });
    expect(upstream.server.requests).toEqual([]);
    // Nothing can be called, one at a time or not.
    expect(await sent({ isSingleCall: true })).not.toHaveProperty("toolConfig");
  });

  it("writes who of several users speaks before the words", async () => {
    expect(await sent({ messages: [{ role: "user", name: "Ann", content: "Hello" }] })).toMatchObject({ messages: [{ content: [{ text: "Ann: Hello" }] }] });
  });

  it("tells of earlier calls in words where it may tell of no tools", async () => {
    const body = await sent({
      tools: [{ name: "look_up", parameters: { type: "object" } }], toolChoice: "none",
      messages: [{ role: "user", content: "Q" }, { role: "assistant", content: "", toolCalls: [{ id: "call_1", name: "look_up", arguments: '{"a":1}' }] }, { role: "tool", content: "found", toolCallId: "call_1" }],
    });
    expect(body).toEqual({ messages: [{ role: "user", content: [{ text: "Q" }] }, { role: "assistant", content: [{ text: '<tool_call name="look_up">{"a":1}</tool_call>' }] }, { role: "user", content: [{ text: "<tool_result>found</tool_result>" }] }] });
  });

  it("names the guardrail, the latency and the tier of its reference", async () => {
    expect(await sent({}, "?guardrail=gr-1&guardrailVersion=3&guardrailTrace=enabled&latency=optimized&serviceTier=flex")).toMatchObject({
      guardrailConfig: { guardrailIdentifier: "gr-1", guardrailVersion: "3", trace: "enabled" }, performanceConfig: { latency: "optimized" }, serviceTier: { type: "flex" },
    });
    expect(await sent({}, "?guardrail=gr-1")).toMatchObject({ guardrailConfig: { guardrailIdentifier: "gr-1", guardrailVersion: "DRAFT" } });
  });

  it("asks for JSON in words, or by its schema where the model knows such a thing", async () => {
    const schema = { name: "answer", schema: { type: "object", properties: { a: { type: "string" } } } };
    const messages = [{ role: "system", content: "Be kind." }, { role: "user", content: "Q" }] as const;
    expect(await sent({ messages, format: "json" })).toMatchObject({ system: [{ text: "Be kind." }, { text: expect.stringMatching(/^Answer with one JSON value and nothing else: [^{]*$/) }] });
    expect(await sent({ messages, format: "json", schema })).toMatchObject({ system: [{}, { text: expect.stringContaining('JSON Schema:\n{"type":"object","properties":{"a":{"type":"string"}}}') }] });
    const native = await sent({ messages, format: "json", schema }, "?jsonSchema=native");
    expect(native).toMatchObject({ system: [{ text: "Be kind." }], outputConfig: { textFormat: { type: "json_schema", structure: { jsonSchema: { name: "answer", schema: JSON.stringify(schema.schema) } } } } });
  });

  it.each(["https://example.com/a.png", "data:image/svg+xml;base64,AQI=", "data:,x"])("cannot hold the image %s, and none is sent", async (url) => {
    const upstream = await started();
    await expect(ask(await upstream.open(), { messages: [{ role: "user", content: "What?", images: [{ url }] }] })).rejects.toMatchObject({ code: "MODEL_UNABLE", fix: expect.stringContaining("data: URLs") });
    expect(upstream.server.requests).toEqual([]);
  });
});

describe("bedrock:", () => {
  it.each([
    ["bedrock:", /names no model/], ["bedrock:a model", /names no model/], [`${name}?zone=a`, /unknown option "zone"/], [`${name}?region=Frankfurt`, /"Frankfurt" as its region/], [`${name}?latency=fast`, /expected standard, optimized/],
    [`${name}?guardrailVersion=1`, /names none/], [`${name}?jsonSchema=yes`, /expected native, prompt/],
  ])("refuses %s", async (reference, message) => {
    await expect(openModel(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(message) });
  });

  it("names itself by its ID, and asks for a region only when it is used", async () => {
    const model = await openModel("bedrock:eu.amazon.nova-lite-v1:0", { dir: "/", env: { AWS_CONFIG_FILE: "/nowhere", AWS_SHARED_CREDENTIALS_FILE: "/nowhere" } });
    expect(model).toMatchObject({ provider: "aws.bedrock", id: "eu.amazon.nova-lite-v1:0" });
  });
});

import { InvokeEndpointWithResponseStreamCommand, SageMakerRuntimeClient } from "@aws-sdk/client-sagemaker-runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import type { ModelRequest } from "../../../../src/ports/model.ts";
import { exceptionFrame } from "../../../helpers/event-stream.ts";
import { endpoint, modelError, payloadReply, type SagemakerUpstream, startSagemakerUpstream } from "../../../helpers/sagemaker-upstream.ts";
import type { Fault, Reply } from "../../../helpers/service-server.ts";
import { ask, type Answered } from "../../../ports/model-ask.ts";

const question: Partial<ModelRequest> = { messages: [{ role: "system", content: "Be kind." }, { role: "user", content: "How large?" }] };

async function started(): Promise<SagemakerUpstream> {
  const upstream = await startSagemakerUpstream();
  onTestFinished(() => upstream.server.close());
  return upstream;
}

async function answered(reply: Reply, { options = "", change = question }: { readonly options?: string; readonly change?: Partial<ModelRequest> } = {}): Promise<Answered & { readonly body: Record<string, unknown>; readonly path: string; readonly headers: Readonly<Record<string, unknown>> }> {
  const upstream = await started();
  upstream.answer(reply);
  const answer = await ask(await upstream.open(options), change);
  const [asked] = upstream.server.requests;
  return { ...answer, body: asked?.body as Record<string, unknown>, path: asked?.path ?? "", headers: asked?.headers ?? {} };
}

const failing = (reply: Reply, options = ""): Promise<unknown> => answered(reply, { options }).then(() => undefined, (error: unknown) => error);
const chunk = (delta: object, finish: string | null = null): string => JSON.stringify({ id: "c-1", model: "m", choices: [{ index: 0, delta, finish_reason: finish }] });
const lines = [chunk({ role: "assistant", content: "One mebi" }), chunk({ content: "byte, 😀." }), chunk({}, "stop"), JSON.stringify({ id: "c-1", model: "m", choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } })];
const events = `: hello\r\n\r\n${lines.map((line) => `event: message\r\nid: 1\r\ndata:${line}\r\n\r\n`).join("")}data: [DONE]\r\n\r\n`;

describe("the mock of a SageMaker endpoint", () => {
  it("is read by AWS's own client, whose parts cut lines anywhere", async () => {
    const upstream = await started();
    const client = new SageMakerRuntimeClient({ region: "us-east-1", endpoint: upstream.server.url, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, maxAttempts: 1 });
    onTestFinished(() => client.destroy());
    upstream.answer(payloadReply(events, { after: [exceptionFrame("ModelStreamError", { Message: "Broken", ErrorCode: "StreamBroken" })] }));
    const { Body = [], ContentType } = await client.send(new InvokeEndpointWithResponseStreamCommand({ EndpointName: endpoint, Body: Buffer.from('{"messages":[]}') }));
    const parts: Uint8Array[] = [];
    const reading = (async () => {
      for await (const { PayloadPart: part } of Body) parts.push(part?.Bytes ?? new Uint8Array());
    })();
    await expect(reading).rejects.toMatchObject({ name: "ModelStreamError", ErrorCode: "StreamBroken" });
    expect([Buffer.concat(parts).toString(), ContentType]).toEqual([events, "text/event-stream"]);
    expect(parts.length).toBeGreaterThan(10);
    upstream.answer(modelError(400, "too long"));
    await expect(client.send(new InvokeEndpointWithResponseStreamCommand({ EndpointName: endpoint, Body: Buffer.from('{"messages":[]}') }))).rejects.toMatchObject({ name: "ModelError", OriginalStatusCode: 400, OriginalMessage: "too long", $metadata: { httpStatusCode: 424 } });
  });
});

describe("an answer in OpenAI's words", () => {
  it.each([
    ["server-sent events", payloadReply(events), "c-1"],
    ["server-sent events that are called JSON", payloadReply(events, { contentType: "application/json" }), "c-1"],
    ["lines of JSON", payloadReply(lines.join("\n"), { contentType: "application/jsonlines" }), "c-1"],
    ["one value, over many lines", payloadReply(JSON.stringify({ model: "m", choices: [{ message: { content: "One mebibyte, 😀." }, finish_reason: "stop" }], usage: { prompt_tokens: 9, completion_tokens: 4 } }, undefined, 2), { contentType: "application/json" }), "answer-0001"],
  ])("may come as %s", async (_, reply, responseId) => {
    const { text, end } = await answered(reply);
    expect([text, end]).toEqual(["One mebibyte, 😀.", { type: "end", finishReason: "stop", usage: { inputTokens: 9, outputTokens: 4, cachedInputTokens: 0 }, model: "m", responseId }]);
  });

  it("is asked for without a model's name, and with one where the reference gives it", async () => {
    const { body, path } = await answered(payloadReply(events), { change: { ...question, maxTokens: 40, seed: 7 } });
    expect([body, path]).toEqual([
      { messages: question.messages, stream: true, stream_options: { include_usage: true }, max_tokens: 40, seed: 7 },
      `/endpoints/${endpoint}/invocations-response-stream`,
    ]);
    const named = await answered(payloadReply(events), { options: "?model=qwen&component=ic-1&variant=blue" });
    expect(named.body).toMatchObject({ model: "qwen" });
    expect(named.headers).toMatchObject({ "x-amzn-sagemaker-inference-component": "ic-1", "x-amzn-sagemaker-target-variant": "blue", "content-type": "application/json" });
  });

  it("comes in one piece from a container that cannot stream", async () => {
    const whole = { id: "c-2", model: "m", choices: [{ message: { content: "Yes.", tool_calls: [{ id: "t", function: { name: "f", arguments: "{}" } }] }, finish_reason: "stop" }] };
    const { text, calls, end, path, body } = await answered({ body: whole }, { options: "?stream=false" });
    expect([text, calls, end?.finishReason, end?.isUsageEstimated]).toEqual(["Yes.", [{ id: "t", name: "f", arguments: "{}" }], "tool_calls", true]);
    expect([path, body["stream"], body["stream_options"]]).toEqual([`/endpoints/${endpoint}/invocations`, false, undefined]);
  });

  it("is asked for without a count of its tokens where the container refuses to count", async () => {
    const upstream = await started();
    upstream.answer(modelError(422, "stream_options: extra fields not permitted"));
    upstream.answer(payloadReply(events));
    upstream.answer(payloadReply(events));
    const model = await upstream.open();
    expect([(await ask(model)).text, (await ask(model)).text]).toEqual(["One mebibyte, 😀.", "One mebibyte, 😀."]);
    expect(upstream.server.requests.map(({ body }) => "stream_options" in (body as object))).toEqual([true, false, false]);
  });
});

describe("an answer in TGI's words", () => {
  const token = (text: string, rest: object = {}): string => `data:${JSON.stringify({ index: 1, token: { id: 1, text, logprob: -1, special: false }, generated_text: null, details: null, ...rest })}\n\n`;

  it("may come token by token", async () => {
    const last = token("</s>", { token: { id: 2, text: "</s>", special: true }, generated_text: "One mebibyte", details: { finish_reason: "length", generated_tokens: 3, seed: null } });
    const { text, end, body } = await answered(payloadReply(token("One mebi") + token("byte") + last), { options: "?format=tgi", change: { ...question, temperature: 0.5, topP: 1, maxTokens: 3, stop: ["END"], seed: 1 } });
    expect([text, end]).toEqual(["One mebibyte", { type: "end", finishReason: "length", usage: { inputTokens: expect.any(Number), outputTokens: 3, cachedInputTokens: 0 }, isUsageEstimated: true, model: endpoint, responseId: "answer-0001" }]);
    expect(body).toEqual({ inputs: "Be kind.\n\nHow large?", stream: true, parameters: { details: true, return_full_text: false, temperature: 0.5, do_sample: true, max_new_tokens: 3, stop: ["END"], seed: 1 } });
  });

  it("may come at once", async () => {
    const messages = [...(question.messages ?? []), { role: "assistant", content: "One." }, { role: "user", content: "Sure?" }] as const;
    const { text, end, body } = await answered({ body: [{ generated_text: "Yes." }] }, { options: "?format=tgi&stream=false", change: { messages, temperature: 0, topP: 0.9, format: "json", schema: { name: "s", schema: { type: "object" } } } });
    expect([text, end?.finishReason, end?.isUsageEstimated]).toEqual(["Yes.", "stop", true]);
    expect(body).toEqual({
      inputs: "Be kind.\n\nAnswer with one JSON value and nothing else.\n\nUser: How large?\nAssistant: One.\nUser: Sure?\nAssistant:",
      parameters: { details: true, return_full_text: false, do_sample: false, top_p: 0.9, grammar: { type: "json", value: { type: "object" } } },
    });
  });

  it.each([
    ["no end", payloadReply(token("One")), { code: "SERVICE_CUT", retry: { afterMs: null } }],
    ["an error", payloadReply(`${token("One")}data:{"error":"Input validation failed","error_type":"validation"}\n\n`), { message: expect.stringContaining("Input validation failed") }],
    ["another form", payloadReply(events), { code: "SERVICE_FAILED", fix: expect.stringContaining("format=openai") }],
    ["no JSON", payloadReply("data: hello\n\n"), { code: "SERVICE_FAILED", message: expect.stringContaining("not JSON") }],
  ])("fails with %s", async (_, reply, failure) => {
    expect(await failing(reply, "?format=tgi")).toMatchObject(failure);
  });

  it("cannot hold tools or images", async () => {
    const upstream = await started();
    const model = await upstream.open("?format=tgi");
    await expect(ask(model, { tools: [{ name: "f", parameters: {} }] })).rejects.toMatchObject({ code: "MODEL_UNABLE", message: expect.stringContaining("tools") });
    await expect(ask(model, { messages: [{ role: "user", content: "", images: [{ url: "data:," }] }] })).rejects.toMatchObject({ code: "MODEL_UNABLE", message: expect.stringContaining("images") });
  });
});

describe("a failure of a SageMaker endpoint", () => {
  it.each([
    [400, "SERVICE_REJECTED", undefined], [401, "SERVICE_REJECTED", undefined], [429, "SERVICE_LIMITED", { afterMs: null }], [500, "SERVICE_UNAVAILABLE", { afterMs: null }], [503, "SERVICE_UNAVAILABLE", { afterMs: null }],
  ])("of its container with %i is %s, in the container's words", async (status, code, retry) => {
    expect(await failing(modelError(status, "CUDA out of memory"))).toMatchObject({ code, retry, message: `sagemaker:${endpoint} answered 424 ModelError: CUDA out of memory (request m0de)` });
  });

  it.each([
    ["ModelStreamError", { Message: "The model timed out", ErrorCode: "ModelInvocationTimeExceeded" }, "SERVICE_CUT"], ["InternalStreamFailure", { Message: "Oh" }, "SERVICE_CUT"],
  ])("on its way as %s is a cut, and can be asked again", async (type, payload, code) => {
    expect(await failing(payloadReply(`data: ${lines[0]}\n\n`, { after: [exceptionFrame(type, payload)] }))).toMatchObject({ code, retry: { afterMs: null }, message: `sagemaker:${endpoint} broke off its answer: ${type}: ${payload.Message} (request answer-0001)` });
  });

  it.each([
    ["whose stream has no end", payloadReply(`data: ${lines[0]}\n\n`), { code: "SERVICE_CUT", retry: { afterMs: null } }],
    ["that is an error in the stream", payloadReply('data: {"error":{"message":"Engine died","type":"server_error"}}\n\n'), { code: "SERVICE_UNAVAILABLE", message: expect.stringContaining("Engine died") }],
    ["that is no JSON", payloadReply("<html></html>", { contentType: "application/json" }), { code: "SERVICE_FAILED", message: expect.stringContaining("not JSON") }],
    ["that says nothing", payloadReply(""), { code: "SERVICE_CUT", retry: { afterMs: null } }],
    ["that is a page", payloadReply("<html></html>", { contentType: "text/html; charset=utf-8" }), { code: "SERVICE_FAILED", retry: undefined, message: expect.stringContaining("not JSON") }],
  ])("%s", async (_, reply, failure) => {
    expect(await failing(reply)).toMatchObject(failure);
  });

  it.each(["", "&format=tgi"])("that comes whole is told by what happened (%j)", async (format) => {
    const whole: readonly (readonly [Fault, object])[] = [
      ["cut", { code: "SERVICE_CUT", retry: { afterMs: null } }],
      ["reset", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
      ["garbage", { code: "SERVICE_FAILED", retry: undefined }],
      [{ body: { hello: "world" } }, { code: "SERVICE_FAILED", retry: undefined }],
      [{ body: { error: "Model is overloaded", error_type: "overloaded" } }, { message: expect.stringContaining("Model is overloaded") }],
      [modelError(429, "busy"), { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
      [modelError(500, "CUDA out of memory"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
      [{ status: 403, headers: { "x-amzn-errortype": "ExpiredTokenException" }, body: { message: "expired" } }, { code: "SERVICE_UNAUTHENTICATED", retry: undefined }],
    ];
    const upstream = await started();
    const model = await upstream.open(`?stream=false${format}`);
    for (const [fault, failure] of whole) {
      upstream.server.faults.push(fault);
      await expect(ask(model, question)).rejects.toMatchObject(failure);
    }
    upstream.server.faults.push("hang");
    await expect(ask(await upstream.open(`?stream=false${format}&timeoutMs=100`), question)).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
    expect(upstream.server.requests).toHaveLength(whole.length + 1);
  });
});

describe("sagemaker:", () => {
  it.each([
    ["sagemaker:", /names no endpoint/], ["sagemaker:arn:aws:sagemaker:us-east-1:1:endpoint/x", /names no endpoint/], ["sagemaker:x?format=cohere", /expected openai or tgi/], ["sagemaker:x?stream=no", /expected true or false/], ["sagemaker:x?target=y", /unknown option "target"/],
  ])("refuses %s", async (reference, message) => {
    await expect(openModel(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(message) });
  });

  it("checks its endpoint by a request for nothing, which no container answers with words", async () => {
    const upstream = await started();
    const model = await upstream.open();
    expect(await model.check()).toEqual({ version: null, detail: "the endpoint answers" });
    expect(upstream.server.requests.map(({ body }) => body)).toEqual([{}]);
    upstream.server.faults.push(modelError(500, "KeyError: messages"));
    expect(await model.check()).toEqual({ version: null, detail: "the endpoint answers" });
    upstream.server.faults.push({ status: 403, headers: { "x-amzn-errortype": "AccessDeniedException" }, body: { Message: "not authorized" } });
    await expect(model.check()).rejects.toMatchObject({ code: "SERVICE_DENIED", fix: expect.stringContaining("sagemaker:InvokeEndpoint") });
    const other = await openModel("sagemaker:other", { dir: "/", env: { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "s", AWS_ENDPOINT_URL: upstream.server.url } });
    await expect(other.check()).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND", message: expect.stringContaining("Endpoint other of account 123456789012 not found") });
  });
});

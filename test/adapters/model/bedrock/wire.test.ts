import { BedrockRuntimeClient, ConverseStreamCommand, type ConverseStreamOutput } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";
import { describe, expect, it, onTestFinished } from "vitest";
import { contentFrames, endFrames, sendFrames } from "../../../helpers/converse-frames.ts";
import { claude, startConverseUpstream } from "../../../helpers/converse-upstream.ts";
import { errorFrame, exceptionFrame } from "../../../helpers/event-stream.ts";
import type { Reply } from "../../../helpers/service-server.ts";

const reply = { reasons: "Let me see.", says: ["Größe: ", "1 MiB 😀"], callsTools: [{ id: "call_1", name: "look_up", arguments: '{"what":"x"}' }, { id: "call_2", name: "count", arguments: "{}" }] };

/** What the SDK makes of an answer, with no code of ours between. */
async function read(answer: Reply, handler: NodeHttpHandler | NodeHttp2Handler = new NodeHttpHandler()): Promise<{ readonly events: readonly ConverseStreamOutput[]; readonly error: Error | undefined; readonly requestId: string | undefined }> {
  const upstream = await startConverseUpstream();
  const client = new BedrockRuntimeClient({ region: "us-east-1", endpoint: upstream.server.url, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, requestHandler: handler, maxAttempts: 1 });
  onTestFinished(() => {
    client.destroy();
    return upstream.server.close();
  });
  upstream.answer(answer);
  const events: ConverseStreamOutput[] = [];
  const { stream = [], $metadata } = await client.send(new ConverseStreamCommand({ modelId: claude, messages: [{ role: "user", content: [{ text: "Hello" }] }] }));
  try {
    for await (const event of stream) events.push(event);
    return { events, error: undefined, requestId: $metadata.requestId };
  } catch (error) {
    return { events, error: error as Error, requestId: $metadata.requestId };
  }
}

describe("the mock of ConverseStream", () => {
  it.each([["HTTP/1.1", () => new NodeHttpHandler()], ["HTTP/2", () => new NodeHttp2Handler()]])("is read by AWS's own client over %s, whose frames are cut anywhere", async (_, handler) => {
    const { events, error, requestId } = await read({ send: sendFrames([...contentFrames(reply), ...endFrames(reply)], { requestId: "r-1" }) }, handler());
    expect([error, requestId]).toEqual([undefined, "r-1"]);
    expect(events.map((event) => Object.keys(event)[0])).toEqual([
      "messageStart", ...Array.from({ length: 3 }, () => "contentBlockDelta"), "contentBlockStop", "contentBlockDelta", "contentBlockDelta", "contentBlockStop",
      "contentBlockStart", "contentBlockDelta", "contentBlockDelta", "contentBlockStop", "contentBlockStart", "contentBlockDelta", "contentBlockStop", "messageStop", "metadata",
    ]);
    expect(events.map(({ contentBlockDelta: delta }) => delta?.delta?.text ?? "").join("")).toBe("Größe: 1 MiB 😀");
    expect(events.at(-1)?.metadata).toMatchObject({ usage: { inputTokens: 14, outputTokens: 5, totalTokens: 22, cacheReadInputTokens: 3 }, metrics: { latencyMs: 12 } });
  });

  it("throws its exceptions as AWS's own client knows them", async () => {
    const thrown = async (frame: Buffer): Promise<Error | undefined> => (await read({ send: sendFrames([...contentFrames({ says: ["A"] }), frame], { requestId: "r-1" }) })).error;
    const known = await thrown(exceptionFrame("throttlingException", { message: "Too many tokens" }));
    expect(known).toMatchObject({ name: "ThrottlingException", message: "Too many tokens" });
    expect(known).not.toHaveProperty("$metadata.httpStatusCode");
    expect(await thrown(exceptionFrame("modelStreamErrorException", { message: "Broken", originalStatusCode: 500 }))).toMatchObject({ name: "ModelStreamErrorException", originalStatusCode: 500 });
    expect(await thrown(errorFrame("InternalFailure", "Oh"))).toMatchObject({ name: "InternalFailure", message: "Oh" });
    expect(await thrown(contentFrames({ says: ["cut in its middle"] })[1]?.subarray(0, 30) ?? Buffer.alloc(0))).toMatchObject({ message: "Truncated event message received." });
  });
});

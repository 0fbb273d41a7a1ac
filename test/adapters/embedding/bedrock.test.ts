import { BedrockRuntimeClient, InvokeModelCommand } from "@aws-sdk/client-bedrock-runtime";
import { NodeHttp2Handler, NodeHttpHandler } from "@smithy/node-http-handler";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openEmbedder } from "../../../src/adapters/registry.ts";
import type { Embedder } from "../../../src/ports/embedding.ts";
import { type BedrockServerOptions, startBedrockServer } from "../../helpers/bedrock-server.ts";
import type { ServiceServer } from "../../helpers/service-server.ts";
import { describeEmbedder } from "../../ports/embedding.contract.ts";
import { describeFaults } from "./faults.ts";

const key = "bedrock-api-key-0123456789";
const signing = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-east-1" };

async function started(options: BedrockServerOptions = {}): Promise<ServiceServer> {
  const server = await startBedrockServer(options);
  onTestFinished(() => server.close());
  return server;
}

function opened(reference: string, env: Record<string, string>): Promise<Embedder> {
  return openEmbedder(reference, { dir: "/", env });
}

async function signed(reference: string): Promise<{ readonly server: ServiceServer; readonly embedder: Embedder }> {
  const server = await started();
  return { server, embedder: await opened(reference, { ...signing, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url }) };
}

for (const model of ["amazon.titan-embed-text-v2:0", "amazon.titan-embed-text-v1", "cohere.embed-english-v3", "eu.cohere.embed-v4:0"]) {
  describeEmbedder(`bedrock:${model}`, async () => (await signed(`bedrock:${model}`)).embedder);
}

for (const [model, short] of [["amazon.titan-embed-text-v2:0", { embedding: [1, 2, 3] }], ["cohere.embed-multilingual-v3", { embeddings: { float: [[1, 2, 3], [1, 2, 3]] } }]] as const) {
  describeFaults(`bedrock:${model}`, {
    key,
    start: () => startBedrockServer({ bearer: key }),
    open: ({ url, key, timeoutMs }) => opened(`bedrock:${model}?region=us-east-1&timeoutMs=${timeoutMs}`, { AWS_BEARER_TOKEN_BEDROCK: key, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: url }),
    refusal: (status) => ({ status, headers: { "x-amzn-errortype": status === 429 ? "ThrottlingException" : "InternalServerException" }, body: { message: `The service said ${status}` } }),
    short: { body: short },
  });
}

describe("the mock of Bedrock", () => {
  it.each([["HTTP/2", () => new NodeHttp2Handler()], ["HTTP/1.1", () => new NodeHttpHandler()]])("answers the SDK over %s", async (_, handler) => {
    const server = await started();
    const client = new BedrockRuntimeClient({ region: "us-east-1", endpoint: server.url, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, requestHandler: handler(), maxAttempts: 1 });
    onTestFinished(() => client.destroy());
    const answer = await client.send(new InvokeModelCommand({ modelId: "amazon.titan-embed-text-v2:0", contentType: "application/json", body: JSON.stringify({ inputText: "text", dimensions: 256 }) }));
    expect((JSON.parse(new TextDecoder().decode(answer.body)) as { embedding: number[] }).embedding).toHaveLength(256);
    server.faults.push({ status: 429, headers: { "x-amzn-errortype": "ThrottlingException" }, body: { message: "Too many requests" } });
    const refused = client.send(new InvokeModelCommand({ modelId: "amazon.titan-embed-text-v2:0", body: "{}" }));
    await expect(refused).rejects.toMatchObject({ name: "ThrottlingException", $metadata: { httpStatusCode: 429 } });
    expect(server.requests[0]?.path).toBe("/model/amazon.titan-embed-text-v2%3A0/invoke");
  });
});

describe("bedrock:", () => {
  it("knows its models without asking: length, tasks, limits and price", async () => {
    const { embedder: titan, server } = await signed("bedrock:amazon.titan-embed-text-v2:0?dimensions=512");
    expect(titan.identity).toEqual({ provider: "bedrock", model: "amazon.titan-embed-text-v2:0", dimensions: 512, normalised: true, documentTask: null, queryTask: null });
    expect(titan).toMatchObject({ maxBatch: 1, requestsAtOnce: 16, maxTextTokens: 8192, usdPerMillionTokens: 0.02, fusionWeight: 1 });
    const { embedder: cohere } = await signed("bedrock:cohere.embed-multilingual-v3");
    expect(cohere.identity).toEqual({ provider: "bedrock", model: "cohere.embed-multilingual-v3", dimensions: 1024, normalised: true, documentTask: "search_document", queryTask: "search_query" });
    expect(server.requests).toEqual([]);
  });

  it("sends Titan one text a call, so that a call is a request wherever requests are counted", async () => {
    const { server, embedder } = await signed("bedrock:amazon.titan-embed-text-v2:0?dimensions=256");
    await embedder.embed(["a text"], "document");
    expect(server.requests.map(({ body }) => body)).toEqual([{ inputText: "a text", dimensions: 256, normalize: true }]);
    // Nothing is left out unseen, should anybody send more.
    await expect(embedder.embed(["one", "two"], "document")).rejects.toMatchObject({ code: "SERVICE_FAILED", message: "bedrock:amazon.titan-embed-text-v2:0 was asked for 2 vectors and gave 1" });
  });

  it("tells Cohere whether a text is a document or a query", async () => {
    const { server, embedder } = await signed("bedrock:us.cohere.embed-v4:0?dimensions=256");
    const [asDocument] = await embedder.embed(["text"], "document");
    const [asQuery] = await embedder.embed(["text"], "query");
    expect(asDocument).not.toEqual(asQuery);
    expect(server.requests.map(({ body }) => body)).toEqual(["search_document", "search_query"].map((input_type) => ({ texts: ["text"], input_type, truncate: "RIGHT", embedding_types: ["float"], output_dimension: 256 })));
    expect(server.requests[0]?.path).toBe("/model/us.cohere.embed-v4%3A0/invoke");
    // The vectors are the same through every profile, so the index fits them all.
    expect(embedder.identity.model).toBe("cohere.embed-v4:0");
  });

  it("reads the answer of a version that gives the bare list", async () => {
    const { server, embedder } = await signed("bedrock:cohere.embed-english-v3");
    server.faults.push({ body: { embeddings: [Array.from({ length: 1024 }, (_, i) => (i === 3 ? 2 : 0))], response_type: "embeddings_floats" } });
    expect((await embedder.embed(["text"], "document"))[0]?.[3]).toBe(1);
  });

  it("signs with the keys of its environment, and prefers a bearer token", async () => {
    const { server, embedder } = await signed("bedrock:cohere.embed-english-v3");
    await embedder.embed(["text"], "document");
    const bearing = await opened("bedrock:cohere.embed-english-v3", { ...signing, AWS_BEARER_TOKEN_BEDROCK: key, AWS_ENDPOINT_URL: server.url });
    await expect(bearing.embed(["text"], "document")).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
    expect(server.requests.map(({ headers }) => headers.authorization?.replace(/\/aws4_request.*/, ""))).toEqual([expect.stringMatching(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/bedrock$/), `Bearer ${key}`]);
  });

  it.each([
    ["ModelNotReadyException", 429, "SERVICE_UNAVAILABLE", true],
    ["ModelTimeoutException", 408, "SERVICE_TIMEOUT", true],
    ["ModelErrorException", 424, "SERVICE_UNAVAILABLE", true],
    ["ServiceUnavailableException", 503, "SERVICE_UNAVAILABLE", true],
    ["ThrottlingException", 429, "SERVICE_LIMITED", true],
    ["ServiceQuotaExceededException", 400, "SERVICE_QUOTA", false],
    ["ValidationException", 400, "SERVICE_REJECTED", false],
    ["ResourceNotFoundException", 404, "SERVICE_NOT_FOUND", false],
    ["AccessDeniedException", 403, "SERVICE_DENIED", false],
    ["ExpiredTokenException", 403, "SERVICE_UNAUTHENTICATED", false],
  ] as const)("understands %s", async (type, status, code, mayPass) => {
    const { server, embedder } = await signed("bedrock:cohere.embed-english-v3");
    server.faults.push({ status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "b0a1" }, body: { message: "Because" } });
    await expect(embedder.embed(["text"], "document")).rejects.toMatchObject({
      code, message: `bedrock:cohere.embed-english-v3 answered ${status} ${type}: Because (request b0a1)`, retry: mayPass ? { afterMs: null } : undefined,
    });
  });

  it("advises an inference profile where the bare model is not to be had", async () => {
    const { server, embedder } = await signed("bedrock:cohere.embed-v4:0");
    server.faults.push({ status: 400, headers: { "x-amzn-errortype": "ValidationException" }, body: { message: "Invocation of model ID cohere.embed-v4:0 with on-demand throughput isn’t supported." } });
    await expect(embedder.embed(["text"], "document")).rejects.toMatchObject({ fix: expect.stringContaining("bedrock:us.cohere.embed-v4:0") });
  });

  it("names what is missing: the region, or credentials", async () => {
    const unset = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_BEARER_TOKEN_BEDROCK", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI"];
    for (const name of unset) vi.stubEnv(name, undefined);
    for (const [name, value] of [["AWS_CONFIG_FILE", "/nowhere/config"], ["AWS_SHARED_CREDENTIALS_FILE", "/nowhere/credentials"], ["AWS_EC2_METADATA_DISABLED", "true"]] as const) vi.stubEnv(name, value);
    onTestFinished(() => void vi.unstubAllEnvs());
    await expect(opened("bedrock:cohere.embed-english-v3", {})).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", fix: expect.stringContaining("bedrock:cohere.embed-english-v3?region=us-east-1") });
    const server = await started();
    const embedder = await opened("bedrock:cohere.embed-english-v3?region=eu-west-1", { AWS_ENDPOINT_URL: server.url });
    await expect(embedder.embed(["text"], "document")).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", message: expect.stringContaining("needs AWS credentials"), retry: undefined });
    expect(server.requests).toEqual([]);
  });

  it.each([
    ["bedrock:", /Known: amazon\.titan/],
    ["bedrock:amazon.titan-embed-text-v3", /Did you mean "amazon\.titan-embed-text-v[12]/],
    ["bedrock:anthropic.claude-sonnet-4-v1:0", /no embedding model of Bedrock/],
    ["bedrock:amazon.titan-embed-text-v2:0?dimensions=300", /the model gives 256, 512, 1024/],
    ["bedrock:cohere.embed-english-v3?dimensions=512", /the model gives 1024/],
    ["bedrock:cohere.embed-english-v3?region=Frankfurt", /"Frankfurt" as its region/],
    ["bedrock:cohere.embed-english-v3?zone=a", /unknown option "zone"/],
  ])("refuses %s", async (reference, message) => {
    await expect(opened(reference, signing)).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(message) });
  });
});

import { BedrockAgentRuntimeClient, RerankCommand } from "@aws-sdk/client-bedrock-agent-runtime";
import { describe, expect, it, onTestFinished } from "vitest";
import { openReranker } from "../../../src/adapters/registry.ts";
import type { Reranker } from "../../../src/ports/rerank.ts";
import { refuse, startBedrockServer } from "../../helpers/bedrock-server.ts";
import type { ServiceServer } from "../../helpers/service-server.ts";
import { describeReranker } from "../../ports/rerank.contract.ts";

const name = "bedrock:cohere.rerank-v3-5:0";
const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-west-2" };

async function started(): Promise<ServiceServer> {
  const server = await startBedrockServer();
  onTestFinished(() => server.close());
  return server;
}

async function opened(reference = name): Promise<{ readonly server: ServiceServer; readonly reranker: Reranker }> {
  const server = await started();
  return { server, reranker: await openReranker(reference, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL_BEDROCK_AGENT_RUNTIME: server.url } }) };
}

describeReranker("bedrock:", async () => (await opened()).reranker);

it("is mocked so that AWS's own client reads it, page by page, over HTTP/2 as well", async () => {
  const server = await started();
  const client = new BedrockAgentRuntimeClient({ region: "us-west-2", endpoint: server.url, credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" }, maxAttempts: 1 });
  onTestFinished(() => client.destroy());
  const sources = Array.from({ length: 60 }, (_, i) => ({ type: "INLINE" as const, inlineDocumentSource: { type: "TEXT" as const, textDocument: { text: `text ${i}` } } }));
  const modelArn = "arn:aws:bedrock:us-west-2::foundation-model/amazon.rerank-v1:0";
  const input = { queries: [{ type: "TEXT" as const, textQuery: { text: "text 7" } }], sources, rerankingConfiguration: { type: "BEDROCK_RERANKING_MODEL" as const, bedrockRerankingConfiguration: { modelConfiguration: { modelArn } } } };
  const first = await client.send(new RerankCommand(input));
  expect([first.results?.length, first.results?.[0]?.index]).toEqual([40, 7]);
  const { nextToken = "" } = first;
  expect((await client.send(new RerankCommand({ ...input, nextToken }))).results).toHaveLength(20);
});

describe("bedrock: as a reranker", () => {
  it("names the model by its ARN in its own region, and signs for it", async () => {
    const { server, reranker } = await opened(`${name}?region=ap-northeast-1`);
    await reranker.rerank("question", ["a text", ""]);
    expect(server.requests[0]?.body).toMatchObject({ sources: [{}], rerankingConfiguration: { bedrockRerankingConfiguration: { numberOfResults: 1, modelConfiguration: { modelArn: "arn:aws:bedrock:ap-northeast-1::foundation-model/cohere.rerank-v3-5:0" } } } });
    expect(server.requests[0]?.headers.authorization).toContain("/ap-northeast-1/bedrock/");
  });

  it.each([
    ["a rate limit", { ...refuse(429, "ThrottlingException", "Slow down"), headers: { "x-amzn-errortype": "ThrottlingException", "retry-after": "3" } }, { code: "SERVICE_LIMITED", retry: { afterMs: 3000 } }],
    ["a rate limit that names no time", refuse(429, "ThrottlingException", "Slow down"), { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
    ["a failure inside the service", refuse(500, "InternalServerException", "Oh"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["an error of the service", refuse(502, "BadGatewayException", "Oh"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["a model behind it that fails", refuse(424, "DependencyFailedException", "Oh"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["a role that may not", refuse(403, "AccessDeniedException", "no"), { code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining("bedrock:Rerank") }],
    ["expired credentials", refuse(403, "ExpiredTokenException", "no"), { code: "SERVICE_UNAUTHENTICATED", retry: undefined }],
    ["a connection that breaks", "cut", { code: "SERVICE_CUT", retry: { afterMs: null } }],
    ["a connection that is reset", "reset", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["a page", "garbage", { code: "SERVICE_FAILED", retry: undefined }],
    ["an answer of another kind", { body: { hello: "world" } }, { code: "SERVICE_FAILED", retry: undefined }],
    ["scores of other texts", { body: { results: [{ index: 0, relevanceScore: 1 }, { index: 7, relevanceScore: 0.5 }] } }, { code: "SERVICE_FAILED", retry: undefined }],
  ] as const)("understands %s", async (_, fault, failure) => {
    const { server, reranker } = await opened();
    server.faults.push(fault);
    await expect(reranker.rerank("question", ["one text", "another"])).rejects.toMatchObject(failure);
    expect(server.requests).toHaveLength(1);
  });

  it("gives up on a service that does not answer in time, or that nobody waits for", async () => {
    const { server, reranker } = await opened(`${name}?timeoutMs=100`);
    server.faults.push("hang", "hang");
    await expect(reranker.rerank("question", ["text"])).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", message: expect.stringContaining("within 100 ms") });
    const controller = new AbortController();
    const ranking = reranker.rerank("question", ["text"], controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    await expect(ranking).rejects.toBe(reason);
    const nowhere = await openReranker(name, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL: "http://127.0.0.1:9" } });
    await expect(nowhere.rerank("question", ["text"])).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: `${name}: nothing answers at 127.0.0.1:9` });
  });

  it.each([["bedrock:", /names no model/], [`${name}?top=3`, /unknown option "top"/]])("refuses %s", async (reference, message) => {
    await expect((async () => openReranker(reference, { dir: "/", env: {} }))()).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(message) });
  });
});

import { inspect } from "node:util";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { openModel } from "../../../../src/adapters/registry.ts";
import type { Model } from "../../../../src/ports/model.ts";
import { catalogueReply } from "../../../helpers/bedrock-catalogue.ts";
import { refuse, startBedrockServer } from "../../../helpers/bedrock-server.ts";
import { contentFrames, endFrames, sendFrames } from "../../../helpers/converse-frames.ts";
import { claude, startConverseUpstream } from "../../../helpers/converse-upstream.ts";
import { type Fault, type ServiceServer, startServer } from "../../../helpers/service-server.ts";
import { ask, request } from "../../../ports/model-ask.ts";

const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-east-1" };
const yes = { send: sendFrames([...contentFrames({ says: ["Yes."] }), ...endFrames({})], { requestId: "r-1" }) };

async function served(bearer?: string): Promise<ServiceServer> {
  const server = await startBedrockServer({ converse: () => yes, ...(bearer === undefined ? {} : { bearer }) });
  onTestFinished(() => server.close());
  return server;
}

function opened(model: string, env: Record<string, string>): Promise<Model> {
  return openModel(`bedrock:${model}`, { dir: "/", env: { ...keys, ...env } });
}

/** As on a machine where nobody has set up AWS. */
function withoutCredentials(): void {
  const unset = ["AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_BEARER_TOKEN_BEDROCK", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_EC2_METADATA_DISABLED"];
  for (const name of unset) vi.stubEnv(name, undefined);
  for (const name of ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]) vi.stubEnv(name, "/nowhere");
  onTestFinished(() => void vi.unstubAllEnvs());
}

describe("the way to Bedrock", () => {
  it("is signed with the keys of its environment, for the region of its reference", async () => {
    const server = await served();
    await ask(await openModel(`bedrock:${claude}?region=eu-west-3`, { dir: "/", env: { ...keys, AWS_ENDPOINT_URL_BEDROCK_RUNTIME: server.url } }));
    expect(server.requests[0]?.headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-3\/bedrock\/aws4_request/);
    expect(server.requests[0]?.path).toBe("/model/anthropic.claude-test-v1%3A0/converse-stream");
  });

  it("is signed for the region of an ARN, which is sent whole", async () => {
    const server = await served();
    const arn = "arn:aws:bedrock:ap-south-1:123456789012:application-inference-profile/abc123";
    await ask(await opened(arn, { AWS_ENDPOINT_URL: server.url }));
    expect(server.requests[0]?.headers.authorization).toContain("/ap-south-1/bedrock/");
    expect(decodeURIComponent(server.requests[0]?.path ?? "")).toBe(`/model/${arn}/converse-stream`);
  });

  it("takes a bearer token before any keys, for answers and for checks, and never shows it", async () => {
    const server = await served("bedrock-api-key-1");
    const model = await opened(claude, { AWS_ENDPOINT_URL: server.url, AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-1\n" });
    expect([(await ask(model)).text, (await model.check()).detail]).toEqual(["Yes.", "active"]);
    const wrong = await opened(claude, { AWS_ENDPOINT_URL: server.url, AWS_BEARER_TOKEN_BEDROCK: "bedrock-api-key-2" });
    const failure = await ask(wrong).catch((error: unknown) => error as Error);
    expect(failure).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", retry: undefined });
    expect(inspect(failure, { depth: 5 })).not.toContain("bedrock-api-key");
  });

  it("keeps its connection between answers", async () => {
    const upstream = await startConverseUpstream();
    onTestFinished(() => upstream.server.close());
    const model = await upstream.open();
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 3; i++) {
      upstream.answer({ send: (response) => (ports.add(response.socket?.remotePort), yes.send(response)) });
      await ask(model);
    }
    expect(ports.size).toBe(1);
  });

  it("needs credentials, and is not held up by looking for them on a machine that may not be Amazon's", async () => {
    withoutCredentials();
    let abandoned = 0;
    const metadata = await startServer(() => ({ send: (response) => void response.once("close", () => abandoned++) }));
    onTestFinished(() => metadata.close());
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url);
    const server = await served();
    const env = { AWS_ENDPOINT_URL: server.url };
    const impatient = await openModel(`bedrock:${claude}?region=us-east-1&timeoutMs=200`, { dir: "/", env });
    await expect(ask(impatient)).rejects.toMatchObject({ code: "SERVICE_TIMEOUT" });
    // The SDK still looks: it was not waited for.
    expect([metadata.requests.length, abandoned]).toEqual([1, 0]);
    const controller = new AbortController();
    const reason = new Error("enough");
    const asking = ask(await openModel(`bedrock:${claude}?region=us-east-1`, { dir: "/", env }), { signal: controller.signal });
    controller.abort(reason);
    await expect(asking).rejects.toBe(reason);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    const model = await openModel(`bedrock:${claude}?region=us-east-1`, { dir: "/", env });
    await expect(ask(model)).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", retry: undefined, message: expect.stringContaining("needs AWS credentials, and none were found"), fix: expect.stringContaining("AWS_BEARER_TOKEN_BEDROCK") });
    expect(server.requests).toEqual([]);
  });

  it("needs a region, and takes one that is named later", async () => {
    withoutCredentials();
    const server = await served();
    const model = await openModel(`bedrock:${claude}`, { dir: "/", env: { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "s", AWS_ENDPOINT_URL_BEDROCK: server.url } });
    await expect(model.generate(request)[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", fix: expect.stringContaining(`bedrock:${claude}?region=us-east-1`) });
    vi.stubEnv("AWS_REGION", "us-east-1");
    await expect(model.check()).resolves.toMatchObject({ detail: "active" });
  });
});

describe("a check of Bedrock", () => {
  async function checked(model: string, { fault, runtime }: { readonly fault?: Fault; readonly runtime?: string } = {}): Promise<unknown> {
    const server = await served();
    if (fault !== undefined) server.faults.push(fault);
    return (await opened(model, { AWS_ENDPOINT_URL: server.url, ...(runtime === undefined ? {} : { AWS_ENDPOINT_URL_BEDROCK_RUNTIME: runtime }) })).check().catch((error: unknown) => error);
  }

  it.each([
    [claude, "active"], ["meta.llama-old-v1:0", "legacy, end of life 2027-01-15"], [`us.${claude}`, `active, for ${claude}`], ["eu.meta.llama-old-v1:0", "legacy, end of life 2027-01-15, for meta.llama-old-v1:0"],
    [`arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.${claude}`, `active, for ${claude}`], [`arn:aws:bedrock:us-east-1::foundation-model/${claude}`, "active"],
  ])("of %s tells: %s", async (model, detail) => {
    const isOld = model.includes("llama-old");
    expect(await checked(model)).toEqual({ version: null, detail, lifecycle: { state: isOld ? "legacy" : "active", endOfLife: isOld ? "2027-01-15" : null } });
  });

  it("says that a model does not exist, and where to look", async () => {
    expect(await checked("anthropic.claude-gone-v1:0")).toMatchObject({ code: "SERVICE_NOT_FOUND", message: expect.stringContaining("404 ResourceNotFoundException"), fix: expect.stringContaining("end of life") });
  });

  it("does not call a model down because a role may not look it up", async () => {
    const denied = refuse(403, "AccessDeniedException", "User is not authorized to perform: bedrock:GetFoundationModel");
    expect(await checked(claude, { fault: denied })).toEqual({ version: null, detail: "Bedrock answers; whether the model can be used is unknown, because looking it up is not allowed (bedrock:GetFoundationModel)", isModelUnknown: true });
    expect(await checked(`us.${claude}`, { fault: denied })).toMatchObject({ detail: expect.stringContaining("bedrock:GetInferenceProfile"), isModelUnknown: true });
  });

  it("does not call a model down because only the catalogue is", async () => {
    const runtime = await served();
    const down = refuse(503, "ServiceUnavailableException", "Down");
    expect(await checked(claude, { fault: down, runtime: runtime.url })).toMatchObject({ version: null, detail: expect.stringMatching(/^127\.0\.0\.1:\d+ answers; whether the model can be used is unknown, because 127\.0\.0\.1:\d+, where it is looked up, does not$/) });
    const limited = refuse(429, "ThrottlingException", "Slow down");
    expect(await checked(claude, { fault: limited, runtime: runtime.url })).toMatchObject({ isModelUnknown: true, detail: expect.stringMatching(/^127\.0\.0\.1:\d+ answers; .* where it is looked up, is asked too often$/) });
    expect(await checked(claude, { fault: limited })).toMatchObject({ code: "SERVICE_LIMITED" });
    expect(await checked(claude, { fault: down })).toMatchObject({ code: "SERVICE_UNAVAILABLE" });
    expect(await checked(claude, { fault: down, runtime: "http://127.0.0.1:9" })).toMatchObject({ code: "SERVICE_UNAVAILABLE" });
  });

  /** The profile is found, and the look at the model behind it ends so. */
  async function behindProfile(fault: Fault, options = ""): Promise<unknown> {
    const server = await startServer(({ path }) => catalogueReply(path) ?? refuse(404, "ResourceNotFoundException", "no"), { faultOf: ({ path }) => (path.startsWith("/foundation-models/") ? fault : undefined) });
    onTestFinished(() => server.close());
    return (await opened(`us.${claude}${options}`, { AWS_ENDPOINT_URL: server.url })).check().catch((error: unknown) => error);
  }

  it("finds a profile whose model it may not look up, and does not call it active", async () => {
    expect(await behindProfile(refuse(403, "AccessDeniedException", "User is not authorized to perform: bedrock:GetFoundationModel"))).toEqual({
      version: null, detail: `for ${claude}; whether that model can be used is unknown, because looking it up is not allowed (bedrock:GetFoundationModel)`, isModelUnknown: true,
    });
  });

  it.each([
    ["is retired", refuse(404, "ResourceNotFoundException", "The model is past its end of life"), { code: "SERVICE_NOT_FOUND", retry: undefined, message: expect.stringMatching(/404 ResourceNotFoundException.*it leads to anthropic\.claude-test-v1:0/), fix: expect.stringContaining("end of life") }],
    ["is asked for too often", refuse(429, "ThrottlingException", "Slow down"), { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
    ["cannot be looked up for now", refuse(500, "InternalServerException", "Oh"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["is answered for by a proxy", "garbage", { code: "SERVICE_FAILED", retry: undefined }],
    ["is told by half", "cut", { code: "SERVICE_CUT", retry: { afterMs: null } }],
    ["is not told, as the connection is reset", "reset", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["is looked up with credentials that expired in between", refuse(403, "ExpiredTokenException", "The security token included in the request is expired"), { code: "SERVICE_UNAUTHENTICATED", retry: undefined }],
  ] as const)("fails where the model behind a profile %s", async (_, fault, failure) => {
    expect(await behindProfile(fault)).toMatchObject(failure);
  });

  it("gives up in time on the model behind a profile", async () => {
    expect(await behindProfile("hang", "?timeoutMs=300")).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
  });

  it("looks for the model behind a profile in the other regions that the profile names", async () => {
    const arns = ["us-east-1", "us-west-2"].map((region) => ({ modelArn: `arn:aws:bedrock:${region}::foundation-model/${claude}` }));
    const server = await startServer(({ path, headers }) => {
      if (path.startsWith("/inference-profiles/")) return { body: { models: arns } };
      return (headers.authorization?.includes("/us-west-2/bedrock/") === true ? catalogueReply(path) : undefined) ?? refuse(404, "ResourceNotFoundException", "no");
    });
    onTestFinished(() => server.close());
    expect(await (await opened(`us.${claude}`, { AWS_ENDPOINT_URL: server.url })).check()).toMatchObject({ detail: `active, for ${claude}` });
    expect(server.requests.filter(({ headers }) => headers.authorization !== undefined)).toHaveLength(3);
  });

  it("takes the next of a profile's models where the first is gone", async () => {
    const arns = ["anthropic.claude-gone-v1:0", claude].map((id) => ({ modelArn: `arn:aws:bedrock:us-east-1::foundation-model/${id}` }));
    const server = await startServer(({ path }) => (path.startsWith("/inference-profiles/") ? { body: { models: arns } } : (catalogueReply(path) ?? refuse(404, "ResourceNotFoundException", "no"))));
    onTestFinished(() => server.close());
    expect(await (await opened(`us.${claude}`, { AWS_ENDPOINT_URL: server.url })).check()).toMatchObject({ detail: `active, for ${claude}` });
  });

  it("fails with credentials that have expired", async () => {
    expect(await checked(claude, { fault: refuse(403, "ExpiredTokenException", "The security token included in the request is expired") })).toMatchObject({ code: "SERVICE_UNAUTHENTICATED" });
  });
});

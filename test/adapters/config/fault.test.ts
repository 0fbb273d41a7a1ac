import { describe, expect, it, onTestFinished, vi } from "vitest";
import type { AwsConfigOptions } from "../../../src/adapters/config/aws.ts";
import { openConfig as openSecret } from "../../../src/adapters/config/secretsmanager/adapter.ts";
import { openConfig as openParameters } from "../../../src/adapters/config/ssm/adapter.ts";
import type { ConfigProvider } from "../../../src/ports/config.ts";
import { type Fault, type Reply, type ServiceServer, startServer } from "../../helpers/service-server.ts";

const answers: Readonly<Record<string, Reply>> = {
  GetParametersByPath: { body: { Parameters: [{ Name: "/app/KEY", Value: "hunter2", Version: 1, Type: "SecureString" }] } },
  GetParameters: { body: { Parameters: [{ Name: "/app/KEY", Value: "hunter2", Version: 1, Type: "SecureString" }], InvalidParameters: [] } },
  GetSecretValue: { body: { Name: "app", VersionId: "v-1", SecretString: '{"KEY":"hunter2"}' } },
};
const failed = (status: number, type: string, message = `The service says ${type}`, headers: Readonly<Record<string, string>> = {}): Reply => ({ status, headers, body: { __type: type, message } });

interface Opened {
  readonly provider: ConfigProvider;
  readonly server: ServiceServer;
}

const services = [
  ["ssm:/app", (env: Record<string, string>, options: AwsConfigOptions) => openParameters("ssm:/app", { env }, options)],
  ["secretsmanager:app", (env: Record<string, string>, options: AwsConfigOptions) => openSecret("secretsmanager:app", { env }, options)],
] as const;

describe.each(services)("%s", (reference, openAt) => {
  async function open(faults: readonly Fault[] = [], options: AwsConfigOptions = {}): Promise<Opened> {
    const server = await startServer(({ headers }) => answers[String(headers["x-amz-target"]).split(".")[1] ?? ""] ?? failed(400, "UnknownOperationException"));
    onTestFinished(() => server.close());
    server.faults.push(...faults);
    const env = { AWS_ENDPOINT_URL: server.url, AWS_REGION: "eu-central-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "hush" };
    return { server, provider: await openAt(env, { attempts: 1, idleMs: 200, ...options }) };
  }

  it.each([
    ["refused credentials", failed(400, "UnrecognizedClientException"), { code: "SERVICE_UNAUTHENTICATED", retry: undefined, message: `${reference} refused the AWS credentials (UnrecognizedClientException: The service says UnrecognizedClientException)` }],
    ["expired credentials", failed(400, "ExpiredTokenException"), { code: "SERVICE_UNAUTHENTICATED", retry: undefined, message: `${reference} refused the AWS credentials (ExpiredTokenException: The service says ExpiredTokenException)` }],
    ["a missing permission", failed(400, "AccessDeniedException"), { code: "SERVICE_DENIED", retry: undefined, message: `${reference} may not be used with these AWS credentials (AccessDeniedException: The service says AccessDeniedException)`, fix: expect.stringMatching(/^Allow (?:ssm:GetParametersByPath|secretsmanager:GetSecretValue) .*kms:Decrypt/) }],
    ["a throttled call", failed(400, "ThrottlingException"), { code: "SERVICE_LIMITED", retry: { afterMs: null }, message: `${reference} is asked too often (ThrottlingException: The service says ThrottlingException)` }],
    ["a throttled call that says how long", failed(429, "TooManyRequestsException", "slower", { "retry-after": "3" }), { code: "SERVICE_LIMITED", retry: { afterMs: 3000 } }],
    ["an internal error", failed(500, "InternalServerError"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: `${reference} failed (InternalServerError: The service says InternalServerError)` }],
    ["a slow answer", "hang", { code: "SERVICE_TIMEOUT", retry: { afterMs: null }, message: expect.stringContaining(`${reference} did not answer in time`) }],
    ["a reset connection", "reset", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringContaining(`${reference} failed (`) }],
    ["an answer that is cut", "cut", { code: "SERVICE_CUT", retry: { afterMs: null }, message: expect.stringContaining(`${reference} broke off its answer`) }],
    ["garbage", "garbage", { code: "SERVICE_FAILED", retry: undefined, message: `${reference} answered something that cannot be read` }],
  ] as const)("fails with its own reason for %s", async (_, fault, expected) => {
    const { provider } = await open([fault]);
    await expect(provider.read()).rejects.toMatchObject(expected);
  });

  it("names the key of the encryption where it may not be used", async () => {
    for (const type of ["InvalidKeyId", "DecryptionFailure"]) {
      const { provider } = await open([failed(400, type)]);
      await expect(provider.read()).rejects.toMatchObject({ code: "SERVICE_DENIED", fix: expect.stringContaining("kms:Decrypt") });
    }
  });

  it("asks again when it is limited, with and without a time, and when the service stumbles", async () => {
    const { provider, server } = await open([failed(400, "ThrottlingException", "Rate exceeded", { "retry-after": "0" }), failed(400, "ThrottlingException"), failed(500, "InternalServerError"), "reset"], { attempts: 5 });
    expect((await provider.read()).values["KEY"]?.text).toBe("hunter2");
    expect(server.requests).toHaveLength(5);
  });

  it("shows no value, whatever is wrong with an answer", async () => {
    const broken: Fault = { json: '{"Parameters":[{"Name":"/app/KEY","Value":"hunter2" oops' };
    const text: Fault = { body: { Name: "app", VersionId: "v-1", SecretString: "hunter2 oops", Parameters: "hunter2" } };
    const number: Fault = { body: { VersionId: "v-1", SecretString: { hunter2: 1 }, Parameters: { hunter2: 1 } } };
    // What JavaScript's parser quotes in its message.
    const quoted: Fault = { json: "hunter2" };
    for (const fault of [broken, quoted, text, number]) {
      const { provider } = await open([fault]);
      const failure = await provider.read().catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(Error);
      const { message, cause } = failure as Error;
      expect([message, String(cause), String((failure as { fix?: string }).fix)].join(" ")).not.toContain("hunter2");
    }
  });

  it("is not there", async () => {
    const provider = await openAt({ AWS_ENDPOINT_URL: "http://127.0.0.1:9", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }, { attempts: 1 });
    await expect(provider.read()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", message: expect.stringContaining("ECONNREFUSED"), retry: { afterMs: null } });
  });

  it("needs credentials and a region, and says what to set", async () => {
    for (const name of ["AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"]) vi.stubEnv(name, "/nonexistent");
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_REGION", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    const { server } = await open();
    const nobody = await openAt({ AWS_ENDPOINT_URL: server.url }, { attempts: 1 });
    await expect(nobody.read()).rejects.toMatchObject({ fix: expect.stringContaining("AWS_ACCESS_KEY_ID") });
    const nowhere = await openAt({ AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }, { attempts: 1 });
    await expect(nowhere.read()).rejects.toMatchObject({ code: "CONFIG_INVALID", fix: expect.stringContaining("AWS_REGION") });
    vi.unstubAllEnvs();
  });

  it("fails in the same way when a version is read", async () => {
    const source = reference === "ssm:/app" ? "ssm:/app/KEY@1" : "secretsmanager:app@v-1";
    const { provider } = await open([failed(400, "AccessDeniedException")]);
    await expect(provider.readVersions?.({ KEY: source })).rejects.toMatchObject({ message: expect.stringContaining("AccessDeniedException") });
    expect(await provider.readVersions?.({ KEY: source })).toEqual({ KEY: "hunter2" });
  });
});

describe("ssm:", () => {
  it("goes on after an empty page, and not for ever", async () => {
    const pages: Reply[] = [
      { body: { Parameters: [], NextToken: "1" } },
      { body: { Parameters: [{ Name: "/app/A", Value: "1", Version: 1 }], NextToken: "2" } },
      { body: { NextToken: "3" } },
      { body: { Parameters: [{ Name: "/app/B", Value: "2", Version: 4 }] } },
    ];
    const server = await startServer(() => pages.shift() ?? { body: { Parameters: [], NextToken: "same" } });
    onTestFinished(() => server.close());
    const provider = await openParameters("ssm:/app", { env: { AWS_ENDPOINT_URL_SSM: server.url, AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" } });
    expect((await provider.read()).values).toEqual({ A: { text: "1", source: "ssm:/app/A@1" }, B: { text: "2", source: "ssm:/app/B@4" } });
    expect(server.requests.map(({ body }) => body)).toEqual([undefined, "1", "2", "3"].map((token) => ({ Path: "/app", Recursive: true, WithDecryption: true, MaxResults: 10, ...(token === undefined ? {} : { NextToken: token }) })));
    await expect(provider.read()).rejects.toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("same page") });
  });
});

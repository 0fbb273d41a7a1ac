import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { openVectorService } from "../../../src/adapters/registry.ts";
import type { VectorIndex, VectorQuery, VectorService } from "../../../src/ports/vectors.ts";
import { listening } from "../../helpers/listen.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../../helpers/moto.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { type S3Fault, type S3Proxy, startS3Proxy } from "../../helpers/s3-proxy.ts";
import { rows } from "../../ports/vector-index.contract.ts";

const byVector: VectorQuery = { mode: "vector", text: "", vector: Float32Array.of(1, 0, 0, 0), topK: 1 };
const byWords: VectorQuery = { mode: "text", text: "refunds", topK: 1 };

interface Opened {
  readonly service: VectorService;
  /** Opened before the trouble begins. */
  readonly index: VectorIndex;
}

const operations: readonly (readonly [string, (opened: Opened) => Promise<unknown>])[] = [
  ["check", ({ service }) => service.check()],
  ["list", ({ service }) => service.namespaces()],
  ["open", ({ service }) => service.open("docs")],
  ["search by vector", ({ index }) => index.search(byVector)],
  ["search by words", ({ index }) => index.search(byWords)],
  ["read rows", ({ index }) => Array.fromAsync(index.rows())],
  ["publish", ({ service }) => service.publish("other", { dimensions: 4, rows: streamOf(rows) })],
  ["drop", ({ service }) => service.drop("other")],
];

const again = { afterMs: null };
const faults: readonly (readonly [string, S3Fault, object])[] = [
  ["a missing right", [403, "AccessDenied"], { code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining("s3:") }],
  ["expired credentials", [400, "ExpiredToken"], { code: "SERVICE_UNAUTHENTICATED", retry: undefined, fix: expect.stringContaining("AWS_SESSION_TOKEN"), message: expect.stringContaining("ExpiredToken: The server says") }],
  ["a wrong key", [403, "InvalidAccessKeyId"], { code: "SERVICE_UNAUTHENTICATED", retry: undefined, message: expect.stringContaining("InvalidAccessKeyId") }],
  ["a rate limit", [503, "SlowDown"], { code: "SERVICE_LIMITED", retry: again, message: expect.stringContaining("SlowDown") }],
  ["trouble of the server's own", [500, "InternalError"], { code: "SERVICE_UNAVAILABLE", retry: again }],
  ["a proxy's page", "garbage", { code: "SERVICE_FAILED", retry: undefined, message: expect.stringContaining("is not S3") }],
  ["connections that are reset", "reset", { code: "SERVICE_UNAVAILABLE", retry: again }],
  ["a server that is silent", "hang", { code: "SERVICE_TIMEOUT", retry: again, fix: expect.any(String) }],
  ["an answer that breaks off", "cut", { code: "SERVICE_CUT", retry: again }],
];

describe.skipIf(withoutMoto)("lance in a bucket in trouble (skipped where moto_server is not installed)", () => {
  let moto: Moto;
  let dir = "";
  beforeAll(async () => {
    // What is tried again by itself is not what these tests look at.
    vi.stubEnv("AWS_MAX_ATTEMPTS", "1");
    moto = await startMoto();
    dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
    await motoS3(moto).createBucket({ Bucket: "vectors" });
    await (await open(moto.url)).publish("docs", { dimensions: 4, rows: streamOf(rows) });
  });
  afterAll(async () => {
    vi.unstubAllEnvs();
    await moto.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const open = (endpoint: string, reference = "s3://vectors/published"): Promise<VectorService> => openVectorService(reference, { dir, env: { ...moto.env, AWS_ENDPOINT_URL: endpoint } });

  async function openBehind(reference?: string): Promise<Opened & { readonly proxy: S3Proxy }> {
    const proxy = await startS3Proxy(moto.url);
    const service = await open(proxy.url, reference);
    return { proxy, service, index: await service.open("docs") };
  }

  /** What becomes of every operation, all at once. */
  async function outcomes(opened: Opened): Promise<Readonly<Record<string, unknown>>> {
    return Object.fromEntries(await Promise.all(operations.map(async ([name, operation]) => [name, await operation(opened).catch((error: unknown) => error)] as const)));
  }
  const each = (failure: object): object => Object.fromEntries(operations.map(([name]) => [name, failure]));

  it.each(faults)("tells %s by its code, whatever is asked", async (_, fault, failure) => {
    const opened = await openBehind(fault === "hang" ? "s3://vectors/published?timeoutMs=5000" : undefined);
    // An answer without a body cannot break off in its middle.
    opened.proxy.fault = (line) => (fault !== "cut" || line.startsWith("GET") ? fault : undefined);
    expect(await outcomes(opened)).toMatchObject(each({ name: "TwelveError", message: expect.stringContaining("s3://vectors"), ...failure }));
  });

  it("says that it was limited, and how long to wait where it knows: what LanceDB tells of an answer leaves out its headers", async () => {
    const opened = await openBehind();
    opened.proxy.fault = () => [429, "TooManyRequests", 3];
    const knowing = ["check", "list", "open", "publish", "drop"];
    const told = await outcomes(opened);
    expect(told).toMatchObject(each({ code: "SERVICE_LIMITED", retry: { afterMs: expect.toSatisfy((afterMs) => afterMs === 3000 || afterMs === null) } }));
    for (const name of knowing) expect(told).toHaveProperty([name, "retry"], { afterMs: 3000 });
  });

  it.each(faults.filter(([, fault]) => fault !== "cut"))("tells %s by its code when files are sent", async (_, fault, failure) => {
    const { service, proxy } = await openBehind(fault === "hang" ? "s3://vectors/published?timeoutMs=5000" : undefined);
    proxy.fault = (line) => (line.startsWith("PUT") ? fault : undefined);
    await expect(service.publish("sent", { dimensions: 4, rows: streamOf(rows) })).rejects.toMatchObject(failure);
    proxy.fault = () => undefined;
    expect(await service.namespaces()).toEqual(["docs"]);
  });

  it.each(operations.slice(0, 2))("%s says that nobody listens, and that it may help to ask again", async (_, operation) => {
    const service = await open("http://127.0.0.1:9");
    await expect(operation({ service, index: {} as VectorIndex })).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: again, message: expect.stringContaining("ECONNREFUSED") });
  });

  it("passes on what the server says to a search, with its name for the request", async () => {
    const proxy = await startProxy(moto.url);
    try {
      const index = await (await open(proxy.url)).open("docs");
      proxy.fault = (_, response) => {
        response.writeHead(400, { "content-type": "application/xml" }).end("<?xml version=\"1.0\"?>\n<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message><RequestId>REQ123</RequestId></Error>");
        return true;
      };
      await expect(index.search(byVector)).rejects.toMatchObject({ message: "s3://vectors/published/docs refused the AWS credentials (ExpiredToken: The provided token has expired., request REQ123)" });
    } finally {
      proxy.close();
    }
  });

  it("answers the next search after each trouble", async () => {
    const { index, proxy } = await openBehind();
    for (const fault of [[503, "SlowDown"], "reset", "cut"] as const) {
      proxy.fault = () => fault;
      await expect(index.search(byVector)).rejects.toMatchObject({ retry: again });
    }
    proxy.fault = () => undefined;
    expect((await index.search(byVector)).map(({ id }) => id)).toEqual(["a"]);
  });

  it("ends a check with the reason of its signal", async () => {
    const service = await open(`http://127.0.0.1:${await listening(createServer(() => {}))}`);
    const controller = new AbortController();
    const checked = service.check(controller.signal);
    controller.abort(new RangeError("enough"));
    await expect(checked).rejects.toThrow(new RangeError("enough"));
  });

  it("is one place, however patient", async () => {
    const service = await open(moto.url, "s3://vectors/published/?timeoutMs=5000");
    expect(service.url).toBe("s3://vectors/published");
    expect(await service.namespaces()).toEqual(["docs"]);
    await expect(open(moto.url, "s3://vectors/published?timeoutMs=0")).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("timeoutMs") });
    await expect(open(moto.url, "s3://vectors/published?region=x")).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("region") });
  });
});

async function* streamOf<Row>(all: readonly Row[]): AsyncIterable<readonly Row[]> {
  yield all;
}

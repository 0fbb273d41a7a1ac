import { mkdtemp, readdir, rm } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openVectorService } from "../../../src/adapters/registry.ts";
import type { VectorQuery, VectorService } from "../../../src/ports/vectors.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../../helpers/moto.ts";
import { startProxy } from "../../helpers/proxy.ts";
import { answerError } from "../../helpers/s3-server.ts";
import { row, rows } from "../../ports/vector-index.contract.ts";
import { describeVectorService } from "../../ports/vector-service.contract.ts";

describe.skipIf(withoutMoto)("lance in a bucket", () => {
  let moto: Moto;
  let dir = "";
  beforeAll(async () => {
    moto = await startMoto();
    dir = await mkdtemp(join(tmpdir(), "twelve-test-"));
    await motoS3(moto).createBucket({ Bucket: "vectors" });
  });
  afterAll(async () => {
    await moto.stop();
    await rm(dir, { recursive: true, force: true });
  });
  const open = (reference = "s3://vectors/published", endpoint = moto.url): Promise<VectorService> => openVectorService(reference, { dir, env: { ...moto.env, AWS_ENDPOINT_URL: endpoint } });
  const question: VectorQuery = { mode: "vector", text: "", vector: Float32Array.of(1, 0, 0, 0), topK: 1 };

  describeVectorService("lance on S3", () => open(), { text: "equal" });

  it("keeps every prefix for itself, and leaves nothing behind in the application's folder", async () => {
    const [one, other] = [await open("s3://vectors/one/"), await open("s3://vectors/one/more")];
    await one.publish("docs", { dimensions: 4, rows: streamOf(rows) });
    expect(await other.namespaces()).toEqual([]);
    await other.publish("docs", { dimensions: 4, rows: streamOf([row("only", "Only here", [1, 0, 0, 0])]) });
    expect(await (await one.open("docs")).count()).toBe(5);
    expect(await one.namespaces()).toEqual(["docs"]);
    await one.drop("docs");
    expect((await (await other.open("docs")).search(question)).map(({ id }) => id)).toEqual(["only"]);
    await other.drop("docs");
    const { Contents = [] } = await motoS3(moto).listObjectsV2({ Bucket: "vectors", Prefix: "one/" });
    expect(Contents).toEqual([]);
    expect(await readdir(join(dir, ".twelve", "work"))).toEqual([]);
  });

  it.each([
    ["opens the table anew", "before its credentials end", 60_000, 2],
    ["keeps the table open", "while its credentials hold", 3_600_000, 0],
  ])("%s %s", async (_, __, lifeMs, expected) => {
    const keys = createServer((___, response) => void response.end(JSON.stringify({ AccessKeyId: "test", SecretAccessKey: "test", Token: "token", Expiration: new Date(Date.now() + lifeMs).toISOString() })));
    await new Promise<void>((resolve) => keys.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => void keys.close());
    // The way in which a container is given a role.
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `http://127.0.0.1:${(keys.address() as AddressInfo).port}/role`);
    onTestFinished(() => void vi.unstubAllEnvs());
    const proxy = await startProxy(moto.url);
    onTestFinished(() => proxy.close());
    const service = await openVectorService("s3://vectors/roles", { dir, env: { AWS_ENDPOINT_URL: proxy.url, AWS_REGION: "us-east-1" } });
    await service.publish("docs", { dimensions: 4, rows: streamOf(rows) });
    const index = await service.open("docs");
    let openings = 0;
    proxy.fault = ({ method, url }) => {
      if (method === "HEAD" && url?.startsWith("/vectors/chunks") !== true && url?.includes("docs") !== true) openings++;
      return false;
    };
    for (let i = 0; i < 2; i++) expect((await index.search(question)).map(({ id }) => id)).toEqual(["a"]);
    expect(openings).toBe(expected);
  });

  it("says which bucket there is not", async () => {
    const service = await open("s3://absent/published");
    const failure = { code: "SERVICE_NOT_FOUND", message: expect.stringContaining("s3://absent") };
    await expect(service.check()).rejects.toMatchObject(failure);
    await expect(service.namespaces()).rejects.toMatchObject(failure);
    await expect(service.publish("docs", { dimensions: 4, rows: streamOf(rows) })).rejects.toMatchObject(failure);
  });

  it("says that nothing answers, and that asking again can help", async () => {
    const service = await open("s3://vectors/published", "http://127.0.0.1:9");
    await expect(service.check()).rejects.toMatchObject({ code: expect.stringMatching(/^SERVICE_(UNAVAILABLE|FAILED)$/), retry: { afterMs: null } });
  });

  it.each([
    ["is refused", (response: ServerResponse) => answerError(response, 403, "AccessDenied"), "SERVICE_DENIED", undefined],
    ["has expired credentials", (response: ServerResponse) => answerError(response, 400, "ExpiredToken"), "SERVICE_UNAUTHENTICATED", undefined],
    ["is limited", (response: ServerResponse) => answerError(response, 503, "SlowDown"), "SERVICE_LIMITED", { afterMs: null }],
    ["gets a connection that breaks", (response: ServerResponse) => response.destroy(), "SERVICE_UNAVAILABLE", { afterMs: null }],
    ["misses a file", (response: ServerResponse) => answerError(response, 404, "NoSuchKey"), "INDEX_NOT_FOUND", undefined],
  ])("says why a question that %s is not answered, and answers the next one", async (_, fault, code, retry) => {
    const proxy = await startProxy(moto.url);
    onTestFinished(() => proxy.close());
    const service = await open("s3://vectors/faults", proxy.url);
    await service.publish("docs", { dimensions: 4, rows: streamOf(rows) });
    const index = await service.open("docs");
    proxy.fault = ({ url }, response) => {
      // Only what is read of an index can be missing.
      if (code === "INDEX_NOT_FOUND" && url?.includes("chunks.lance") !== true) return false;
      fault(response);
      return true;
    };
    await expect(index.search(question)).rejects.toMatchObject({ code, retry, message: expect.stringContaining("s3://vectors/faults") });
    proxy.fault = undefined;
    expect((await index.search(question)).map(({ id }) => id)).toEqual(["a"]);
  });
});

async function* streamOf<Row>(all: readonly Row[]): AsyncIterable<readonly Row[]> {
  yield all;
}

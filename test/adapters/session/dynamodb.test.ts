import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { CreateTableCommand, DynamoDBClient, ScanCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { openSessions } from "../../../src/adapters/registry.ts";
import { openSessions as openDynamodb } from "../../../src/adapters/session/dynamodb/adapter.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import { type Moto, startMoto, withoutMoto } from "../../helpers/moto.ts";
import { describeSessions } from "../../ports/session.contract.ts";

const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;
const key = { user: "u", session: "s" };

async function createTable(client: DynamoDBClient, TableName: string, [hash, range]: readonly [string, string] = ["pk", "sk"]): Promise<void> {
  await client.send(new CreateTableCommand({
    TableName, BillingMode: "PAY_PER_REQUEST",
    AttributeDefinitions: [{ AttributeName: hash, AttributeType: "S" }, { AttributeName: range, AttributeType: "S" }],
    KeySchema: [{ AttributeName: hash, KeyType: "HASH" }, { AttributeName: range, KeyType: "RANGE" }],
  }));
}

describe.skipIf(withoutMoto)("on moto (needs moto_server)", { timeout: 60_000 }, () => {
  let moto: Moto;
  let client: DynamoDBClient;
  beforeAll(async () => {
    moto = await startMoto();
    client = new DynamoDBClient({ endpoint: moto.url, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
    await createTable(client, "sessions");
    return moto.stop;
  });

  describeSessions("dynamodb", async (options) => {
    let passedMs = 0;
    const store = openDynamodb("dynamodb://sessions", moto.env, { ...options, now: () => Date.now() + passedMs });
    return { store, pass: async (_, seconds) => void (passedMs += seconds * 1000) };
  });

  const opened = async (reference = "dynamodb://sessions"): Promise<SessionStore> => openSessions(reference, { dir: "/", env: moto.env });
  const itemsLeft = async (): Promise<number> => (await client.send(new ScanCommand({ TableName: "left" }))).Count ?? 0;

  it("keeps an entry of a megabyte, in parts, and leaves no item behind of what is deleted", async () => {
    await createTable(client, "left");
    const store = await opened("dynamodb://left");
    const content = "é\u{1F600}x".repeat(170_000);
    const version = await store.append(key, [{ ...entry, content }], { expected: 0 });
    await store.append(key, [entry], { expected: version });
    expect((await store.read(key))?.entries.map((read) => read.content)).toEqual([content, "text"]);
    // A scan stops after a megabyte.
    expect(await itemsLeft()).toBeGreaterThan(1);
    expect(await store.deleteUser("u")).toBe(1);
    expect(await itemsLeft()).toBe(0);
  });

  it("refuses more than a transaction can take", async () => {
    await expect((await opened()).append({ user: "large", session: "s" }, [{ ...entry, content: "x".repeat(3_600_000) }], { expected: 0 })).rejects.toMatchObject({ code: "SESSION_TOO_LARGE" });
  });

  it("lets DynamoDB delete what has expired, and no entry before its session", async () => {
    await createTable(client, "expiring");
    let passedMs = 0;
    const store = openDynamodb("dynamodb://expiring", moto.env, { now: () => Date.now() + passedMs });
    const ttls = async (): Promise<readonly number[]> => ((await client.send(new ScanCommand({ TableName: "expiring" }))).Items ?? []).map(({ ttl }) => Math.round(Number(ttl?.N ?? 0) - Date.now() / 1000)).sort((left, right) => left - right);
    let version = await store.append(key, [entry], { expected: 0, ttlSeconds: 100 });
    expect((await ttls()).map((seconds) => Math.round(seconds / 10) * 10)).toEqual([100, 200]);
    passedMs = 150_000;
    expect(await store.read(key)).toBeUndefined();
    passedMs = 90_000;
    version = await store.append(key, [entry], { expected: version, ttlSeconds: 200 });
    // The session lives to 290, and what was appended first lives longer.
    expect((await ttls())[0]).toBeGreaterThan(280);
    await store.append(key, [entry], { expected: version });
    expect(await ttls()).toEqual((await ttls()).map((seconds) => (seconds < 0 ? seconds : -1)));
  });

  it("says whether the table is there and as it should be, and gives the command that makes it", async () => {
    expect(await (await opened()).check()).toEqual({ version: null, detail: "expired sessions are not deleted by DynamoDB: enable time to live on the attribute `ttl`" });
    await client.send(new UpdateTimeToLiveCommand({ TableName: "sessions", TimeToLiveSpecification: { Enabled: true, AttributeName: "ttl" } }));
    expect(await (await opened()).check()).toEqual({ version: null });
    await createTable(client, "other", ["id", "at"]);
    await expect((await opened("dynamodb://other")).check()).rejects.toMatchObject({ code: "SERVICE_REJECTED", fix: expect.stringContaining("aws dynamodb create-table --table-name other ") as string });
    const missing = await opened("dynamodb://nowhere");
    for (const work of [() => missing.check(), () => missing.read(key), () => missing.append(key, [entry], { expected: 0 }), () => missing.list("u"), () => missing.deleteUser("u")]) {
      await expect(work()).rejects.toMatchObject({ code: "SERVICE_NOT_FOUND", fix: expect.stringContaining("aws dynamodb create-table --table-name nowhere ") as string });
    }
  });
});

/** A DynamoDB that answers every call like this. */
async function failing(answer: (response: ServerResponse) => void, query = ""): Promise<unknown> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const env = { AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "geheim" };
  const store = await openSessions(`dynamodb://sessions${query}`, { dir: "/", env });
  return store.append(key, [entry], { expected: 0 }).then(() => undefined, (error: unknown) => error);
}

const refuse = (status: number, type: string, headers: Readonly<Record<string, string>> = {}) => (response: ServerResponse): void =>
  void response.writeHead(status, { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "r-1", ...headers }).end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `The service says ${type}` }));

describe("dynamodb sessions when things go wrong", () => {
  it.each<[string, (response: ServerResponse) => void, object]>([
    ["throughput that is used up", refuse(400, "ProvisionedThroughputExceededException"), { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
    ["a limit that says how long", refuse(400, "ThrottlingException", { "retry-after": "3" }), { code: "SERVICE_LIMITED", retry: { afterMs: 3000 } }],
    ["an error of its own", refuse(500, "InternalServerError"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["expired credentials", refuse(400, "ExpiredTokenException"), { code: "SERVICE_UNAUTHENTICATED", retry: undefined }],
    ["a missing permission", refuse(400, "AccessDeniedException"), { code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining("dynamodb:GetItem") as string }],
    ["a page", (response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>"), { code: "SERVICE_FAILED" }],
    ["a broken connection", (response) => void response.destroy(), { code: expect.stringMatching(/^SERVICE_(UNAVAILABLE|CUT)$/) as string, retry: { afterMs: null } }],
    ["a cut answer", (response) => void response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy()), { code: expect.stringMatching(/^SERVICE_(UNAVAILABLE|CUT|FAILED)$/) as string }],
  ])("tells %s by its code", async (_, answer, expected) => {
    const failure = await failing(answer);
    expect(failure).toMatchObject(expected);
    expect(JSON.stringify([failure, String(failure)])).not.toContain("geheim");
  });

  it("gives up on a service that does not answer", async () => {
    expect(await failing(() => {}, "?timeoutMs=200")).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
  });

  it("says that nothing answers", async () => {
    const store = await openSessions("dynamodb:sessions", { dir: "/", env: { AWS_ENDPOINT_URL: "http://127.0.0.1:1", AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b" } });
    await expect(store.read(key)).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
  });

  it.each(["dynamodb:", "dynamodb://a", "dynamodb://a b c", "dynamodb://sessions?table=x", "dynamodb://sessions?region=Berlin"])("refuses %s", async (reference) => {
    await expect(openSessions(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED" });
  });
});

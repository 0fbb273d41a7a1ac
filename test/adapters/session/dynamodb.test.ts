import { createServer, type ServerResponse } from "node:http";
import { CreateTableCommand, DeleteItemCommand, DynamoDBClient, ScanCommand, UpdateTimeToLiveCommand } from "@aws-sdk/client-dynamodb";
import { beforeAll, describe, expect, it } from "vitest";
import { openSessions } from "../../../src/adapters/registry.ts";
import { openSessions as openDynamodb } from "../../../src/adapters/session/dynamodb/adapter.ts";
import { entryItems, readEntries } from "../../../src/adapters/session/dynamodb/items.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import { listening } from "../../helpers/listen.ts";
import { type Moto, startMoto, withoutMoto } from "../../helpers/moto.ts";
import { type Proxy, startProxy } from "../../helpers/proxy.ts";
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
  let inTurn: Proxy;
  let client: DynamoDBClient;
  beforeAll(async () => {
    moto = await startMoto();
    // A transaction that fails sets moto's whole table back, and undoes what others wrote in the meantime.
    inTurn = await startProxy(moto.url, { atOnce: 1 });
    client = new DynamoDBClient({ endpoint: moto.url, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
    await createTable(client, "sessions");
    return async () => {
      inTurn.close();
      await moto.stop();
    };
  });

  describeSessions("dynamodb", async (options) => {
    let passedMs = 0;
    const store = openDynamodb("dynamodb://sessions", { ...moto.env, AWS_ENDPOINT_URL: inTurn.url }, { ...options, now: () => Date.now() + passedMs });
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
    // Its head is there as long as anything of it may be, so that it can be found and deleted.
    expect((await ttls()).map((seconds) => Math.round(seconds / 10) * 10)).toEqual([200, 200 + 7 * 24 * 60 * 60]);
    passedMs = 150_000;
    expect(await store.read(key)).toBeUndefined();
    passedMs = 90_000;
    version = await store.append(key, [entry], { expected: version, ttlSeconds: 200 });
    // The session lives to 290, and what was appended first lives longer.
    expect((await ttls())[0]).toBeGreaterThan(280);
    await store.append(key, [entry], { expected: version });
    expect(await ttls()).toEqual((await ttls()).map((seconds) => (seconds < 0 ? seconds : -1)));
  });

  /** A table of its own, and what DynamoDB does with items whose time to live is over. */
  async function expiring(table: string): Promise<{ readonly store: SessionStore; readonly count: () => Promise<number>; readonly pass: (seconds: number) => Promise<void> }> {
    await createTable(client, table);
    let passedMs = 0;
    const items = async () => (await client.send(new ScanCommand({ TableName: table }))).Items ?? [];
    return {
      store: openDynamodb(`dynamodb://${table}`, moto.env, { now: () => Date.now() + passedMs }),
      count: async () => (await items()).length,
      async pass(seconds) {
        passedMs += seconds * 1000;
        for (const { pk, sk, ttl } of await items()) {
          if (pk !== undefined && sk !== undefined && Number(ttl?.N ?? Infinity) * 1000 < Date.now() + passedMs) await client.send(new DeleteItemCommand({ TableName: table, Key: { pk, sk } }));
        }
      },
    };
  }

  it.each<[string, readonly (number | undefined)[]]>([
    ["kept for good, then for a while, then for good", [undefined, 100, undefined]],
    ["kept long, then briefly, then longer", [1000, 10, 500]],
  ])("loses no entry of a session that was %s", async (name, ttls) => {
    const { store, pass } = await expiring(`lasting${name.length}`);
    let version = 0;
    for (const ttlSeconds of ttls) version = await store.append(key, [entry], { expected: version, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) });
    await pass(400);
    expect((await store.read(key))?.entries).toHaveLength(3);
  });

  it.each<[string, readonly (number | undefined)[]]>([["for a while", [100]], ["for good, and then for a while", [undefined, 10]]])("finds all of a user's data, also of an expired session that was kept %s", async (_, ttls) => {
    const { store, count, pass } = await expiring(`found${ttls.length}`);
    let version = 0;
    for (const ttlSeconds of ttls) version = await store.append(key, [entry], { expected: version, ...(ttlSeconds === undefined ? {} : { ttlSeconds }) });
    await pass(150);
    expect(await store.deleteUser("u")).toBe(0);
    expect(await count()).toBe(0);
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

it("stores quotes and line breaks without escaping them once more", () => {
  const texts = [JSON.stringify({ ...entry, content: '"\n'.repeat(100_000) }), JSON.stringify(entry)];
  const items = entryItems("i", 1, texts, null);
  expect(items.reduce((sum, { part }) => sum + (part?.B?.length ?? 0), 0)).toBe(texts.join(" ").length);
  expect(readEntries(items, 2)).toEqual(texts);
});

/** A DynamoDB that answers like this, given the call's name. */
async function answering(answer: (response: ServerResponse, call: string) => void, query = ""): Promise<SessionStore> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response, String(request.headers["x-amz-target"]).split(".")[1] ?? "");
  });
  const env = { AWS_ENDPOINT_URL_DYNAMODB: `http://127.0.0.1:${await listening(server)}`, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "geheim" };
  return openSessions(`dynamodb://sessions${query}`, { dir: "/", env });
}

async function failing(answer: (response: ServerResponse, call: string) => void, query = ""): Promise<unknown> {
  const store = await answering(answer, query);
  return store.append(key, [entry], { expected: 0 }).then(() => undefined, (error: unknown) => error);
}

const refuse = (status: number, type: string, headers: Readonly<Record<string, string>> = {}) => (response: ServerResponse): void =>
  void response.writeHead(status, { "content-type": "application/x-amz-json-1.0", "x-amzn-requestid": "r-1", ...headers }).end(JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${type}`, message: `The service says ${type}` }));

const say = (response: ServerResponse, body: object, status = 200): void => void response.writeHead(status, { "content-type": "application/x-amz-json-1.0" }).end(JSON.stringify(body));
const head = { pk: { S: "u#u" }, sk: { S: "s#s" }, id: { S: "i" }, version: { N: "5" }, count: { N: "1" }, bytes: { N: "5" }, updated: { N: "1" } };
const part = { pk: { S: "e#i" }, sk: { S: "4#00" } };

describe("dynamodb sessions when things go wrong", () => {
  it.each([
    ["ThrottlingError", { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
    ["ProvisionedThroughputExceeded", { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
    ["ItemCollectionSizeLimitExceeded", { code: "SERVICE_QUOTA", retry: undefined }],
    ["ValidationError", { code: "SERVICE_REJECTED", retry: undefined }],
  ])("tells why a transaction was cancelled: %s", async (Code, expected) => {
    const CancellationReasons = [{ Code: "None" }, { Code, Message: "The service says why" }];
    const failure = await failing((response, call) => (call === "GetItem" ? say(response, {}) : say(response, { __type: "com.amazonaws.dynamodb.v20120810#TransactionCanceledException", Message: "cancelled", CancellationReasons }, 400)));
    expect(failure).toMatchObject({ ...expected, message: expect.stringContaining("The service says why") as string });
  });

  it("waits for a transaction that holds the session it deletes", async () => {
    let held = 1;
    const store = await answering((response, call) => {
      if (call === "UpdateItem" && (held -= 1) === 0) say(response, { __type: "com.amazonaws.dynamodb.v20120810#TransactionConflictException", message: "held" }, 400);
      else say(response, call === "GetItem" ? { Item: head } : call === "Query" ? { Items: [part] } : {});
    });
    expect(await store.delete(key)).toBe(true);
    expect(held).toBe(-1);
  });

  it("stops asking for deletions that are left undone every time", async () => {
    const store = await answering((response, call) => say(response, call === "GetItem" ? { Item: head } : call === "Query" ? { Items: [part] } : call === "BatchWriteItem" ? { UnprocessedItems: { sessions: [{ DeleteRequest: { Key: part } }] } } : {}));
    await expect(store.delete(key)).rejects.toMatchObject({ code: "SERVICE_LIMITED", retry: { afterMs: null } });
  });

  const described = (TableStatus: string, AttributeType = "S") => ({ Table: { TableStatus, KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }, { AttributeName: "sk", KeyType: "RANGE" }], AttributeDefinitions: [{ AttributeName: "pk", AttributeType }, { AttributeName: "sk", AttributeType }] } });
  it.each<[string, object, object]>([
    ["is being made", described("CREATING"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["is being deleted", described("DELETING"), { code: "SERVICE_UNAVAILABLE", retry: undefined }],
    ["has numbers for keys", described("ACTIVE", "N"), { code: "SERVICE_REJECTED", fix: expect.stringContaining("aws dynamodb create-table") as string }],
  ])("does not call a table well that %s", async (_, table, expected) => {
    await expect((await answering((response) => say(response, table))).check()).rejects.toMatchObject(expected);
  });

  it("says that it may not look at time to live, rather than that it is off", async () => {
    const store = await answering((response, call) => (call === "DescribeTable" ? say(response, described("ACTIVE")) : refuse(400, "AccessDeniedException")(response)));
    expect(await store.check()).toEqual({ version: null, detail: "whether DynamoDB deletes expired sessions cannot be seen: allow dynamodb:DescribeTimeToLive" });
  });

  it.each<[string, (response: ServerResponse) => void, object]>([
    ["throughput that is used up", refuse(400, "ProvisionedThroughputExceededException"), { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
    ["a limit that says how long", refuse(400, "ThrottlingException", { "retry-after": "3" }), { code: "SERVICE_LIMITED", retry: { afterMs: 3000 } }],
    ["an error of its own", refuse(500, "InternalServerError"), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["expired credentials", refuse(400, "ExpiredTokenException"), { code: "SERVICE_UNAUTHENTICATED", retry: undefined }],
    ["a missing permission", refuse(400, "AccessDeniedException"), { code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining("dynamodb:GetItem") as string }],
    ["a page", (response) => void response.writeHead(200, { "content-type": "text/html" }).end("<html>"), { code: "SERVICE_FAILED", retry: undefined }],
    ["a broken connection", (response) => void response.destroy(), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
    ["a cut answer", (response) => void response.writeHead(200, { "content-length": "100" }).write("{", () => response.destroy()), { code: "SERVICE_CUT", retry: { afterMs: null } }],
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

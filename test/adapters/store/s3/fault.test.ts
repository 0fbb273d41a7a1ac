import { randomBytes } from "node:crypto";
import { access, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { openStore, type S3StoreOptions } from "../../../../src/adapters/store/s3/adapter.ts";
import { digestOf, hexOf } from "../../../../src/core/descriptor.ts";
import type { Store } from "../../../../src/ports/store.ts";
import { temporaryFolder } from "../../../helpers/context.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../../../helpers/moto.ts";
import { type S3Fault, type S3Proxy, startS3Proxy } from "../../../helpers/s3-proxy.ts";

const type = "text/plain";
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const keyOf = (content: string | Uint8Array): string => `/stores/blobs/sha256/${hexOf(digestOf(content))}`;
const marker = "PUT /stores/store.json";

interface Opened {
  readonly store: Store;
  readonly proxy: S3Proxy;
  readonly moto: Moto;
}

describe.skipIf(withoutMoto)("an S3 store whose service fails (skipped where moto_server is not installed)", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    return moto.stop;
  });

  async function open(options: S3StoreOptions = {}, env: Record<string, string> = {}): Promise<Opened> {
    const s3 = motoS3(moto);
    await s3.deleteBucket({ Bucket: "stores" }).catch(() => {});
    const proxy = await startS3Proxy(moto.url);
    await s3.createBucket({ Bucket: "stores" });
    const { Contents: left = [] } = await s3.listObjectsV2({ Bucket: "stores" });
    await Promise.all(left.map(({ Key }) => s3.deleteObject({ Bucket: "stores", Key })));
    const store = await openStore("s3://stores", { env: { ...moto.env, AWS_ENDPOINT_URL: proxy.url, ...env } }, { attempts: 2, idleMs: 500, ...options });
    return { store, proxy, moto };
  }
  const when = (pattern: string, fault: S3Fault, times = Number.POSITIVE_INFINITY): S3Proxy["fault"] => (line, time) => (line.includes(pattern) && time <= times ? fault : undefined);

  describe("refs", () => {
    it("knows that its write won although the answer was lost and the second sending was refused", async () => {
      const { store, proxy } = await open();
      proxy.fault = when("/a/.value", "lost", 1);
      expect(await store.refs.create("a", "one")).toBe(true);
      expect(proxy.requests.filter((line) => line === "PUT /stores/refs/a/.value")).toHaveLength(2);
      const tag = (await store.refs.read("a"))?.tag ?? "";
      proxy.requests.length = 0;
      proxy.fault = when("PUT /stores/refs/a/.value", "lost", 1);
      expect(await store.refs.replace("a", "two", tag)).toBe(true);
      expect((await store.refs.read("a"))?.value).toBe("two");
    });

    it("knows that its write won when every answer was lost", async () => {
      const { store, proxy } = await open();
      proxy.fault = when("PUT /stores/refs/a", "lost");
      expect(await store.refs.create("a", "one")).toBe(true);
    });

    it("knows that another's equal write won, although its own was sent twice", async () => {
      const { store, proxy } = await open();
      await store.refs.create("a", "one");
      proxy.requests.length = 0;
      proxy.fault = when("PUT /stores/refs/a", "reset", 1);
      expect(await store.refs.create("a", "one")).toBe(false);
    });

    it("tries again when another writer is at work at the same moment", async () => {
      const { store, proxy } = await open();
      proxy.fault = when("PUT /stores/refs/a", [409, "ConditionalRequestConflict"], 3);
      expect(await store.refs.create("a", "one")).toBe(true);
      const tag = (await store.refs.read("a"))?.tag ?? "";
      expect(await store.refs.replace("a", "two", tag)).toBe(true);
    });

    it("fails when a write was not taken at all, and says that it can be tried again", async () => {
      const { store, proxy } = await open();
      proxy.fault = when("PUT /stores/refs/a", "reset");
      await expect(store.refs.create("a", "one")).rejects.toMatchObject({ code: "STORE_UNUSABLE", retry: { afterMs: null } });
      expect(await store.refs.read("a")).toBeUndefined();
    });

    it("reads again where an answer breaks off", async () => {
      const { store, proxy } = await open();
      await store.refs.create("a", "one");
      proxy.fault = when("GET /stores/refs/a", "cut", 2);
      expect((await store.refs.read("a"))?.value).toBe("one");
    });

    it("does not take what others have put there for a ref", async () => {
      const { store } = await open();
      await motoS3(moto).putObject({ Bucket: "stores", Key: "refs/a/.value", Body: "by hand" });
      await expect(store.refs.read("a")).rejects.toMatchObject({ code: "STORE_UNUSABLE", message: "s3://stores/refs/a/.value is not what twelve has written" });
    });

    it.each([["If-None-Match", "if-none-match"], ["If-Match", "if-match"]])("refuses a server that ignores %s", async (_, header) => {
      const { store, proxy } = await open();
      proxy.fault = (_line, _time, request) => {
        delete request.headers[header];
        return undefined;
      };
      await expect(store.refs.create("a", "one")).rejects.toMatchObject({ code: "STORE_UNUSABLE", message: expect.stringContaining("does not keep to the conditions of a write") });
      expect(await store.refs.list("")).toEqual([]);
    });

    it("refuses a server that has no conditions", async () => {
      const { store, proxy } = await open();
      proxy.fault = when(marker, [501, "NotImplemented"]);
      await expect(store.refs.create("a", "one")).rejects.toMatchObject({ code: "STORE_UNUSABLE", fix: expect.stringContaining("conditional writes") });
    });

    it("goes through all pages of a list", async () => {
      const { store, proxy } = await open();
      const names = Array.from({ length: 25 }, (_, i) => `n/${String(i).padStart(2, "0")}`);
      await Promise.all(names.map((name) => motoS3(moto).putObject({ Bucket: "stores", Key: `refs/${name}/.value`, Body: "x" })));
      proxy.fault = (_line, _time, request) => void (request.url += "&max-keys=4");
      expect(await store.refs.list("n/")).toEqual(names);
      expect(proxy.requests).toHaveLength(7);
    });
  });

  describe("blobs", () => {
    it("are sent once when they are new, and not at all when a large one is there", async () => {
      const { store, proxy } = await open();
      const large = randomBytes(1024 * 1024);
      await store.blobs.write(bytes("small"), type);
      await store.blobs.write(large, type);
      await store.blobs.write(bytes("small"), type);
      await store.blobs.write(large, type);
      const seen = (content: string | Uint8Array): readonly string[] => proxy.requests.filter((line) => line.endsWith(keyOf(content))).map((line) => line.slice(0, 4).trim());
      expect(seen("small")).toEqual(["PUT", "PUT", "HEAD"]);
      expect(seen(large)).toEqual(["HEAD", "PUT", "HEAD"]);
    });

    it("are sent in parts when they are large, from memory and from a file, and not again when they are there", async () => {
      const { store, proxy } = await open({ partBytes: 5 * 1024 * 1024 });
      const large = randomBytes(11 * 1024 * 1024);
      const blob = await store.blobs.write(large, type);
      expect(blob).toEqual({ mediaType: type, digest: digestOf(large), size: large.length });
      expect(proxy.requests.filter((line) => line.endsWith("?uploadId") && line.startsWith("PUT"))).toHaveLength(3);
      expect(Buffer.compare(await store.blobs.read(blob), large)).toBe(0);
      proxy.requests.length = 0;
      const path = join(await temporaryFolder(), "large");
      await writeFile(path, large);
      expect(await store.blobs.writeFile(path, type)).toEqual(blob);
      expect(proxy.requests).toEqual([`HEAD ${keyOf(large)}`]);
    });

    it("leave no half upload behind when a part fails, and keep the file", async () => {
      const { store, proxy } = await open({ partBytes: 5 * 1024 * 1024 });
      const path = join(await temporaryFolder(), "large");
      await writeFile(path, randomBytes(11 * 1024 * 1024));
      proxy.fault = (line) => (line.startsWith("PUT") && line.endsWith("?uploadId") ? [403, "AccessDenied"] : undefined);
      await expect(store.blobs.writeFile(path, type)).rejects.toMatchObject({ code: "STORE_UNUSABLE", fix: expect.stringContaining("s3:PutObject on arn:aws:s3:::stores/*") });
      expect((await motoS3(moto).listMultipartUploads({ Bucket: "stores" })).Uploads ?? []).toEqual([]);
      await access(path);
    });

    it("are whole when the answer to the completion was lost", async () => {
      const { store, proxy } = await open({ partBytes: 5 * 1024 * 1024 });
      const large = randomBytes(6 * 1024 * 1024);
      proxy.fault = (line, time) => (line.startsWith("POST") && line.endsWith("?uploadId") && time === 1 ? "lost" : undefined);
      const blob = await store.blobs.write(large, type);
      expect(await store.blobs.check(blob.digest)).toBe(large.length);
    });

    it("are read on where an answer breaks off", async () => {
      const { store, proxy } = await open();
      const content = randomBytes(3 * 1024 * 1024);
      const blob = await store.blobs.write(content, type);
      const path = join(await temporaryFolder(), "out");
      const ranges: (string | undefined)[] = [];
      proxy.fault = (line, time, request) => {
        if (!line.startsWith("GET")) return undefined;
        ranges.push(request.headers.range);
        return time <= 4 ? "cut" : undefined;
      };
      await store.blobs.readFile(blob, path);
      expect(ranges[0]).toBeUndefined();
      expect(ranges.slice(1).every((range) => /^bytes=[1-9]\d*-$/.test(range ?? ""))).toBe(true);
      expect(ranges).toHaveLength(5);
    });

    it("leave nothing at the path when reading fails", async () => {
      const { store, proxy } = await open();
      const blob = await store.blobs.write(bytes("content"), type);
      const path = join(await temporaryFolder(), "out");
      proxy.fault = when("GET /stores/blobs", "reset");
      await expect(store.blobs.readFile(blob, path)).rejects.toMatchObject({ code: "STORE_UNUSABLE" });
      await expect(access(path)).rejects.toThrow("ENOENT");
    });

    it("are told missing only by who can know", async () => {
      const { store, proxy } = await open();
      proxy.fault = (line) => (line.startsWith("HEAD") || line.startsWith("GET") ? [403, "AccessDenied"] : undefined);
      await expect(store.blobs.has(digestOf("a"))).rejects.toMatchObject({ code: "STORE_UNUSABLE", fix: expect.stringContaining("s3:ListBucket on arn:aws:s3:::stores") });
    });
  });

  describe("the service", () => {
    const operations: readonly (readonly [string, (store: Store) => Promise<unknown>])[] = [
      ["has", (store) => store.blobs.has(digestOf("a"))],
      ["read", (store) => store.blobs.read({ mediaType: type, digest: digestOf("a"), size: 1 })],
      ["write", (store) => store.blobs.write(bytes("a"), type)],
      ["check", (store) => store.blobs.check(digestOf("a"))],
      ["list", (store) => store.blobs.list()[Symbol.asyncIterator]().next()],
      ["ref read", (store) => store.refs.read("a")],
      ["ref create", (store) => store.refs.create("a", "one")],
      ["ref list", (store) => store.refs.list("")],
      ["service check", (store) => store.check?.() ?? Promise.resolve()],
    ];

    it.each(operations)("is refused, slow, broken or overloaded: %s fails with STORE_UNUSABLE and may be tried again", async (_, operation) => {
      const { store, proxy } = await open({ attempts: 1, idleMs: 100 });
      for (const fault of ["hang", "reset", [500, "InternalError"], [503, "SlowDown"]] as const) {
        proxy.fault = () => fault;
        await expect(operation(store)).rejects.toMatchObject({ code: "STORE_UNUSABLE", retry: { afterMs: null }, message: expect.stringContaining("The store s3://stores ") });
      }
    });

    it.each(operations)("denies: %s names the credentials or the permission", async (_, operation) => {
      const { store, proxy } = await open({ attempts: 1 });
      proxy.fault = () => [400, "ExpiredToken"];
      await expect(operation(store)).rejects.toMatchObject({ code: "STORE_UNUSABLE", message: expect.stringContaining("refused the AWS credentials (ExpiredToken"), fix: expect.stringContaining("AWS_SESSION_TOKEN") });
      proxy.fault = () => [403, "AccessDenied"];
      await expect(operation(store)).rejects.toMatchObject({ code: "STORE_UNUSABLE", fix: expect.stringMatching(/Allow s3:\w+ on arn:aws:s3:::stores/) });
    });

    it("is something else: what is read is refused", async () => {
      const { store, proxy } = await open({ attempts: 1 });
      proxy.fault = () => "garbage";
      await expect(store.blobs.read({ mediaType: type, digest: digestOf("a"), size: 1 })).rejects.toMatchObject({ code: "BLOB_CORRUPT" });
      for (const [, operation] of operations.filter(([name]) => !["read", "check"].includes(name))) await expect(operation(store)).rejects.toMatchObject({ code: "STORE_UNUSABLE" });
    });

    it("gets better: what failed for a moment succeeds", async () => {
      const { store, proxy } = await open({ attempts: 3 });
      proxy.fault = (_, time) => (time === 1 ? [503, "SlowDown"] : undefined);
      const blob = await store.blobs.write(bytes("a"), type);
      expect(await store.refs.create("a", "one")).toBe(true);
      expect(await store.blobs.read(blob)).toEqual(bytes("a"));
      expect(await store.refs.list("")).toEqual(["a"]);
    });

    it("has no such bucket, and says so", async () => {
      await open();
      const store = await openStore("s3://no-such-bucket/team", { env: moto.env });
      const failure = { code: "STORE_UNUSABLE", message: "There is no bucket no-such-bucket (NoSuchBucket)" };
      await expect(store.blobs.write(bytes("a"), type)).rejects.toMatchObject(failure);
      await expect(store.refs.read("a")).rejects.toMatchObject(failure);
      await expect(store.check?.()).rejects.toMatchObject(failure);
    });

    it("answers a check, with what there is", async () => {
      const { store } = await open();
      expect(await store.check?.()).toEqual({ version: null, detail: "empty" });
      await store.blobs.write(bytes("a"), type);
      expect(await store.check?.()).toEqual({ version: null, detail: "holds artifacts" });
      await expect(store.check?.(AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    });
  });
});

describe("the reference of an S3 store", () => {
  it.each(["s3://", "s3:stores", "s3:///team", "s3://stores/a b", "s3://stores/a?region=eu", "s3://stores//a", "s3://stores/a/../b", `s3://stores/${"a".repeat(401)}`])("refuses %s", async (reference) => {
    await expect(openStore(reference, { env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", fix: expect.stringContaining("s3://bucket/prefix") });
  });

  it("is shown without the slash at its end", async () => {
    expect((await openStore("s3://stores/team/", { env: {} })).url).toBe("s3://stores/team");
  });
});

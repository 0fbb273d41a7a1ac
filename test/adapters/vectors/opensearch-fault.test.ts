import { createHash } from "node:crypto";
import { createServer, type Server } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openService } from "../../../src/adapters/vectors/opensearch/adapter.ts";
import type { TwelveError } from "../../../src/core/errors.ts";
import type { VectorRow } from "../../../src/ports/vectors.ts";
import { type Asked, type Fault, type Reply, type ServiceServer, startServer } from "../../helpers/service-server.ts";

const version = { distribution: "opensearch", number: "3.5.0" };
const plugins = [{ component: "opensearch-knn" }];

/** What an OpenSearch server says, as far as a publication goes. `items` says what becomes of each document. */
function answering(items: (ids: readonly string[]) => readonly object[] = (ids) => ids.map(() => ({ index: { status: 201 } }))) {
  return ({ method, path, body }: Asked): Reply => {
    if (path === "/") return { body: { version } };
    if (path.startsWith("/_cat/plugins")) return { body: plugins };
    if (path.includes("/_bulk")) {
      const found = items(idsIn(body));
      return { body: { errors: found.some((item) => JSON.stringify(item).includes("error")), items: found } };
    }
    if (path.includes("/_refresh")) return { body: { _shards: { total: 1, successful: 1, failed: 0 } } };
    return { body: method === "GET" ? {} : { acknowledged: true } };
  };
}

function idsIn(body: unknown): readonly string[] {
  return Array.from(String(body).matchAll(/^\{"index":\{"_id":"(\w+)"\}\}$/gm), ([, id = ""]) => id);
}

async function* rows(count: number): AsyncIterable<readonly VectorRow[]> {
  yield Array.from({ length: count }, (_, i): VectorRow => ({ id: `r${i}`, document: "d", headings: "", text: `Row ${i}`, language: "en", metadata: {}, vector: Float32Array.of(1, i) }));
}

describe("an OpenSearch server in trouble", () => {
  let server: ServiceServer;
  let answer: (asked: Asked) => Reply;
  beforeEach(async () => {
    answer = answering();
    server = await startServer((asked) => answer(asked));
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    await server.close();
  });

  const urlTo = (address: string, options = ""): string => `${address.replace("http://", "opensearch+http://reader:only-for-tests@")}${options}`;

  async function failureOf(reference: string, env: Record<string, string> = {}): Promise<TwelveError> {
    const service = await openService(reference, env);
    const failure: unknown = await service.check().catch((error: unknown) => error);
    await service.close();
    expect(failure).toMatchObject({ name: "TwelveError" });
    expect((failure as TwelveError).message).not.toContain("only-for-tests");
    return failure as TwelveError;
  }

  async function publish(count = 3): Promise<void> {
    const service = await openService(urlTo(server.url), {});
    try {
      await service.publish("docs", { dimensions: 2, rows: rows(count) });
    } finally {
      await service.close();
    }
  }

  const security = { error: { root_cause: [{ type: "security_exception", reason: "no permissions for [indices:admin/get]" }], type: "security_exception", reason: "no permissions for [indices:admin/get]" }, status: 403 };
  it.each<[string, Fault, string, object | undefined, string]>([
    ["a wrong password", { status: 401, json: "Unauthorized", headers: { "content-type": "text/plain" } }, "SERVICE_UNAUTHENTICATED", undefined, "Unauthorized"],
    ["a missing right", { status: 403, body: security }, "SERVICE_DENIED", undefined, "no permissions for"],
    ["a wrong signature", { status: 403, body: { message: "The security token included in the request is invalid." } }, "SERVICE_UNAUTHENTICATED", undefined, "security token"],
    ["another service", { status: 404, json: "<html>Not here</html>", headers: { "content-type": "text/html" } }, "SERVICE_NOT_FOUND", undefined, "Not here"],
    ["a request that is too large", { status: 413, json: "" }, "SERVICE_REJECTED", undefined, "413"],
    ["a limit", { status: 429, body: { error: { type: "es_rejected_execution_exception", reason: "queue is full" } }, headers: { "retry-after": "3" } }, "SERVICE_LIMITED", { afterMs: 3000 }, "queue is full"],
    ["a cluster without a manager", { status: 503, body: { error: { root_cause: [{ type: "cluster_manager_not_discovered_exception", reason: null }], type: "cluster_manager_not_discovered_exception", reason: null } } }, "SERVICE_UNAVAILABLE", { afterMs: null }, "cluster_manager_not_discovered"],
    ["a fault of its own", { status: 500, body: { error: { type: "search_phase_execution_exception", reason: "all shards failed", root_cause: [{ type: "runtime_exception", reason: "the disk is gone" }] } } }, "SERVICE_UNAVAILABLE", { afterMs: null }, "the disk is gone"],
    ["a proxy's page", "garbage", "SERVICE_FAILED", undefined, "no answer of OpenSearch"],
    ["an answer of something else", { body: { status: "ok" } }, "SERVICE_FAILED", undefined, "no answer of OpenSearch"],
    ["half an answer that calls itself whole", { json: '{"version":{' }, "SERVICE_FAILED", undefined, "not JSON"],
    ["a redirect", { status: 302, headers: { location: "https://elsewhere.example/" } }, "SERVICE_FAILED", undefined, "points elsewhere"],
    ["a connection that is reset", "reset", "SERVICE_CUT", { afterMs: null }, "broke off"],
    ["an answer that breaks off", "cut", "SERVICE_CUT", { afterMs: null }, "broke off"],
  ])("tells %s by its code and its reason", async (_, fault, code, retry, said) => {
    server.faults.push(fault);
    const failure = await failureOf(urlTo(server.url));
    expect(failure).toMatchObject({ code, message: expect.stringContaining(said), retry });
    expect(failure.message).toContain("opensearch+http://127.0.0.1");
  });

  it("says nothing on standard output, whatever breaks off", async () => {
    const log = vi.spyOn(console, "log").mockImplementation(() => {});
    server.faults.push({ send: (response) => {
      response.writeHead(200, { "content-type": "application/json", "content-length": "4096" });
      response.write("{", () => setTimeout(() => response.socket?.resetAndDestroy(), 20));
    } });
    expect(await failureOf(urlTo(server.url))).toMatchObject({ code: "SERVICE_CUT" });
    expect(log).not.toHaveBeenCalled();
    log.mockRestore();
  });

  it("asks once more where a connection that was kept open is closed when it is used again", async () => {
    const service = await openService(urlTo(server.url), {});
    await service.check();
    server.faults.push("reset");
    expect(await service.namespaces()).toEqual([]);
    server.faults.push("reset", "reset");
    await expect(service.namespaces()).rejects.toMatchObject({ code: "SERVICE_CUT" });
    await service.close();
  });

  it("gives up what does not answer in time", async () => {
    server.faults.push("hang");
    expect(await failureOf(urlTo(server.url, "?timeoutMs=100"))).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
  });

  it("gives up an answer that begins and does not end", async () => {
    server.faults.push({ send: (response) => {
      response.writeHead(200, { "content-type": "application/json" });
      response.write("{");
    } });
    expect(await failureOf(urlTo(server.url, "?timeoutMs=300"))).toMatchObject({ code: "SERVICE_TIMEOUT" });
  });

  it("ends a check with the reason of its signal", async () => {
    server.faults.push("hang");
    const service = await openService(urlTo(server.url), {});
    const controller = new AbortController();
    const checked = service.check(controller.signal);
    controller.abort(new RangeError("enough"));
    await expect(checked).rejects.toThrow(new RangeError("enough"));
    await service.close();
  });

  it("says that nobody listens, and that it may help to ask again", async () => {
    expect(await failureOf(urlTo("http://127.0.0.1:1"))).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringContaining("127.0.0.1:1") });
  });

  it("says that there is no TLS where TLS is asked for", async () => {
    expect(await failureOf(server.url.replace("http://", "opensearch://reader:only-for-tests@"))).toMatchObject({ code: "SERVICE_FAILED", fix: expect.stringContaining("opensearch+http://") });
  });

  it("says that what listens there does not speak HTTP", async () => {
    const other: Server = createServer((socket) => socket.on("error", () => {}).end("+OK hello\r\n")).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    expect(await failureOf(urlTo(`http://127.0.0.1:${(other.address() as AddressInfo).port}`))).toMatchObject({ code: "SERVICE_FAILED", message: expect.stringContaining("HTTP") });
    other.close();
  });

  it.each([
    ["Elasticsearch", { number: "9.1.0", build_flavor: "default" }, "not OpenSearch"],
    ["a version that is too old", { number: "2.9.0", distribution: "opensearch" }, "too old"],
  ])("refuses %s", async (_, other, said) => {
    server.faults.push({ body: { version: other } });
    expect(await failureOf(urlTo(server.url))).toMatchObject({ code: "SERVICE_REJECTED", message: expect.stringContaining(said) });
  });

  it("says that the k-NN plugin is missing, where the plugins may be seen", async () => {
    server.faults.push({ body: { version } }, { body: [{ component: "analysis-icu" }] });
    expect(await failureOf(urlTo(server.url))).toMatchObject({ code: "SERVICE_REJECTED", fix: expect.stringContaining("opensearch-knn") });
    server.faults.push({ body: { version } }, { status: 403, body: security });
    const service = await openService(urlTo(server.url), {});
    expect(await service.check()).toEqual({ version: "3.5.0", detail: "OpenSearch, 0 published indexes" });
    await service.close();
  });

  it("sends user and password, and no word of them in what it says", async () => {
    const service = await openService(urlTo(server.url.replace("http://", "http://"), "?timeoutMs=5000"), {});
    await service.check();
    expect(service.url).toBe(server.url.replace("http", "opensearch+http"));
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${Buffer.from("reader:only-for-tests").toString("base64")}`);
    await service.close();
  });

  describe("while it is loaded", () => {
    const bulks = (): readonly Asked[] => server.requests.filter(({ path }) => path.includes("/_bulk"));
    const rejected = { status: 429, error: { type: "es_rejected_execution_exception", reason: "queue is full" } };

    it("sends only those documents again that it could not take for the moment", async () => {
      let attempts = 0;
      answer = answering((ids) => {
        attempts += 1;
        return ids.map((id) => ({ index: attempts === 1 && id === "c1" ? rejected : { status: 201 } }));
      });
      await publish();
      expect(bulks().map(({ body }) => idsIn(body))).toEqual([["c0", "c1", "c2", "t0", "t1", "t2", "weighing"], ["c1"]]);
      expect(server.requests.filter(({ path }) => path.includes("_mapping"))).toEqual([]);
      expect(bulks()[0]?.path).toMatch(/^\/twelve-vectors\.docs\.[0-9a-f]{8}\.loading\/_bulk\?require_alias=true$/);
    });

    it("sends a group again that it limited, cut or was too weak for", async () => {
      const faults: Fault[] = [{ status: 429, body: {}, headers: { "retry-after-ms": "1" } }, "reset", { status: 503, body: {}, headers: { "retry-after-ms": "1" } }];
      answer = (asked) => {
        const fault = asked.path.includes("/_bulk") ? faults.shift() : undefined;
        if (fault === "reset") return { send: (response) => void response.destroy() };
        return (fault as Reply | undefined) ?? answering()(asked);
      };
      await publish();
      expect(bulks()).toHaveLength(4);
    });

    it("fails with what is wrong with a document, and leaves nothing behind", async () => {
      answer = answering((ids) => ids.map((id) => ({ index: id === "c2" ? { status: 400, error: { type: "mapper_parsing_exception", reason: "failed to parse", caused_by: { reason: "Vector dimension mismatch. Expected: 3, Given: 2" } } } : { status: 201 } })));
      await expect(publish()).rejects.toMatchObject({ code: "SERVICE_REJECTED", message: expect.stringContaining("Vector dimension mismatch") });
      expect(bulks()).toHaveLength(1);
      expect(server.requests.at(-1)).toMatchObject({ method: "DELETE", path: expect.stringMatching(/^\/twelve-vectors\.docs\.[0-9a-f]{8}\?/) });
      expect(server.requests.filter(({ path }) => path === "/_aliases")).toEqual([]);
    });

    it("fails at last when it never takes them", async () => {
      answer = (asked) => (asked.path.includes("/_bulk") ? { status: 429, body: {}, headers: { "retry-after-ms": "1" } } : answering()(asked));
      await expect(publish()).rejects.toMatchObject({ code: "SERVICE_LIMITED", retry: { afterMs: 1 } });
      expect(bulks()).toHaveLength(10);
    });

    it("does not wait for a disk that is full", async () => {
      const full = { error: { type: "cluster_block_exception", reason: "index [x] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];" }, status: 429 };
      answer = (asked) => (asked.path.includes("/_bulk") ? { status: 429, body: full } : answering()(asked));
      await expect(publish()).rejects.toMatchObject({ code: "SERVICE_QUOTA", fix: expect.stringContaining("disk"), retry: undefined });
      expect(bulks()).toHaveLength(1);
    });
  });

  describe("signing for Amazon", () => {
    const keys = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI", AWS_SESSION_TOKEN: "session" };

    it("signs every request with the credentials of the environment, for the region in the URL", async () => {
      const service = await openService(`${server.url.replace("http", "opensearch+http")}?aws=es&region=eu-central-1`, keys);
      await service.publish("docs", { dimensions: 2, rows: rows(1) });
      await service.close();
      for (const { headers } of server.requests) {
        expect(headers.authorization).toMatch(/^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/es\/aws4_request, SignedHeaders=\S+, Signature=[0-9a-f]{64}$/);
        expect(headers["x-amz-security-token"]).toBe("session");
      }
      const bulk = server.requests.find(({ path }) => path.includes("/_bulk"));
      expect(bulk?.headers["x-amz-content-sha256"]).toBe(createHash("sha256").update(String(bulk?.body)).digest("hex"));
    });

    it("says that there are no credentials, or no region", async () => {
      for (const name of [...Object.keys(keys), "AWS_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE"]) vi.stubEnv(name, undefined);
      vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
      vi.stubEnv("AWS_CONFIG_FILE", "/nonexistent");
      vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent");
      const url = `${server.url.replace("http", "opensearch+http")}?aws=es`;
      expect(await failureOf(`${url}&region=eu-central-1`)).toMatchObject({ code: "SERVICE_UNAUTHENTICATED", fix: expect.stringContaining("AWS_ACCESS_KEY_ID") });
      expect(await failureOf(url, keys)).toMatchObject({ code: "SERVICE_UNSUPPORTED", fix: expect.stringContaining("AWS_REGION") });
    });
  });
});

describe("a reference to OpenSearch", () => {
  it.each([
    ["opensearch:host", "is no URL of an OpenSearch cluster"],
    ["opensearch://", "is no URL of an OpenSearch cluster"],
    ["opensearch://user@host", "only half there"],
    ["opensearch://user:only-for-tests%@host", "not percent-encoded"],
    ["opensearch://host?indx=hnsw", 'unknown option "indx"'],
    ["opensearch://host?index=ivf", "it can only be hnsw"],
    ["opensearch://host?timeoutMs=0", "timeoutMs"],
    ["opensearch://host?region=eu-central-1", "a region without ?aws=es"],
    ["opensearch://user:only-for-tests@host?aws=es", "both a password and ?aws=es"],
    ["opensearch://host?aws=ec2", "it can only be es"],
    ["opensearch://host?aws=aoss", "OpenSearch Serverless"],
    ["opensearch://abc.eu-central-1.aoss.amazonaws.com?aws=es", "OpenSearch Serverless"],
  ])("is refused as %s", async (reference, said) => {
    const failure: unknown = await openService(reference, {}).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining(said) });
    expect((failure as Error).message).not.toContain("only-for-tests");
  });
});

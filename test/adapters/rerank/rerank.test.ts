import { describe, expect, it, onTestFinished } from "vitest";
import { openReranker } from "../../../src/adapters/registry.ts";
import type { Reranker } from "../../../src/ports/rerank.ts";
import { startRerankServer } from "../../helpers/rerank-server.ts";
import type { Reply, ServiceServer } from "../../helpers/service-server.ts";
import { startTeiServer } from "../../helpers/tei-server.ts";
import { describeReranker } from "../../ports/rerank.contract.ts";

const key = "rk-0123456789abcdefghij";

interface Place {
  readonly url: string;
  readonly key?: string;
  readonly timeoutMs?: number;
}

interface Service {
  readonly name: string;
  start(): Promise<ServiceServer>;
  open(place: Place): Promise<Reranker>;
  refusal(status: number): Reply;
  /** An answer with scores for other texts than were asked for. */
  readonly wrong: Reply;
}

const hosted = (scheme: "cohere" | "jina", model: string): Service => ({
  name: `${scheme}:`,
  start: () => startRerankServer(key),
  open: ({ url, key: given = key, timeoutMs = 30_000 }) => openReranker(`${scheme}:${model}?timeoutMs=${timeoutMs}`, { dir: "/", env: { [`${scheme.toUpperCase()}_API_KEY`]: given, [`${scheme.toUpperCase()}_BASE_URL`]: url } }),
  refusal: (status) => ({ status, body: { message: `The service said ${status}` } }),
  wrong: { body: { results: [{ index: 0, relevance_score: 1 }, { index: 7, relevance_score: 0.5 }] } },
});

const services: readonly Service[] = [
  {
    name: "text-embeddings-inference",
    start: () => startTeiServer({ model: "reranker", key }),
    open: ({ url, key: given = key, timeoutMs = 30_000 }) => openReranker(`tei+${url}?timeoutMs=${timeoutMs}`, { dir: "/", env: { RERANKER_API_KEY: given } }),
    refusal: (status) => ({ status, body: { error: `The server said ${status}`, error_type: "Overloaded" } }),
    wrong: { body: [{ index: 0, score: 1 }, { index: 0, score: 0.5 }] },
  },
  hosted("cohere", "rerank-v3.5"),
  hosted("jina", "jina-reranker-v2-base-multilingual"),
];

async function started({ start }: Pick<Service, "start">): Promise<ServiceServer> {
  const server = await start();
  onTestFinished(() => server.close());
  return server;
}

for (const service of services) {
  describeReranker(service.name, async () => service.open({ url: (await started(service)).url }));

  describe(`${service.name} when things go wrong`, () => {
    it.each([
      ["a rate limit", { ...service.refusal(429), headers: { "retry-after": "3" } }, { code: "SERVICE_LIMITED", retry: { afterMs: 3000 } }],
      ["a rate limit that names no time", service.refusal(429), { code: "SERVICE_LIMITED", retry: { afterMs: null } }],
      ["a failure inside the service", service.refusal(500), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
      ["an error of the service", service.refusal(503), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
      ["a connection that breaks", "cut", { code: "SERVICE_CUT", retry: { afterMs: null } }],
      ["a connection that is reset", "reset", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
      ["a page", "garbage", { code: "SERVICE_FAILED", retry: undefined }],
      ["an answer of another kind", { body: { hello: "world" } }, { code: "SERVICE_FAILED", retry: undefined }],
      ["scores of other texts", service.wrong, { code: "SERVICE_FAILED", retry: undefined }],
    ] as const)("understands %s", async (_, fault, failure) => {
      const server = await started(service);
      const reranker = await service.open({ url: server.url });
      server.faults.push(fault);
      const asked = server.requests.length;
      await expect(reranker.rerank("question", ["one", "another"])).rejects.toMatchObject(failure);
      expect(server.requests.length - asked).toBe(1);
    });

    it("says that nothing answers, and that it may later", async () => {
      const server = await started(service);
      const reranker = await service.open({ url: server.url });
      await server.close();
      // A connection that was open already may have to be seen closed first.
      await expect.poll(() => reranker.rerank("question", ["text"]).catch((error: unknown) => error)).toMatchObject({
        code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringContaining(`nothing answers at ${new URL(server.url).host}`), fix: expect.stringContaining("Start the server"),
      });
    });

    it("says of a wrong key that it is no good, when it is asked whether it is there", async () => {
      const { url } = await started(service);
      const asking = service.open({ url, key: "wrong-key" }).then((reranker) => reranker.check());
      await expect(asking).rejects.toMatchObject({ exit: 6, fix: expect.stringContaining("_API_KEY") });
    });

    it("gives up in time", async () => {
      const server = await started(service);
      const reranker = await service.open({ url: server.url, timeoutMs: 100 });
      server.faults.push("hang");
      await expect(reranker.rerank("question", ["text"])).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", message: expect.stringContaining("within 100 ms") });
    });

    it("says that the key is wrong, and where it was looked up", async () => {
      const server = await started(service);
      const ranking = (async () => (await service.open({ url: server.url, key: "rk-wrong" })).rerank("question", ["text"]))();
      await expect(ranking).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", fix: expect.stringMatching(/[A-Z]+_API_KEY/), message: expect.not.stringContaining("rk-wrong") });
    });
  });
}

describe("tei+http: as a reranker", () => {
  it("asks in batches of the size that the server takes", async () => {
    const server = await started({ start: () => startTeiServer({ model: "reranker", maxBatch: 8 }) });
    const reranker = await openReranker(`tei+${server.url}`, { dir: "/", env: {} });
    expect(await reranker.rerank("number 7", Array.from({ length: 20 }, (_, i) => `number ${i}`))).toHaveLength(20);
    expect(server.requests.slice(1).map(({ body }) => (body as { texts: string[] }).texts.length).toSorted((left, right) => left - right)).toEqual([4, 8, 8]);
    expect(server.requests[1]?.body).toMatchObject({ query: "number 7", raw_scores: false, truncate: true });
  });

  it("refuses a server that embeds", async () => {
    const server = await started({ start: () => startTeiServer() });
    await expect(openReranker(`tei+${server.url}`, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("which is no reranker") });
  });
});

describe("a hosted reranker", () => {
  it("names the key that is missing, without asking", async () => {
    await expect((await openReranker("cohere:rerank-v3.5", { dir: "/", env: {} })).rerank("question", ["text"])).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", message: "cohere:rerank-v3.5 needs a key, and COHERE_API_KEY is not set" });
  });

  it("sends what the provider reads", async () => {
    const server = await started({ start: () => startRerankServer(key) });
    const [cohere, jina] = await Promise.all(["cohere:rerank-v3.5", "jina:jina-reranker-m0"].map((reference) => openReranker(reference, { dir: "/", env: { COHERE_API_KEY: key, JINA_API_KEY: key, COHERE_BASE_URL: server.url, JINA_BASE_URL: server.url } })));
    await cohere?.rerank("question", ["one", "", "two"]);
    await jina?.rerank("question", ["one"]);
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      ["/v2/rerank", { model: "rerank-v3.5", query: "question", documents: ["one", "two"], top_n: 2 }],
      ["/v1/rerank", { model: "jina-reranker-m0", query: "question", documents: ["one"], top_n: 1, return_documents: false }],
    ]);
  });

  it("says whether a look at it is paid for: Cohere describes its models for nothing", async () => {
    const paid = async (reference: string, env: Record<string, string> = {}): Promise<boolean | undefined> => (await openReranker(reference, { dir: "/", env: { COHERE_API_KEY: key, JINA_API_KEY: key, ...env } })).isCheckPaid;
    expect([await paid("cohere:rerank-v3.5"), await paid("cohere:rerank-v3.5", { COHERE_BASE_URL: "http://127.0.0.1:9" }), await paid("jina:m")]).toEqual([undefined, true, true]);
  });

  it.each(["cohere:", "jina: ", "cohere:rerank-v3.5?top=3", "jina:a b"])("refuses %s", async (reference) => {
    await expect(openReranker(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED" });
  });
});

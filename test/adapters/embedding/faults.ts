import { describe, expect, it, onTestFinished } from "vitest";
import { summaryOf, TwelveError } from "../../../src/core/errors.ts";
import type { Embedder } from "../../../src/ports/embedding.ts";
import type { Fault, Reply, ServiceServer } from "../../helpers/service-server.ts";

export interface FaultyService {
  /** A new server that knows `key` and no other. */
  start(): Promise<ServiceServer>;
  open(address: { readonly url: string; readonly key: string; readonly timeoutMs: number }): Promise<Embedder>;
  readonly key: string;
  /** How the service refuses with that status, in its own form. */
  refusal(status: 429 | 500): Reply;
  /** A whole answer with a vector of three numbers. */
  readonly short: Reply;
}

/** Everything that a printed failure may show. */
function shown(error: TwelveError): string {
  return [summaryOf(error), error.fix, error.cause instanceof Error ? error.cause.message : ""].join("\n");
}

async function failureOf(work: Promise<unknown>): Promise<TwelveError> {
  const error: unknown = await work.then(() => undefined, (reason: unknown) => reason);
  if (error instanceof TwelveError) return error;
  throw new Error(`Expected a TwelveError, found ${String(error)}`);
}

/** What every embedder behind a network does about what networks and services do. */
export function describeFaults(name: string, service: FaultyService): void {
  const { key } = service;

  async function started(): Promise<ServiceServer> {
    const server = await service.start();
    onTestFinished(() => server.close());
    return server;
  }

  async function failing(fault: Fault, timeoutMs = 30_000): Promise<TwelveError> {
    const server = await started();
    const embedder = await service.open({ url: server.url, key, timeoutMs });
    server.faults.push(fault);
    const error = await failureOf(embedder.embed(["one text", "another"].slice(0, embedder.maxBatch), "document"));
    expect(shown(error)).not.toContain(key);
    return error;
  }

  describe(`${name} when things go wrong`, () => {
    it("says that nothing answers, and that it may later", async () => {
      const server = await started();
      const embedder = await service.open({ url: server.url, key, timeoutMs: 30_000 });
      await server.close();
      // A connection that was open already may have to be seen closed first.
      await expect.poll(() => failureOf(embedder.embed(["text"], "query"))).toMatchObject({
        code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringContaining(`nothing answers at ${new URL(server.url).host}`), fix: expect.stringContaining("Start the server"),
      });
    });

    it("gives up on a service that does not answer in time", async () => {
      expect(await failing("hang", 100)).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null }, message: expect.stringContaining("did not answer within 100 ms") });
    });

    it("asks for the wait that a rate limit asks for", async () => {
      const limited = service.refusal(429);
      expect(await failing(limited)).toMatchObject({ code: "SERVICE_LIMITED", retry: { afterMs: null }, message: expect.stringContaining("429") });
      expect(await failing({ ...limited, headers: { ...limited.headers, "retry-after": "7" } })).toMatchObject({ code: "SERVICE_LIMITED", retry: { afterMs: 7000 } });
    });

    it("may be asked again after an error of the service", async () => {
      expect(await failing(service.refusal(500))).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null }, message: expect.stringContaining("500") });
    });

    it("may be asked again after a connection that broke", async () => {
      expect(await failing("reset")).toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
      expect(await failing("cut")).toMatchObject({ code: "SERVICE_CUT", retry: { afterMs: null } });
    });

    it("does not take a page for an answer", async () => {
      expect(await failing("garbage")).toMatchObject({ code: "SERVICE_FAILED", retry: undefined, message: expect.stringContaining("not JSON") });
    });

    it("refuses vectors of another length", async () => {
      expect(await failing(service.short)).toMatchObject({ code: "SERVICE_FAILED", retry: undefined });
    });

    it("says that the key is wrong, without repeating it", async () => {
      const server = await started();
      const wrong = "sk-wrong-0123456789abcdef";
      const opening = (async () => (await service.open({ url: server.url, key: wrong, timeoutMs: 30_000 })).embed(["text"], "document"))();
      const error = await failureOf(opening);
      // AWS answers a wrong bearer token as it answers a missing permission.
      expect(error).toMatchObject({ code: expect.stringMatching(/^SERVICE_(UNAUTHENTICATED|DENIED)$/), retry: undefined });
      expect(error.fix).toMatch(/[A-Z_]*(API_KEY|AWS|credentials)/);
      expect(shown(error)).not.toMatch(/sk-wrong|cdef/);
    });

    it("ends with the signal's reason when it is aborted on the way", async () => {
      const server = await started();
      const embedder = await service.open({ url: server.url, key, timeoutMs: 30_000 });
      const before = server.requests.length;
      server.faults.push("hang", "hang");
      const controller = new AbortController();
      const embedding = embedder.embed(["text"], "document", controller.signal);
      await expect.poll(() => server.requests.length).toBeGreaterThan(before);
      const reason = new Error("stopped");
      controller.abort(reason);
      await expect(embedding).rejects.toBe(reason);
    });

    it("asks once, whatever happens", async () => {
      const server = await started();
      const embedder = await service.open({ url: server.url, key, timeoutMs: 30_000 });
      const before = server.requests.length;
      server.faults.push(service.refusal(500));
      await failureOf(embedder.embed(["text"], "document"));
      expect(server.requests).toHaveLength(before + 1);
    });
  });
}

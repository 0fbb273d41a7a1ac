import { describe, expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/ports/session.ts";
import type { Fault, ServiceServer } from "../../helpers/service-server.ts";

export interface FaultySessions {
  start(): Promise<ServiceServer>;
  /** `query` is empty, or options with their question mark. */
  open(url: string, query: string): SessionStore;
  /** The service's own names of errors. */
  readonly throttled: string;
  readonly broken: string;
  /** The permission that the first call needs. */
  readonly action: string;
}

const entry = { role: "user", content: "text", at: "2026-11-24T10:00:00.000Z" } as const;

/** What a session store of AWS's does about what networks and services do. */
export function describeAwsFaults(name: string, service: FaultySessions): void {
  async function failing(fault: Fault, query = ""): Promise<unknown> {
    const server = await service.start();
    onTestFinished(() => server.close());
    server.faults.push(fault);
    const store = service.open(server.url, query);
    onTestFinished(() => store.close());
    const failure: unknown = await store.append({ user: "u", session: "s" }, [entry], { expected: 0 }).then(() => "done", (error: unknown) => error);
    expect(JSON.stringify([failure, String(failure)])).not.toContain("geheim");
    return failure;
  }
  const refusal = (status: number, type: string, headers: Readonly<Record<string, string>> = {}): Fault => ({ status, headers: { "x-amzn-errortype": type, "x-amzn-requestid": "r-1", ...headers }, body: { message: `The service says ${type}` } });

  describe(`${name} when things go wrong`, () => {
    it.each<[string, Fault, object]>([
      ["a limit", refusal(429, service.throttled), { code: "SERVICE_LIMITED", retry: { afterMs: null }, message: expect.stringContaining(`The service says ${service.throttled}, request r-1`) as string }],
      ["a limit that says how long", refusal(429, service.throttled, { "retry-after": "3" }), { code: "SERVICE_LIMITED", retry: { afterMs: 3000 } }],
      ["an error of its own", refusal(500, service.broken), { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
      ["expired credentials", refusal(403, "ExpiredTokenException"), { code: "SERVICE_UNAUTHENTICATED", retry: undefined }],
      ["a missing permission", refusal(403, "AccessDeniedException"), { code: "SERVICE_DENIED", retry: undefined, fix: expect.stringContaining(service.action) as string }],
      ["a quota", refusal(402, "ServiceQuotaExceededException"), { code: "SERVICE_QUOTA", retry: undefined }],
      ["a page", "garbage", { code: "SERVICE_FAILED", retry: undefined }],
      ["a broken connection", "reset", { code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } }],
      ["a cut answer", "cut", { code: "SERVICE_CUT", retry: { afterMs: null } }],
    ])("tells %s by its code", async (_, fault, expected) => {
      expect(await failing(fault)).toMatchObject(expected);
    });

    it("gives up on a service that does not answer", async () => {
      expect(await failing("hang", "?timeoutMs=200")).toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null } });
    });

    it("says that nothing answers", async () => {
      const server = await service.start();
      await server.close();
      const store = service.open(server.url, "");
      await expect(store.read({ user: "u", session: "s" })).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE", retry: { afterMs: null } });
    });

    it("asks a second time only when it is asked to, and is well again by itself", async () => {
      const server = await service.start();
      onTestFinished(() => server.close());
      server.faults.push(refusal(500, service.broken));
      const store = service.open(server.url, "");
      await expect(store.check()).rejects.toMatchObject({ code: "SERVICE_UNAVAILABLE" });
      expect(server.requests).toHaveLength(1);
      expect(await store.check()).toMatchObject({ version: null });
    });
  });
}

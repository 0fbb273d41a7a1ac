import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openRuns } from "../../../src/adapters/runs/dbos/adapter.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import { TwelveError } from "../../../src/core/errors.ts";
import type { ModelChunk, ModelRequest } from "../../../src/ports/model.ts";
import type { SessionStore } from "../../../src/ports/session.ts";
import type { OpenedRuntime } from "../../../src/run/apply.ts";
import { openMemorySessions } from "../../helpers/memory-sessions.ts";
import { keeping } from "../fixture.ts";
import { startServer } from "../http/fixture.ts";
import { fakeAgents, type FakeAgents, fakeTool, type FakeTool, replies } from "./fixture.ts";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "twelve-keyed-runs-"))));
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

let kinds = 0;
const newKind = (): string => `keyed-${(kinds += 1)}`;
const question = { model: "support", messages: [{ role: "user", content: "I want my money back" }] };
const refunding = replies({ say: "I pay.", call: [["refund", "{}"]] }, "Paid.");
const refundTool = (change: Partial<FakeTool> = {}): FakeTool => fakeTool("refund", () => "paid", { isIdempotent: false, ...change });

interface Process {
  readonly kind?: string;
  readonly works?: boolean;
  readonly sessions?: SessionStore;
}

interface Answered {
  readonly status: number;
  readonly run: string | null;
  readonly isReplayed: boolean;
  readonly text: string;
}

/** A process over the database that all share, and a client whose requests have a key. */
async function startProcess(script: Parameters<typeof fakeAgents>[0], tool: FakeTool, { kind = newKind(), works = true, sessions = openMemorySessions() }: Process = {}) {
  const engine = await openRuns("pglite:state", folder, { lostMs: 2000 });
  const agents: FakeAgents = fakeAgents(script, { tools: [tool], durable: { engine, kind, works, concurrency: 4 } });
  const kept = keeping({ clock: systemClock, sessions });
  const nothing = (): Promise<never> => Promise.reject(new Error("These agents retrieve nothing"));
  const runtime: OpenedRuntime = { indexes: [], search: nothing, embed: nothing, agents: ["support"], toolAgents: agents, answer: (request) => kept.answer(request, (turn) => agents.answer(turn)), kept: () => kept, check: () => Promise.resolve([]), close: () => agents.close() };
  let closing: Promise<void> | undefined;
  const stop = (): Promise<void> => (closing ??= agents.close());
  onTestFinished(stop);
  const { url } = await startServer(runtime, { clock: systemClock });
  const request = (path: string, body: object, signal?: AbortSignal): Promise<Response> =>
    fetch(`${url}${path}`, { method: "POST", headers: { "content-type": "application/json", "idempotency-key": '"k-1"' }, body: JSON.stringify(body), ...(signal && { signal }) });
  const post = async (path: string, body: object): Promise<Answered> => {
    const response = await request(path, body);
    return { status: response.status, run: response.headers.get("x-run-id"), isReplayed: response.headers.get("idempotency-replayed") === "true", text: await response.text() };
  };
  const runs = async (): Promise<readonly { readonly id: string; readonly status: string }[]> => ((await (await fetch(`${url}/v1/agents/support/runs`)).json()) as { readonly data: readonly { id: string; status: string }[] }).data;
  return { agents, url, request, post, runs, chat: (change: object = {}): Promise<Answered> => post("/v1/chat/completions", { ...question, ...change }), stop };
}

/** Refunds, and thinks about what to say until it is let go on; or it is stopped. */
function thoughtful() {
  const gate = Promise.withResolvers<void>();
  const thinking = Promise.withResolvers<void>();
  async function* script(request: ModelRequest): AsyncGenerator<ModelChunk> {
    if (request.messages.some(({ role }) => role === "tool")) {
      thinking.resolve();
      const { signal } = request;
      await Promise.race([gate.promise, new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason as Error)))]);
    }
    yield* refunding(request);
  }
  return { script, thinking: thinking.promise, letGo: () => gate.resolve() };
}

/** Cannot keep the first answer. */
function forgetful(): SessionStore {
  const sessions = openMemorySessions();
  let isBroken = true;
  return {
    ...sessions,
    append(...given) {
      if (!isBroken || !JSON.stringify(given).includes('"outcome":"kept"')) return sessions.append(...given);
      isBroken = false;
      return Promise.reject(new TwelveError("SERVICE_DENIED", "read only"));
    },
  };
}

/** Free again is the key of a client that went away as soon as the server has seen it. */
const untilFree = (ask: () => Promise<Answered>): Promise<Answered> =>
  vi.waitFor(async () => {
    const answered = await ask();
    if (answered.text.includes("idempotency_key_busy")) throw new Error("The key is busy");
    return answered;
  }, { timeout: 20_000, interval: 50 });

async function leaveInTheMiddle({ request }: Pick<Awaited<ReturnType<typeof startProcess>>, "request">, stream: boolean, thinking: Promise<void>): Promise<void> {
  const client = new AbortController();
  const gone = request("/v1/chat/completions", { ...question, stream }, client.signal).then((response) => response.text()).catch(() => "gone");
  await thinking;
  client.abort();
  expect(await gone).toBe("gone");
}

describe("a request with an Idempotency-Key to an agent with tools", () => {
  it.each([[false], [true]])("finds its run when its client went away and asks again, with stream: %s", async (stream) => {
    const tool = refundTool();
    const { script, thinking, letGo } = thoughtful();
    const server = await startProcess(script, tool);
    await leaveInTheMiddle(server, stream, thinking);
    const again = untilFree(() => server.chat({ stream }));
    letGo();
    const { status, text, run } = await again;
    expect([status, await server.runs()]).toMatchObject([200, [{ id: run, status: "completed" }]]);
    for (const said of ["I pay.", String.raw`\n\nPaid.`]) expect(text).toContain(said);
    expect([tool.calls.length, server.agents.asked.length]).toEqual([1, 2]);
    expect(await server.chat({ stream })).toEqual({ status: 200, text, run, isReplayed: true });
  });

  it("finds its run at another process when its own is gone", async () => {
    const [kind, sessions, tool] = [newKind(), openMemorySessions(), refundTool()];
    const { script, thinking } = thoughtful();
    const first = await startProcess(script, tool, { kind, sessions });
    await leaveInTheMiddle(first, true, thinking);
    await first.stop();
    const second = await startProcess(refunding, tool, { kind, sessions });
    expect(await untilFree(() => second.chat({ stream: true }))).toMatchObject({ status: 200, text: expect.stringContaining("Paid.") });
    expect([tool.calls.length, await second.runs()]).toMatchObject([1, [{ status: "completed" }]]);
  });

  it("finds its run where a worker works on it", async () => {
    const [kind, sessions, tool] = [newKind(), openMemorySessions(), refundTool()];
    const { script, thinking, letGo } = thoughtful();
    const web = await startProcess(replies(), tool, { kind, sessions, works: false });
    await startProcess(script, tool, { kind, sessions });
    await leaveInTheMiddle(web, false, thinking);
    const again = untilFree(() => web.chat({ stream: false }));
    letGo();
    expect(await again).toMatchObject({ status: 200, text: expect.stringContaining("Paid.") });
    expect([tool.calls.length, await web.runs()]).toMatchObject([1, [{ status: "completed" }]]);
  });

  it("finds its run where its answer could not be kept", async () => {
    const tool = refundTool();
    const server = await startProcess(refunding, tool, { sessions: forgetful() });
    const lost = await server.chat();
    expect(lost).toMatchObject({ status: 502 });
    expect(await server.chat()).toMatchObject({ status: 200, run: lost.run, isReplayed: false, text: expect.stringContaining("Paid.") });
    expect([tool.calls.length, (await server.runs()).length]).toEqual([1, 1]);
  });

  it("submits one run, whatever becomes of the record", async () => {
    const tool = refundTool();
    const server = await startProcess(refunding, tool, { sessions: forgetful() });
    const submit = (): Promise<Answered> => server.post("/v1/agents/support/runs", { input: "I want my money back" });
    expect(await submit()).toMatchObject({ status: 502 });
    const second = await submit();
    expect([second, await submit()]).toMatchObject([{ status: 202, isReplayed: false }, { status: 202, run: second.run, isReplayed: true }]);
    await vi.waitFor(async () => expect(await server.runs()).toMatchObject([{ id: second.run, status: "completed" }]), { timeout: 20_000 });
    expect(tool.calls).toHaveLength(1);
  });

  it("has the same failure again where a tool was called, and begins anew where none was", async () => {
    const failAt = (turn: number, times: number) => {
      let failures = 0;
      return function* (request: ModelRequest): Generator<ModelChunk> {
        if (request.messages.filter(({ role }) => role === "assistant").length === turn && (failures += 1) <= times) throw new TwelveError("SERVICE_FAILED", "The model is broken", { retry: { afterMs: 600_000 } });
        yield* refunding(request);
      };
    };
    const tool = refundTool();
    const late = await startProcess(failAt(1, 1), tool);
    expect([(await late.chat()).status, (await late.chat()).status]).toEqual([502, 502]);
    expect([tool.calls.length, await late.runs()]).toMatchObject([1, [{ status: "failed" }]]);
    const early = await startProcess(failAt(0, 1), tool);
    expect([(await early.chat()).status, (await early.chat()).status]).toEqual([502, 200]);
    expect([tool.calls.length, await early.runs()]).toMatchObject([2, [{ status: "completed" }, { status: "failed" }]]);
  });
});

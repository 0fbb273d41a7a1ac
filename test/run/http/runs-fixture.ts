import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, onTestFinished, vi } from "vitest";
import { openRuns } from "../../../src/adapters/runs/dbos/adapter.ts";
import { systemClock } from "../../../src/adapters/system/clock.ts";
import type { OpenTool } from "../../../src/ports/tool.ts";
import { answerTurn } from "../../../src/run/agent/answer-turn.ts";
import type { ToolAgents } from "../../../src/run/agent/open.ts";
import { RunView } from "../../../src/run/agent/view-schema.ts";
import type { OpenedRuntime } from "../../../src/run/apply.ts";
import type { KeyRing } from "../../../src/run/http/key.ts";
import { listen } from "../../../src/run/http/listen.ts";
import type { Traffic } from "../../../src/run/http/traffic.ts";
import { fakeAgents, type FakeAgents } from "../agent/fixture.ts";
import { keeping } from "../fixture.ts";
import { openTestServer } from "./fixture.ts";

let folder = "";
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "twelve-agent-runs-"))));
afterAll(() => rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

let kinds = 0;
export const newKind = (): string => `runs-${(kinds += 1)}`;

interface ServerOptions {
  readonly tools: readonly OpenTool[];
  readonly kind?: string;
  readonly works?: boolean;
  readonly limits?: Parameters<typeof fakeAgents>[1]["limits"];
  readonly release?: string;
  readonly openOther?: (release: string) => Promise<ToolAgents>;
  /** With them, they name the caller. */
  readonly keys?: KeyRing;
  readonly startMs?: number;
  readonly away?: Parameters<typeof fakeAgents>[1]["away"];
}

/** What of an answer the tests look at by name. */
interface Body {
  readonly id: string;
  readonly status: string;
  readonly created_at: string;
  readonly waiting_for: readonly object[];
  readonly data: readonly object[];
}

interface Server {
  readonly traffic: Traffic;
  readonly url: string;
  readonly agents: FakeAgents;
  get(path: string, key?: string, headers?: Record<string, string>): Promise<{ readonly status: number; readonly body: Body }>;
  post(path: string, body: object, key?: string): Promise<{ readonly status: number; readonly headers: Headers; readonly body: Body }>;
  /** The run, once it is in that state. */
  when(id: string, status: string, key?: string): Promise<RunView>;
  stop(): Promise<void>;
}

/** A server of its own over the database that all share; the caller of a request is named by its header x-key, or by the keys that are given. */
export async function startServer(script: Parameters<typeof fakeAgents>[0], { tools, kind = newKind(), works = true, limits, release, openOther, keys, startMs, away }: ServerOptions): Promise<Server> {
  const engine = await openRuns("pglite:state", folder, { lostMs: 2000 });
  const kept = keeping({ clock: systemClock });
  const agents = fakeAgents(script, { tools, keepLate: (turn) => kept.keepLate(turn), ...(away && { away }), ...(limits && { limits }), ...(release && { release }), ...(openOther && { openOther }), durable: { engine, kind, works, concurrency: 4, ...(startMs && { startMs }) } });
  const nothing = (): Promise<never> => Promise.reject(new Error("These agents retrieve nothing"));
  const runtime: OpenedRuntime = { indexes: [], search: nothing, embed: nothing, agents: ["support", "plain"], toolAgents: agents, answer: (request) => answerTurn(agents, kept, request), kept: () => kept, check: () => Promise.resolve([]), close: () => agents.close() };
  const { app, traffic } = await openTestServer(runtime, { clock: systemClock, ...(keys && { access: { keys, isHostChecked: false } }) });
  app.addHook("onRequest", (request, _reply, done) => {
    if (keys === undefined) request.caller = { key: (request.headers["x-key"] as string | undefined) ?? null };
    done();
  });
  const url = await listen(app, { host: "127.0.0.1", port: 0 });
  let isStopped = false;
  const stop = async (): Promise<void> => {
    if (isStopped) return;
    isStopped = true;
    app.server.closeAllConnections();
    await app.close();
    await agents.close();
  };
  onTestFinished(stop);
  const headersOf = (key: string | undefined): Record<string, string> => (key === undefined ? {} : { "x-key": key });
  const get: Server["get"] = async (path, key, headers = {}) => {
    const response = await fetch(`${url}/v1/agents/support/runs${path}`, { headers: { ...headersOf(key), ...headers } });
    return { status: response.status, body: (await response.json()) as Body };
  };
  return {
    traffic,
    url,
    agents,
    get,
    async post(path, body, key) {
      const response = await fetch(`${url}/v1/agents/support/runs${path}`, { method: "POST", headers: { "content-type": "application/json", ...headersOf(key) }, body: JSON.stringify(body) });
      return { status: response.status, headers: response.headers, body: (await response.json()) as Body };
    },
    when: (id, status, key) =>
      vi.waitFor(async () => {
        const { body } = await get(`/${id}`, key);
        if (body.status !== status) throw new Error(`${id} is ${JSON.stringify(body)}`);
        return RunView.parse(body);
      }, { timeout: 30_000, interval: 50 }),
    stop,
  };
}

/** Asks for an answer by the agent with tools. */
export const chat = (url: string, stream: boolean, signal?: AbortSignal): Promise<Response> =>
  fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: "Where is order 7?" }], stream }), ...(signal && { signal }) });

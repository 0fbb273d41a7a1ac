import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import type { RunView } from "../../src/run/agent/view-schema.ts";
import { startTwelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { git, gitApp, writeFiles } from "../helpers/git-app.ts";
import { type PostgresServer, startPostgres, withoutPostgres } from "../helpers/postgres.ts";
import { freePort } from "../helpers/program.ts";

const manifest = (processes: string): string => `name: shop
config:
  STATE_URL: { kind: attachment, default: "pglite:.twelve/state" }
tools:
  look-up: { command: node tools/gated.js look-up, description: Looks an order up }
  refund: { command: node tools/gated.js refund, description: Pays an order back, idempotent: false }
  notify: { command: node tools/gated.js notify, description: Writes to the customer, approve: true, idempotent: false }
agents:
  support: { prompt: answer, model: "mock:script:mocks/support.yaml", tools: [look-up, refund, notify], limits: { steps: 6, costUsd: 1 } }
processes:
${processes}
environments: { staging: {} }
`;

/** Notes each call in a file, and answers once the file's gate is open. */
const gated = `
import { appendFileSync, existsSync } from "node:fs";
const [, , name] = process.argv;
const file = process.env.TOOL_FOLDER + "/" + name;
let given = "";
for await (const part of process.stdin) given += part;
appendFileSync(file + ".calls", given.trim() + "\\n");
while (!existsSync(file + ".open")) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(name + " did it");
`;

const script = `
replies:
  - when: { contains: step by step }
    sequence:
      - { callTools: [{ name: look-up, arguments: { order: 7 } }], latencyMs: 2500 }
      - callTools: [{ name: refund, arguments: { order: 7, eur: 5 } }]
      - callTools: [{ name: notify, arguments: { text: Sorry } }]
      - say: All done.
  - when: { contains: endless }
    callTools: [{ name: look-up, arguments: {} }]
  - say: Hello.
`;

const files = (processes: string) => ({
  "twelve.yaml": manifest(processes),
  "prompts/answer.prompt": "---\ninput:\n  schema:\n    question: string\n---\n{{question}}\n",
  "mocks/support.yaml": script,
  "tools/gated.js": gated,
  "package.json": '{ "type": "module" }\n',
  ".gitignore": ".twelve\n",
});

interface Program {
  readonly url: string;
  readonly lines: readonly { readonly event: string; readonly [field: string]: unknown }[];
  kill(): Promise<void>;
  stop(): Promise<number | null>;
}

async function released(env: Readonly<Record<string, string>>, processes = "  web: { serve: [support] }"): Promise<string> {
  const cwd = await gitApp(files(processes));
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd, env });
  return cwd;
}

/** The program with this process type, ready; `url` is empty for a worker. */
async function start(type: "web" | "worker", { cwd, env, more = [] }: { readonly cwd: string; readonly env: Readonly<Record<string, string>>; readonly more?: readonly string[] }): Promise<Program> {
  const child = startTwelve(["run", type, "--env", "staging", ...(more.includes("--port") ? [] : ["--port", "0"]), ...more], { cwd, env });
  const ended = once(child, "close");
  let [stdout, stderr] = ["", ""];
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    await ended;
    return child.exitCode;
  };
  const url = await vi.waitFor(() => {
    if (child.exitCode !== null) throw new Error(`twelve run ended with ${child.exitCode}: ${stderr}`);
    if (type === "worker" && stdout.includes("worker-ready")) return "";
    const found = /Ready:\s+(http:\/\/\S+)/.exec(stderr)?.[1];
    if (found === undefined) throw new Error(stderr);
    return found;
  }, { timeout: 90_000, interval: 20 });
  return {
    url,
    get lines() {
      return stdout.split("\n").slice(0, -1).map((line) => JSON.parse(line) as Program["lines"][number]);
    },
    kill: async () => void (await end("SIGKILL")),
    stop: () => end("SIGTERM"),
  };
}

const runs = "/v1/agents/support/runs";
async function post(url: string, body: object): Promise<unknown> {
  const response = await fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  return response.json();
}
const read = async (url: string, id: string): Promise<RunView> => (await fetch(`${url}${runs}/${id}`)).json() as Promise<RunView>;
const when = (url: string, id: string, isSo: (run: RunView) => boolean): Promise<RunView> =>
  vi.waitFor(async () => {
    const run = await read(url, id);
    if (!isSo(run)) throw new Error(JSON.stringify(run));
    return run;
  }, { timeout: 60_000, interval: 50 });
const isRunning = (type: "model_call" | "tool_call", step: number) => (run: RunView): boolean => run.steps.some((each) => each.type === type && each.step === step && each.status === "running" && each.attempts > 0);

async function events(url: string, id: string, lastEventId?: string): Promise<readonly EventSourceMessage[]> {
  const response = await fetch(`${url}${runs}/${id}/events`, lastEventId === undefined ? {} : { headers: { "last-event-id": lastEventId } });
  const read: EventSourceMessage[] = [];
  createParser({ onEvent: (event) => void read.push(event) }).feed(await response.text());
  return read;
}

it("of an older release go on beside the newer one, which keeps its own API keys", { timeout: 120_000 }, async () => {
  const env = { TOOL_FOLDER: await temporaryFolder() };
  const cwd = await released(env);
  onTestFinished(() => writeFile(join(env.TOOL_FOLDER, "look-up.open"), ""));
  const calls = (count: number): Promise<void> => vi.waitFor(async () => expect((await readFile(join(env.TOOL_FOLDER, "look-up.calls"), "utf8")).trim().split("\n")).toHaveLength(count), { timeout: 60_000, interval: 50 });
  const first = await start("web", { cwd, env });
  await post(`${first.url}${runs}`, { id: "r", input: "endless" });
  await calls(1);
  await first.kill();

  const { key, record } = await twelveJson<{ key: string; record: object }>(["admin", "key", "--name", "ci"], { cwd });
  writeFiles(cwd, { "twelve.yaml": manifest("  web: { serve: [support] }").replace("config:", 'server: { keys: "${API_KEYS}" }\nconfig:\n  API_KEYS: { kind: secret }') });
  git(cwd, "commit", "--quiet", "--all", "--message", "Keys");
  const guarded = { ...env, API_KEYS: JSON.stringify([record]) };
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd, env: guarded });
  const second = await start("web", { cwd, env: guarded });
  await calls(2);
  const models = async (headers: Record<string, string>): Promise<number> => (await fetch(`${second.url}/v1/models`, { headers })).status;
  expect([await models({}), await models({ authorization: `Bearer ${key}` })]).toEqual([401, 200]);
  expect(await second.stop()).toBe(0);
});

let postgres: PostgresServer | undefined;
let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twelve-agent-state-"));
  if (!withoutPostgres) postgres = await startPostgres();
});
afterAll(async () => {
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
});

describe.each([
  ["an embedded database", false, async () => `pglite:${await mkdtemp(join(folder, "state-"))}`],
  ["a real Postgres server", withoutPostgres, async () => (await postgres?.createDatabase()) ?? ""],
] as const)("runs of agents on %s, in the real program", (_, isSkipped, stateUrl) => {
  async function machine(processes?: string) {
    const tools = await temporaryFolder();
    const env = { STATE_URL: await stateUrl(), TOOL_FOLDER: tools };
    const cwd = await released(env, processes);
    // What a killed process left behind ends with the test.
    onTestFinished(() => Promise.all(["look-up", "refund", "notify"].map((name) => writeFile(join(tools, `${name}.open`), ""))).then(() => {}));
    return {
      start: (type: "web" | "worker" = "web", ...more: readonly string[]) => start(type, { cwd, env, more }),
      open: (tool: string) => writeFile(join(tools, `${tool}.open`), ""),
      calls: async (tool: string): Promise<readonly string[]> => (await readFile(join(tools, `${tool}.calls`), "utf8").catch(() => "")).split("\n").filter((line) => line !== ""),
      called: (tool: string, count: number) => vi.waitFor(async () => {
        const text = await readFile(join(tools, `${tool}.calls`), "utf8");
        if (text.trim().split("\n").length < count) throw new Error(text);
      }, { timeout: 60_000, interval: 20 }),
    };
  }

  it.skipIf(isSkipped)("go on at the next step when their process is killed, and never call twice what must not be", { timeout: 180_000 }, async () => {
    const here = await machine();
    const first = await here.start();
    expect(await post(`${first.url}${runs}`, { id: "r", input: "Please go step by step" })).toMatchObject({ id: "r", agent: "support" });
    await when(first.url, "r", isRunning("model_call", 1));
    // In the middle of a model call.
    await first.kill();

    const second = await here.start();
    await here.called("look-up", 1);
    expect((await read(second.url, "r")).steps[0]).toMatchObject({ type: "model_call", attempts: 2, status: "finished" });
    // In the middle of a tool call that may be repeated.
    await second.kill();

    const third = await here.start();
    await here.called("look-up", 2);
    await here.open("look-up");
    await here.called("refund", 1);
    expect((await read(third.url, "r")).steps[1]).toMatchObject({ tool: "look-up", attempts: 2, result: "look-up did it", outcome_unknown: false });
    // In the middle of one that must not.
    await third.kill();
    await here.open("refund");

    const fourth = await here.start();
    const waiting = await when(fourth.url, "r", ({ status }) => status === "waiting");
    expect(waiting.waiting_for).toEqual([{ call_id: "call_3_1", tool: "notify", arguments: '{"text":"Sorry"}' }]);
    // Between two steps.
    await fourth.kill();

    const fifth = await here.start();
    await here.open("notify");
    await post(`${fifth.url}${runs}/r/approvals`, { call_id: "call_3_1", approve: true });
    const done = await when(fifth.url, "r", ({ status }) => status === "completed");
    expect(done).toMatchObject({ output: "All done.", cost_usd: 0 });
    expect(done.steps.map((step) => [step.type, step.step, step.attempts, step.type === "tool_call" ? [step.tool, step.outcome_unknown, step.is_error] : step.text])).toEqual([
      ["model_call", 1, 2, ""], ["tool_call", 1, 2, ["look-up", false, false]],
      ["model_call", 2, 1, ""], ["tool_call", 2, 2, ["refund", true, true]],
      ["model_call", 3, 1, ""], ["tool_call", 3, 1, ["notify", false, false]],
      ["model_call", 4, 1, "All done."],
    ]);
    expect(done.steps[3]).toMatchObject({ result: expect.stringContaining("outcome of this call is unknown") });
    expect([await here.calls("look-up"), await here.calls("refund"), await here.calls("notify")]).toEqual([['{"order":7}', '{"order":7}'], ['{"order":7,"eur":5}'], ['{"text":"Sorry"}']]);
    expect(fourth.lines.filter(({ event }) => event === "tool-call-finished")).toMatchObject([{ "gen_ai.tool.name": "refund", "twelve.tool.attempt": 2, "twelve.tool.outcome_unknown": true, "twelve.run.id": "r", trace_id: done.trace_id }]);
    expect(fifth.lines.filter(({ event }) => event === "model-call-finished")).toMatchObject([{ "twelve.run.id": "r", "twelve.run.step": 4, trace_id: done.trace_id }]);
    // All processes told one story, and whoever has read some of it reads the rest here.
    const all = await events(fifth.url, "r");
    expect(all.map(({ id }) => Number(id))).toEqual(all.map((_event, index) => index + 1));
    expect(await events(fifth.url, "r", "5")).toEqual(all.slice(5));
    expect(all.at(-1)?.event).toBe("run_finished");
    expect(await fifth.stop()).toBe(0);
  });

  it.skipIf(isSkipped)("are taken by workers where the release has some, end at their limits, and follow their readers to another process", { timeout: 120_000 }, async () => {
    const here = await machine("  web: { serve: [support] }\n  worker: { work: [index, runs] }");
    const [web, other] = [await here.start(), await here.start()];
    await post(`${web.url}${runs}`, { id: "endless", input: "endless" });
    await post(`${web.url}${runs}`, { id: "stopped", input: "endless" });
    expect((await read(web.url, "endless")).status).toBe("queued");
    expect(await post(`${web.url}${runs}/stopped/cancel`, {})).toMatchObject({ status: "cancelled" });
    const ready = (await (await fetch(`${web.url}/readyz`)).json()) as { readonly status: string; readonly checks: object };
    expect([ready.status, ...Object.keys(ready.checks)]).toEqual(expect.arrayContaining(["ok", expect.stringMatching(/^state (?:pglite|postgres):/), "tool look-up"]));
    const port = await freePort();
    const worker = await here.start("worker", "--port", String(port), "--log-content");
    await here.called("look-up", 1);
    const reading = events(other.url, "endless", "2");
    await here.open("look-up");
    const run = await when(web.url, "endless", ({ status }) => status === "incomplete");
    expect(run).toMatchObject({ limit: "steps", steps: expect.objectContaining({ length: 11 }) });
    expect((await reading).map(({ id }) => Number(id))).toEqual(Array.from({ length: 22 }, (_event, index) => index + 3));
    const chat = await fetch(`${web.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: "Hi" }] }) });
    expect(await chat.json()).toMatchObject({ choices: [{ message: { content: "Hello." } }] });
    expect((await read(web.url, chat.headers.get("x-run-id") ?? "")).status).toBe("completed");
    expect(await here.calls("look-up")).toHaveLength(5);
    expect(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text()).toMatch(/^twelve_model_calls_total\{agent="support",.*outcome="ok"\} 7$/m);
    expect(worker.lines).toContainEqual(expect.objectContaining({ event: "model-call-finished", "twelve.response.text": "Hello." }));
    expect(await worker.stop()).toBe(0);
    expect([await web.stop(), await other.stop()]).toEqual([0, 0]);
  });
});

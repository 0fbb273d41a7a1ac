import { describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../src/adapters/store/fs/adapter.ts";
import { cleanEnv, startTwelve } from "../helpers/binary.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { startPostgres, withoutPostgres } from "../helpers/postgres.ts";
import { startRedis, withoutRedis } from "../helpers/redis.ts";
import { makeRelease } from "../run/release.ts";

/** The answer says how many answers of the conversation the model was given. */
const script = `replies:
  - when: { turn: 1 }
    say: This is the first answer.
  - when: { turn: 2 }
    say: This is the second answer.
  - when: { turn: 3 }
    say: This is the third answer.
`;
const manifest = `
name: talk
indexes:
  docs: { source: [docs], embedder: "hash:64" }
agents:
  chat: { prompt: chat, model: "mock:script:mocks/talk.yaml", session: { keepDays: 7 } }
  forgetful: { prompt: chat, model: "mock:script:mocks/talk.yaml" }
processes: { web: { serve: [chat, forgetful] } }
environments: { staging: {} }
`;

interface Process {
  readonly url: string;
  kill(): Promise<void>;
}

/** `twelve run`, ready; killed without a word. */
async function start(dir: string, stateUrl: string): Promise<Process> {
  const child = startTwelve(["run", "--env", "staging", "--port", "0"], { cwd: dir, env: cleanEnv({ STATE_URL: stateUrl }) });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  let told = "";
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      told += text;
      const found = /Ready:\s+(http:\/\/\S+)/.exec(told)?.[1];
      if (found !== undefined) resolve(found);
    });
    void ended.then(() => reject(new Error(`twelve run ended: ${told}`)));
  });
  return {
    url,
    kill() {
      child.kill("SIGKILL");
      return ended;
    },
  };
}

interface Told {
  readonly status: number;
  readonly replayed: string | null;
  readonly text: string;
}

async function say({ url }: Process, content: string, { headers = {}, model = "chat", stream = false }: { readonly headers?: Record<string, string>; readonly model?: string; readonly stream?: boolean } = {}): Promise<Told> {
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", "x-session-id": "s-1", ...headers }, body: JSON.stringify({ model, stream, variables: { tone: "kind" }, messages: [{ role: "user", content }] }) });
  return { status: response.status, replayed: response.headers.get("idempotency-replayed"), text: await response.text() };
}

async function expectToGoOn(stateUrl: string): Promise<void> {
  const dir = await temporaryFolder();
  await makeRelease(await testContext({ dir, store: openStore("file:.twelve/store", dir) }), manifest, { "mocks/talk.yaml": script });
  const first = await start(dir, stateUrl);
  expect(await say(first, "one")).toMatchObject({ status: 200, text: expect.stringContaining("the first answer") });
  const keyed = { headers: { "idempotency-key": '"turn-2"' }, stream: true };
  const before = await say(first, "two", keyed);
  expect(before).toMatchObject({ status: 200, replayed: null, text: expect.stringMatching(/second.*DONE/s) });
  await first.kill();

  const second = await start(dir, stateUrl);
  expect(await (await fetch(`${second.url}/readyz`)).json()).toMatchObject({ checks: { state: { status: "ok" } } });
  expect(await say(second, "two", keyed)).toEqual({ ...before, replayed: "true" });
  expect(await say(second, "three")).toMatchObject({ status: 200, text: expect.stringContaining("the third answer") });
  const { turns } = (await (await fetch(`${second.url}/v1/sessions/s-1`)).json()) as { readonly turns: readonly { readonly messages: readonly { readonly content: string }[] }[] };
  expect(turns.map(({ messages }) => messages.map(({ content }) => content))).toEqual([["one", "This is the first answer."], ["two", "This is the second answer."], ["three", "This is the third answer."]]);
  expect(await say(second, "four", { model: "forgetful" })).toMatchObject({ status: 400, text: expect.stringContaining("agents.forgetful") });
}

describe("a conversation goes on in another process when the first was killed, and keyed answers are given again", () => {
  it("with the embedded state service", () => expectToGoOn("pglite:.twelve/state"), 120_000);

  it.skipIf(withoutRedis)("with Redis (skipped where redis-server is not installed)", async () => {
    const server = await startRedis();
    onTestFinished(() => server.stop());
    await expectToGoOn(server.url);
  });

  it.skipIf(withoutPostgres)("with PostgreSQL (skipped where it is not installed)", async () => {
    const server = await startPostgres();
    onTestFinished(() => server.stop());
    await expectToGoOn(await server.createDatabase());
  });
});

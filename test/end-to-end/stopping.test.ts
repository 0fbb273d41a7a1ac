import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { text } from "node:stream/consumers";
import { describe, expect, it, onTestFinished } from "vitest";
import type { ModelCallEvent } from "../../src/run/schema.ts";
import { type Server, startServer, startTwelve, twelveJson } from "../helpers/binary.ts";
import { gitApp, smallApp } from "../helpers/git-app.ts";
import { listening } from "../helpers/listen.ts";

const manifest = `name: shop
config: { CHAT_MODEL: { default: "mock:script:slow.yaml" } }
agents: { support: { prompt: answer, model: "\${CHAT_MODEL}" } }
processes: { web: { serve: [support] }, program: { command: "sleep 600" } }
environments: { staging: {} }
`;
/** One word, and then nothing for a minute. */
const silent = "replies:\n  - when: { contains: quick }\n    say: Done.\n  - say: One two\n    msPerToken: 60000\n";

async function released(): Promise<string> {
  const cwd = await gitApp({ ...smallApp, "twelve.yaml": manifest, "slow.yaml": silent });
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd });
  return cwd;
}

async function serving(...args: readonly string[]): Promise<Server> {
  const cwd = await released();
  return startServer(["web", "--env", "staging", ...args], { cwd });
}

const body = (question: string, stream = true): string => JSON.stringify({ model: "support", stream, messages: [{ role: "user", content: question }] });

function ask(url: string, question: string, stream = true): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: body(question, stream) });
}

function open(url: string, sent = ""): Socket {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  socket.on("error", () => {});
  onTestFinished(() => void socket.destroy());
  socket.write(sent);
  return socket;
}

const eventsOf = ({ lines }: Server): readonly Partial<ModelCallEvent & { requests: number }>[] => lines.map((line) => JSON.parse(line));

describe("a server that is asked to stop", () => {
  it("cuts a stream at the deadline and says so in it, is held by nobody else, and ends with 0", async () => {
    const server = await serving("--drain-seconds", "2");
    const stream = await ask(server.url, "slow");
    const reader = stream.body?.getReader();
    await reader?.read();
    const idle = open(server.url, "GET /livez HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await once(idle, "data");
    const trickling = open(server.url, "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{");
    const half = open(server.url, "GET /livez HTTP/1.1\r\nhost: local");
    const unread = open(server.url);
    unread.pause();
    unread.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: ${body("slow").length}\r\n\r\n${body("slow")}`);
    await expect.poll(async () => (await fetch(`${server.url}/livez`)).status).toBe(200);

    const stopped = server.stop();
    expect(await text(trickling)).toMatch(/^HTTP\/1.1 503 .*"code":"stopping"/s);
    await expect(fetch(`${server.url}/livez`)).rejects.toThrow("fetch failed");
    let rest = "";
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) rest += new TextDecoder().decode(next.value);
    expect(rest).toMatch(/data: \{"error":\{"message":"The server is stopping.*"code":"answer_cut"/);
    expect(rest).not.toContain("[DONE]");
    expect(await stopped).toBe(0);
    expect(half.destroyed || (await once(half, "close"))).toBeTruthy();
    const calls = eventsOf(server).filter(({ event }) => event === "model-call-finished");
    expect(calls.map((call) => call["error.type"])).toEqual(["ANSWER_CUT", "ANSWER_CUT"]);
    expect(eventsOf(server).at(-1)).toMatchObject({ event: "server-stopped" });
  });

  it("lets an answer under way come to its end, and ends as soon as it has", async () => {
    const server = await serving();
    const answers = await Promise.all(Array.from({ length: 5 }, () => ask(server.url, "quick")));
    const stopped = server.stop();
    for (const answer of answers) expect(await answer.text()).toContain("data: [DONE]");
    expect(await stopped).toBe(0);
  });

  it("still takes requests for as long as --pre-stop-seconds says, and is not ready meanwhile", async () => {
    const server = await serving("--pre-stop-seconds", "2");
    const stopped = server.stop();
    await expect.poll(async () => (await fetch(`${server.url}/readyz`)).status).toBe(503);
    expect((await ask(server.url, "quick", false)).status).toBe(200);
    expect(await stopped).toBe(0);
  });

  it("ends at once when it is asked again", async () => {
    const server = await serving();
    const reader = (await ask(server.url, "slow")).body?.getReader();
    await reader?.read();
    const stopped = server.stop();
    await expect.poll(() => fetch(`${server.url}/livez`).then(() => "listens", () => "gone")).toBe("gone");
    void server.stop();
    expect(await stopped).toBe(130);
    await expect(reader?.read()).rejects.toThrow("terminated");
  });

  it("is not kept alive by a log that nobody reads", async () => {
    const cwd = await released();
    const child = startTwelve(["run", "web", "--env", "staging", "--port", "0"], { cwd });
    // Its standard output is a pipe that is never read.
    let told = "";
    child.stderr?.setEncoding("utf8").on("data", (more: string) => (told += more));
    await expect.poll(() => /Ready:\s+(http:\/\/\S+)/.exec(told)?.[1], { timeout: 10_000 }).toBeDefined();
    const url = /Ready:\s+(http:\/\/\S+)/.exec(told)?.[1] ?? "";
    for (let batch = 0; batch < 20; batch++) await Promise.all(Array.from({ length: 20 }, async () => (await ask(url, "quick", false)).text()));
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect((await ended)[0]).toBe(0);
  });

  it("before it is ready ends with 0, too", async () => {
    const cwd = await released();
    // A store that takes the question and says nothing.
    const silent = createServer();
    const asked = once(silent, "connection");
    const port = await listening(silent);
    const env = { TWELVE_STORE: "s3://shop/store", AWS_ENDPOINT_URL_S3: `http://127.0.0.1:${port}`, AWS_ACCESS_KEY_ID: "a", AWS_SECRET_ACCESS_KEY: "b", AWS_REGION: "eu-central-1" };
    const child = startTwelve(["run", "program", "--env", "staging"], { cwd, env });
    let told = "";
    child.stderr?.setEncoding("utf8").on("data", (more: string) => (told += more));
    await asked;
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    expect([(await ended)[0], told]).toEqual([0, "Stopped before it was ready\n"]);
  });
});

import { execFileSync } from "node:child_process";
import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import OpenAI from "openai";
import { describe, expect, it, vi } from "vitest";
import { cleanEnv, startServer, twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";

interface Question {
  readonly template: string;
  readonly agent: string;
  readonly question: string;
  readonly answer: RegExp;
  /** Model calls that two answers take. */
  readonly calls: number;
}

const questions: readonly Question[] = [
  { template: "rag", agent: "support", question: "How many days do I have to return a sensor?", answer: /45 days.*\[\d+\]/s, calls: 2 },
  { template: "chat", agent: "chat", question: "Say that the tide is high", answer: /the tide is high/, calls: 2 },
  { template: "agent", agent: "desk", question: "Where is my order 1008?", answer: /on its way, and arrives on Friday/, calls: 4 },
];

/** Asks the server as any user of the OpenAI package would, whole and streamed. */
async function ask(url: string, { agent, question }: Question): Promise<{ readonly whole: string; readonly streamed: string; readonly models: readonly string[] }> {
  const client = new OpenAI({ baseURL: `${url}/v1`, apiKey: "unused", maxRetries: 0 });
  const request = { model: agent, messages: [{ role: "user" as const, content: question }] };
  const whole = await client.chat.completions.create(request);
  let streamed = "";
  for await (const chunk of await client.chat.completions.create({ ...request, stream: true })) streamed += chunk.choices[0]?.delta.content ?? "";
  const models = await client.models.list();
  return { whole: whole.choices[0]?.message.content ?? "", streamed, models: models.data.map(({ id }) => id) };
}

describe("the straight line", () => {
  it.each(questions)("goes from init to rollback with the template $template", async (asked) => {
    const parent = await temporaryFolder();
    const { folder } = await twelveJson<{ folder: string }>(["init", "app", "--template", asked.template], { cwd: parent });
    const cwd = folder;

    const { digest: build } = await twelveJson<{ digest: string }>(["build"], { cwd });
    expect(build).toMatch(/^sha256:[0-9a-f]{64}$/);
    expect(await twelveJson(["build"], { cwd })).toMatchObject({ digest: build, isNew: false });
    if (asked.template === "rag") await twelveJson(["index", "--source", "docs/"], { cwd });
    expect(await twelveJson(["release", "--env", "staging"], { cwd })).toMatchObject({ number: 1 });

    const refused = await twelve(["promote", "staging", "production"], { cwd });
    expect(refused).toMatchObject({ exitCode: 100, stdout: "" });
    expect(refused.stderr).toContain("twelve eval smoke --env staging");

    const server = await startServer(["--env", "staging"], { cwd });
    // An embedded database is made at its first use, and a busy machine takes longer for that than a chat waits.
    await vi.waitFor(async () => expect((await fetch(`${server.url}/readyz`)).status).toBe(200), { timeout: 60_000, interval: 200 });
    const { whole, streamed, models } = await ask(server.url, asked);
    expect(whole).toMatch(asked.answer);
    expect(streamed).toBe(whole);
    expect(models).toEqual(asked.template === "rag" ? [asked.agent, "docs"] : [asked.agent]);
    expect(await server.stop()).toBe(0);
    const events = server.lines.map((line) => JSON.parse(line) as { event: string }).filter(({ event }) => event === "model-call-finished");
    expect(events).toHaveLength(asked.calls);
    expect(events[0]).toMatchObject({ "gen_ai.agent.name": asked.agent, "twelve.release.number": 1, "twelve.environment": "staging", "error.type": null });

    const report = await twelve(["eval", "--env", "staging"], { cwd });
    expect(report).toMatchObject({ exitCode: 0 });
    expect(report.stdout).toContain("Next: `twelve promote staging production`");
    expect(await twelveJson(["promote", "staging", "production"], { cwd })).toMatchObject({ number: 1 });

    await appendFile(join(cwd, "README.md"), "\nA second version.\n");
    execFileSync("git", ["commit", "--quiet", "--all", "--message", "Second version"], { cwd, env: cleanEnv() });
    expect((await twelveJson<{ digest: string }>(["build"], { cwd })).digest).not.toBe(build);
    expect(await twelveJson(["release", "--env", "staging"], { cwd })).toMatchObject({ number: 2 });
    await twelveJson(["eval", "--env", "staging"], { cwd });
    expect(await twelveJson(["promote", "staging", "production"], { cwd })).toMatchObject({ number: 2 });
    expect(await twelveJson(["rollback", "--env", "production"], { cwd })).toMatchObject({ number: 1 });
    expect(await twelve(["verify"], { cwd })).toMatchObject({ exitCode: 0 });
  });

  it("indexes unchanged documents to the same digest without embedding anything", async () => {
    const parent = await temporaryFolder();
    const { folder: cwd } = await twelveJson<{ folder: string }>(["init", "app"], { cwd: parent });
    const first = await twelveJson<{ digest: string; embedded: number }>(["index"], { cwd });
    expect(first.embedded).toBeGreaterThan(20);
    expect(await twelveJson(["index"], { cwd })).toMatchObject({ digest: first.digest, embedded: 0 });
  });

  it("measures what can fail: an answer that left the documents fails the gate with exit code 100", async () => {
    const parent = await temporaryFolder();
    const { folder: cwd } = await twelveJson<{ folder: string }>(["init", "app"], { cwd: parent });
    await twelveJson(["build"], { cwd });
    execFileSync("git", ["rm", "--quiet", "docs/refunds.md"], { cwd, env: cleanEnv() });
    await twelveJson(["index"], { cwd });
    await twelveJson(["release", "--env", "staging"], { cwd });
    const { exitCode, stdout } = await twelve(["eval", "--env", "staging"], { cwd });
    expect(exitCode).toBe(100);
    expect(stdout).toContain("Return period");
  });
});

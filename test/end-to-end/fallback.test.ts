import { describe, expect, it } from "vitest";
import type { ModelCallEvent } from "../../src/run/schema.ts";
import { startServer, twelve, twelveJson } from "../helpers/binary.ts";
import { git, gitApp, smallApp, writeFiles } from "../helpers/git-app.ts";

const manifest = `name: shop
config:
  CHAT_MODEL: { default: "mock:script:models/busy.yaml" }
  SECOND_MODEL: { optional: true }
agents:
  support: { prompt: answer, model: ["\${CHAT_MODEL}", "\${SECOND_MODEL}", "mock:script:models/calm.yaml"] }
processes:
  web: { serve: [support] }
evals:
  smoke: { suite: evals/smoke.yaml }
environments: { staging: {} }
`;
const files = {
  ...smallApp,
  "twelve.yaml": manifest,
  "models/busy.yaml": `
replies:
  - when: { contains: forbidden }
    fail: { code: SERVICE_FILTERED, message: Not that }
  - when: { contains: fast }
    say: Busy answers.
  - say: Busy answers late.
    fail: { status: 429, message: Too many, retryAfterMs: 60000 }
`,
  "models/calm.yaml": "model: calm-1\nreplies:\n  - say: Calm answers.\n    usage: { inputTokens: 7, outputTokens: 3 }\n",
  "evals/smoke.yaml": "tests: [{ vars: { question: slow }, assert: [{ type: equals, value: Calm answers. }] }, { vars: { question: fast }, assert: [{ type: equals, value: Busy answers. }] }]\n",
};

async function released(): Promise<string> {
  const cwd = await gitApp(files);
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd });
  return cwd;
}

function ask(url: string, question: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: question }] }) });
}

describe("a chain of models, in the real program", () => {
  it("is frozen and shown, answers by its second model, logs the first one's failure, and goes no further with refused content", async () => {
    const cwd = await released();
    const shown = await twelve(["show", "v1"], { cwd });
    expect(shown.stdout).toContain("support (prompt answer, model mock:script:models/busy.yaml, then mock:script:models/calm.yaml)");
    expect(shown.stdout).toMatch(/models\s+mock:script:models\/busy\.yaml, mock:script:models\/calm\.yaml/);
    // What answers is packaged in the release; the working folder may go on.
    writeFiles(cwd, { "models/calm.yaml": "replies: [{ say: Changed. }]\n" });

    const server = await startServer(["--env", "staging"], { cwd });
    const slow = (await (await ask(server.url, "slow")).json()) as { readonly choices: readonly { readonly message: { readonly content: string } }[]; readonly usage: object };
    expect([slow.choices[0]?.message.content, slow.usage]).toEqual(["Calm answers.", { prompt_tokens: 7, completion_tokens: 3, total_tokens: 10, prompt_tokens_details: { cached_tokens: 0 } }]);
    const refused = await ask(server.url, "forbidden");
    expect([refused.status, await refused.json()]).toMatchObject([400, { error: { code: "content_filter", message: "mock:script:models/busy.yaml answered: Not that", param: null } }]);
    await ask(server.url, "fast");
    await server.stop();
    const events = server.lines.map((line) => JSON.parse(line) as ModelCallEvent).filter(({ event }) => event === "model-call-finished");
    expect(events).toMatchObject([
      {
        "gen_ai.request.model": "script:models/calm.yaml",
        "gen_ai.response.model": "calm-1",
        "twelve.fallback.used": true,
        "twelve.fallback.failed": [{ model: "mock:script:models/busy.yaml", "error.type": "SERVICE_LIMITED", "error.message": "mock:script:models/busy.yaml answered 429: Too many" }],
        "error.type": null,
      },
      { "gen_ai.request.model": "script:models/busy.yaml", "gen_ai.response.model": null, "twelve.fallback.used": false, "twelve.fallback.failed": [], "error.type": "SERVICE_FILTERED" },
      { "gen_ai.request.model": "script:models/busy.yaml", "twelve.fallback.used": false, "twelve.fallback.failed": [], "error.type": null },
    ]);
  });

  it("is measured by eval, whose report names the model behind each answer of another, and which says so once", async () => {
    const cwd = await released();
    const { exitCode, stdout, stderr } = await twelve(["eval", "--env", "staging", "--json"], { cwd });
    expect([exitCode, JSON.parse(stdout)]).toMatchObject([0, { reports: [{ model: "mock:script:models/busy.yaml", cases: [{ model: "mock:script:models/calm.yaml", costUsd: 0 }, { output: "Busy answers." }] }] }]);
    expect((JSON.parse(stdout) as { reports: { cases: object[] }[] }).reports[0]?.cases[1]).not.toHaveProperty("model");
    expect(stderr.match(/Agent support: mock:script:models\/busy\.yaml failed with SERVICE_LIMITED .* mock:script:models\/calm\.yaml answers/g)).toHaveLength(1);
  });

  it("is built and released only when each of its scripts is in the build", async () => {
    const cwd = await gitApp(files);
    await twelveJson(["build"], { cwd });
    const { exitCode, stderr } = await twelve(["release", "--env", "staging", "--set", "SECOND_MODEL=mock:script:models/forgotten.yaml"], { cwd });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("The application has no script models/forgotten.yaml");
    expect(stderr).toContain("git add models/forgotten.yaml");
    git(cwd, "rm", "--quiet", "--cached", "models/calm.yaml");
    git(cwd, "commit", "--quiet", "--message", "Forget a script");
    const built = await twelve(["build"], { cwd });
    expect(built.exitCode).toBe(2);
    expect(built.stderr).toContain("A build would not package the script models/calm.yaml");
    expect(built.stderr).toContain("git add models/calm.yaml");
  });
});

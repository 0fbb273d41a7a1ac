import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import type { RunView } from "../../src/run/agent/view-schema.ts";
import { startServer, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";

const root = join(import.meta.dirname, "../..");
const readme = readFileSync(join(root, "templates/agent/README.md"), "utf8");
const page = readFileSync(join(root, "docs/agents.md"), "utf8");
/** What the README sends with `curl -d`, in its order. */
const sent = [...readme.matchAll(/-d '(\{.*\})'/g)].map(([, body = ""]) => body);

it("stands in docs/agents.md as it is", () => {
  const [, shown = ""] = /```yaml\n(config:.*?)```/s.exec(page) ?? [];
  const manifest = readFileSync(join(root, "templates/agent/twelve.yaml"), "utf8");
  expect(shown.split("\n\n").filter((part) => !manifest.includes(part.trimEnd()))).toEqual([]);
  expect(shown).toContain("approve: true");
});

it("leads by the README of the template agent from init to a refund that a person approved", async () => {
  const { folder: cwd } = await twelveJson<{ folder: string }>(["init", "desk", "--template", "agent"], { cwd: await temporaryFolder() });
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd });
  const server = await startServer(["--env", "staging"], { cwd });
  const post = async (path: string, body = ""): Promise<number> => (await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body })).status;
  const runs = "/v1/agents/desk/runs";
  const when = (status: string): Promise<RunView> => vi.waitFor(async () => {
    const run = (await (await fetch(`${server.url}${runs}/monday-1`)).json()) as RunView;
    return run.status === status ? run : Promise.reject(new Error(JSON.stringify(run)));
  }, { timeout: 60_000, interval: 50 });

  expect(sent).toHaveLength(3);
  expect(await post(runs, sent[0])).toBe(202);
  const waiting = await when("waiting");
  expect(page).toContain(`"waiting_for":${JSON.stringify(waiting.waiting_for)},\n "usage":${JSON.stringify(waiting.usage)}`);
  expect(await post(`${runs}/monday-1/approvals`, sent[1])).toBe(200);
  const { output, steps } = await when("completed");
  const results = steps.flatMap((step) => (step.type === "tool_call" ? [step.result] : []));
  expect(results).toHaveLength(2);
  for (const said of [output, ...results]) expect(page).toContain(`":${JSON.stringify(said)}`);
  expect(await post("/v1/chat/completions", sent[2])).toBe(200);
  expect(await server.stop()).toBe(0);
});

it("serves the script of the template agent to tests of other applications, as its README says", async () => {
  const { folder: cwd } = await twelveJson<{ folder: string }>(["init", "desk", "--template", "agent"], { cwd: await temporaryFolder() });
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd });
  expect(readme).toContain("npx twelve run --env staging --mock --answers mocks/desk.yaml");
  const server = await startServer(["--env", "staging", "--mock", "--answers", "mocks/desk.yaml"], { cwd });
  const answer = await fetch(`${server.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: sent[2] ?? "" });
  expect(await answer.json()).toMatchObject({ choices: [{ finish_reason: "tool_calls", message: { tool_calls: [{ function: { name: "order", arguments: '{"order":1008}' } }] } }] });
  expect(await server.stop()).toBe(0);
});

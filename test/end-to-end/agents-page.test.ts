import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import type { RunView } from "../../src/run/agent/view-schema.ts";
import { startTwelve, twelveJson } from "../helpers/binary.ts";
import { gitApp } from "../helpers/git-app.ts";

const root = join(import.meta.dirname, "../..");
const page = readFileSync(join(root, "docs/agents.md"), "utf8");
/** The files that a reader pastes, by the name in their first line. */
const pasted = Object.fromEntries([...page.matchAll(/```(?:yaml|js)\n(?:#|\/\/) ([\w./-]+\.(?:yaml|js))\n(.*?)```/gs)].map(([, path = "", text = ""]) => [path, text]));

it("runs the first example of docs/agents.md as the page shows it", async () => {
  expect(Object.keys(pasted)).toEqual(["twelve.yaml", "tools/order.js", "tools/refund.js", "mocks/support.yaml"]);
  const cwd = await gitApp({ ...pasted, "prompts/chat.prompt": readFileSync(join(root, "templates/chat/prompts/chat.prompt"), "utf8") });
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "development"], { cwd });
  const child = startTwelve(["run", "web", "--env", "development", "--port", "0"], { cwd });
  const ended = once(child, "close");
  onTestFinished(async () => {
    child.kill();
    await ended;
  });
  let stderr = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const url = await vi.waitFor(() => /Ready:\s+(http:\/\/\S+)/.exec(stderr)?.[1] ?? Promise.reject(new Error(stderr)), { timeout: 30_000, interval: 20 });

  const runs = `${url}/v1/agents/support/runs`;
  const post = (path: string, body: object): Promise<Response> => fetch(`${runs}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  const when = (status: string): Promise<RunView> => vi.waitFor(async () => {
    const run = (await (await fetch(`${runs}/order-7`)).json()) as RunView;
    return run.status === status ? run : Promise.reject(new Error(JSON.stringify(run)));
  }, { timeout: 30_000, interval: 50 });
  expect((await post("", { input: "My order 7 is broken", id: "order-7" })).status).toBe(202);
  const waiting = await when("waiting");
  expect(page).toContain(`"waiting_for":${JSON.stringify(waiting.waiting_for)},\n "usage":${JSON.stringify(waiting.usage)}`);
  expect((await post("/order-7/approvals", { call_id: "call_2_1", approve: true })).status).toBe(200);
  const { output, steps } = await when("completed");
  const results = steps.flatMap((step) => (step.type === "tool_call" ? [step.result] : []));
  expect(results).toHaveLength(2);
  for (const said of [output, ...results]) expect(page).toContain(`":${JSON.stringify(said)}`);
});

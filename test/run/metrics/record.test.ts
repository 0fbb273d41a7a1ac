import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { exposition } from "../../../src/run/metrics/exposition.ts";
import { openMetrics } from "../../../src/run/metrics/record.ts";
import type { ModelCallEvent } from "../../../src/run/schema.ts";
import { openAgent, runtimeOf, says, scriptedModel } from "../fixture.ts";

async function eventOf(): Promise<ModelCallEvent> {
  const runtime = runtimeOf(openAgent(scriptedModel(() => says("Hello"))));
  for await (const _ of runtime.answer({ agent: "support", messages: [{ role: "user", content: "Hi" }], variables: {}, isStream: false, traceId: "0".repeat(32) })) void _;
  return runtime.events[0] as ModelCallEvent;
}

it("counts a model call by agent, model and outcome: its tokens, what it cost, and its retrieval", async () => {
  const metrics = openMetrics();
  const event = await eventOf();
  metrics.modelCalled({ ...event, "twelve.cost.amount": 0.25 });
  metrics.modelCalled({ ...event, "twelve.cost.amount": null, "twelve.aborted": true });
  metrics.modelCalled({ ...event, "error.type": "SERVICE_TIMEOUT", "gen_ai.usage.input_tokens": null, "gen_ai.usage.output_tokens": null, "gen_ai.usage.cache_read.input_tokens": null, "twelve.cost.amount": null, "twelve.retrieval_ms": null });
  const text = await exposition([metrics.families()]);
  const labels = 'agent="support",provider="scripted",model="parrot-1"';
  for (const line of [
    `twelve_model_calls_total{${labels},outcome="ok"} 1`,
    `twelve_model_calls_total{${labels},outcome="aborted"} 1`,
    `twelve_model_calls_total{${labels},outcome="SERVICE_TIMEOUT"} 1`,
    `twelve_model_tokens_total{${labels},type="input"} 24`,
    `twelve_model_tokens_total{${labels},type="cached_input"} 8`,
    `twelve_model_tokens_total{${labels},type="output"} 6`,
    `twelve_model_cost_usd_total{${labels}} 0.25`,
    `twelve_model_calls_unpriced_total{${labels}} 1`,
    `twelve_model_call_duration_seconds_count{${labels}} 3`,
    'twelve_retrieval_duration_seconds_count{agent="support"} 2',
  ]) expect(text.split("\n")).toContain(line);
});

it("says how much waits in a queue, and whether the process is ready", async () => {
  const metrics = openMetrics();
  metrics.queueSeen("index", { waiting: 7, running: 2 });
  const text = await exposition([metrics.families()]);
  expect(text).toContain('twelve_queue_depth{queue="index",state="waiting"} 7\ntwelve_queue_depth{queue="index",state="running"} 2\n');
  expect(text).toContain("twelve_processes_ready 0");
  metrics.readySeen(true);
  expect(await exposition([metrics.families()])).toContain("twelve_processes_ready 1");
});

it("has the metrics and labels that docs/processes.md names", async () => {
  const page = await readFile(join(import.meta.dirname, "../../../docs/processes.md"), "utf8");
  const documented = [...page.matchAll(/^\| `(twelve_\w+)` \| ([\w, ]*?) *\|/gm)].map(([, name = "", labels = ""]) => [name, labels === "" ? [] : labels.split(", ")]);
  const metrics = openMetrics();
  metrics.modelCalled({ ...(await eventOf()), "twelve.cost.amount": 1 });
  metrics.modelCalled({ ...(await eventOf()), "twelve.cost.amount": null });
  metrics.queueSeen("index", { waiting: 0, running: 0 });
  metrics.route("POST", "/a").ended(200, 1, 1);
  const counted = metrics.families().map(({ name, values }) => [name, Object.keys(values[0]?.labels ?? {}).filter((label) => label !== "le")]);
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(counted));
});

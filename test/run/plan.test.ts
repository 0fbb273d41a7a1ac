import { describe, expect, it } from "vitest";
import type { Build } from "../../src/build/schema.ts";
import { digestOf } from "../../src/core/descriptor.ts";
import { Manifest } from "../../src/manifest/schema.ts";
import type { CompiledPrompt } from "../../src/prompt/schema.ts";
import type { Release } from "../../src/release/schema.ts";
import { chooseProcess } from "../../src/run/choose-plan.ts";
import { refuseDrift } from "../../src/run/drift.ts";
import { planRun } from "../../src/run/plan.ts";

const descriptor = { mediaType: "x", digest: digestOf("x"), size: 1 };
const prompt = (name: string, variant: string | null, config: CompiledPrompt["config"] = {}, format: "text" | "json" = "text"): CompiledPrompt => ({
  name, variant, path: `prompts/${name}.prompt`, model: null, config, input: { schema: null, default: {} }, output: { format, schema: null }, template: "", partials: {}, metadata: {}, digest: digestOf(`${name}.${variant}`),
});

function release(change: Partial<Release> = {}): Release {
  return {
    version: 1, app: "demo", build: descriptor, indexes: { docs: descriptor, other: descriptor }, attachments: [], secrets: {}, models: [], processes: {},
    config: { EMBEDDER: { value: "hash:64", source: "default" }, TOP_K: { value: 5, source: "dotenv:.env" }, NOTE: { value: null, source: "default" } },
    agents: {
      support: { prompt: "answer", model: "mock:extractive", temperature: 0.1, session: false, retrieve: { index: "docs", topK: 3, mode: "hybrid" } },
      strict: { prompt: "answer", variant: "strict", model: "mock:echo", session: false, retrieve: { index: "docs", topK: 1, mode: "text" } },
    },
    ...change,
  };
}

const manifest = Manifest.parse({
  name: "demo",
  config: { EMBEDDER: { default: "hash:8" }, TOP_K: { type: "integer" }, NOTE: { optional: true } },
  indexes: { docs: { source: ["docs"], embedder: "${EMBEDDER}" } },
});
const build = {
  manifest,
  prompts: [prompt("answer", null, { temperature: 0.9, topP: 0.8, maxOutputTokens: 50, stopSequences: ["END"] }), prompt("answer", "strict", {}, "json")],
} as Partial<Build> as Build;

describe("planRun", () => {
  it("plans each agent's prompt, sampling and index, and every index and model once", () => {
    const plan = planRun(release(), build);
    expect(plan.agents.map(({ name, prompt, sampling }) => [name, prompt.variant, sampling])).toEqual([
      ["support", null, { temperature: 0.1, topP: 0.8, maxTokens: 50, stop: ["END"] }],
      ["strict", "strict", { format: "json" }],
    ]);
    expect(plan.indexes).toEqual([{ name: "docs", index: descriptor, embedder: "hash:64" }]);
    expect(plan.models).toEqual(["mock:extractive", "mock:echo"]);
  });

  it("keeps the order of a chain, and opens each model once", () => {
    const agents = { support: { prompt: "answer", model: ["mock:a", "mock:b", "mock:a"], session: false }, other: { prompt: "answer", model: "mock:b", session: false } };
    const plan = planRun(release({ agents }), build);
    expect(plan.agents.map(({ models }) => models)).toEqual([["mock:a", "mock:b"], ["mock:b"]]);
    expect(plan.models).toEqual(["mock:a", "mock:b"]);
  });

  it("plans only the agents that are wanted", () => {
    expect(planRun(release(), build, ["strict"]).models).toEqual(["mock:echo"]);
  });

  it("names an agent, prompt or index that is not there", () => {
    expect(() => planRun(release(), build, ["suport"])).toThrow('There is no agent "suport". Did you mean "support"? This release serves: support, strict');
    expect(() => planRun(release(), { ...build, prompts: [prompt("answers", null)] })).toThrow('Agent support wants the prompt answer, which the build does not hold. Did you mean "answers"? It holds: answers');
    expect(() => planRun(release({ indexes: {} }), build)).toThrow('The release holds no index "docs"');
  });
});

describe("refuseDrift", () => {
  const check = (env: Record<string, string>) => () =>
    refuseDrift({ release: release(), name: "v3", environment: "staging", declarations: manifest.config, env });

  it.each([[{}], [{ EMBEDDER: "hash:64" }], [{ TOP_K: "5" }], [{ TOP_K: " 5.0 " }], [{ OTHER: "x" }]])("agrees with %j", (env) => {
    expect(check(env)).not.toThrow();
  });

  it("names every key with both values and where they come from, and the command that freezes the new ones", () => {
    expect(check({ EMBEDDER: "hash:128", TOP_K: "five", NOTE: "" })).toThrow(
      expect.objectContaining({
        code: "CONFIG_DRIFTED",
        message: "The process environment has values that release v3 has frozen otherwise: EMBEDDER, TOP_K, NOTE",
        problems: [
          { path: "EMBEDDER", message: '"hash:64" in release v3 (from default), "hash:128" in the process environment' },
          { path: "TOP_K", message: '5 in release v3 (from dotenv:.env), "five" in the process environment' },
          { path: "NOTE", message: 'unset in release v3 (from default), "" in the process environment' },
        ],
        fix: "Unset them (`unset EMBEDDER TOP_K NOTE`), or freeze the new values with `twelve release --env staging`",
      }),
    );
  });

  it("does not repeat a password in a URL", () => {
    expect(check({ EMBEDDER: "https://user:hunter2@host/v1" })).toThrow(expect.objectContaining({ problems: [expect.objectContaining({ message: expect.not.stringContaining("hunter2") })] }));
  });
});

describe("chooseProcess", () => {
  const processes = { web: { serve: ["support"] }, batch: { command: "node batch.js" }, worker: { work: ["index"] } };
  const { agents } = release();

  it("takes the named process, else web, else the only one", () => {
    expect(chooseProcess({ processes, agents }, "batch")).toEqual({ kind: "command", name: "batch", command: "node batch.js" });
    expect(chooseProcess({ processes, agents }, undefined)).toEqual({ kind: "serve", name: "web", agents: ["support"] });
    expect(chooseProcess({ processes: { batch: processes.batch }, agents }, undefined)).toMatchObject({ name: "batch" });
  });

  it("serves every agent when no process is declared", () => {
    expect(chooseProcess({ processes: {}, agents }, undefined)).toEqual({ kind: "serve", name: "web", agents: ["support", "strict"] });
    expect(() => chooseProcess({ processes: {}, agents: {} }, undefined)).toThrow("no process and no agent");
  });

  it("says which processes there are", () => {
    expect(() => chooseProcess({ processes, agents }, "bacth")).toThrow('The release has no process "bacth". Did you mean "batch"? It has: web, batch, worker');
  });

  it("knows which queues a worker takes from", () => {
    expect(chooseProcess({ processes, agents }, "worker")).toEqual({ kind: "work", name: "worker", queues: ["index"] });
  });
});

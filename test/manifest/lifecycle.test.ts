import { describe, expect, it } from "vitest";
import { declaredModels, lifecycleComplaints, lifecycleOf } from "../../src/manifest/lifecycle.ts";
import type { TwelveError } from "../../src/core/errors.ts";
import { modelSchemes } from "../../src/manifest/model-scheme.ts";
import { lifecycleTable } from "../../src/manifest/lifecycle-table.ts";
import { parseManifest } from "../../src/manifest/read.ts";

const on = (day: string): Date => new Date(`${day}T12:00:00Z`);

describe("the lifecycle of a model", () => {
  it("is what the dated table says, whatever options the reference has", () => {
    expect(lifecycleOf("openai:gpt-4?timeoutMs=5", {}, on("2026-06-01"))).toEqual({ state: "ending", endOfLife: "2026-10-23", source: `table of ${lifecycleTable.madeOn}` });
    expect(lifecycleOf("openai:gpt-4", {}, on("2026-10-23")).state).toBe("ended");
  });

  it("is the same however OpenAI is named, and for a model that was tuned there", () => {
    const ends = (reference: string): string | null => lifecycleOf(reference, {}, on("2026-06-01")).endOfLife;
    expect(["OpenAI:gpt-4", "https://api.openai.com/v1#gpt-4", "https://api.openai.com/v1/#gpt-4?timeoutMs=5", "openai:ft:gpt-4-0613:acme::id"].map(ends)).toEqual(["2026-10-23", "2026-10-23", "2026-10-23", "2026-10-23"]);
    expect(ends("https://gateway.example/v1#gpt-4")).toBeNull();
  });

  it("is unknown for a model that is in no table, and never ends for what runs here", () => {
    expect(lifecycleOf("openai:gpt-unheard-of", {}, on("2026-06-01"))).toEqual({ state: "unknown", endOfLife: null, source: null });
    expect(["mock:echo", "hash:512", "transformers:models/x"].map((reference) => lifecycleOf(reference, {}, on("2026-06-01")).state)).toEqual(["active", "active", "active"]);
  });

  it("is what the manifest says, above the table", () => {
    const overrides = { "openai:gpt-4": { endOfLife: null }, "bedrock:amazon.nova-pro-v1:0": { endOfLife: "2027-01-31" } };
    expect(lifecycleOf("openai:gpt-4", overrides, on("2027-06-01"))).toEqual({ state: "active", endOfLife: null, source: "twelve.yaml" });
    expect(lifecycleOf("bedrock:amazon.nova-pro-v1:0?region=eu-central-1", overrides, on("2027-01-30"))).toEqual({ state: "ending", endOfLife: "2027-01-31", source: "twelve.yaml" });
  });

  it("is told by references without options", () => {
    const said = (key: string): unknown => {
      try {
        return parseManifest(`name: app\nlifecycle: { ${JSON.stringify(key)}: { endOfLife: null } }\n`).name;
      } catch (error) {
        return (error as TwelveError).problems[0]?.message;
      }
    };
    expect(said("opnai:gpt-4")).toContain("No model, embedder or reranker has the scheme opnai:. Did you mean openai:?");
    expect(said("vertex:gemini")).toContain("Known: mock:, openai:, ");
    expect(modelSchemes.map((scheme) => said(`${scheme}:x`))).toEqual(modelSchemes.map(() => "app"));
    expect(() => parseManifest('name: app\nlifecycle: { "openai:gpt-4?timeoutMs=5": { endOfLife: null } }\n')).toThrow(expect.objectContaining({ code: "MANIFEST_INVALID", problems: [expect.objectContaining({ message: expect.stringContaining("without options") })] }));
  });

  it("has only dates, by references that could be written", () => {
    for (const [reference, day] of Object.entries(lifecycleTable.ends)) expect([reference, day]).toEqual([expect.stringMatching(/^[a-z]+:[\w.-]+$/), expect.stringMatching(/^20\d\d-\d\d-\d\d$/)]);
  });
});

const manifest = parseManifest(`name: app
config:
  CHAT_MODEL: { default: "openai:gpt-4" }
  OTHER: {}
  SIZE: { default: "512" }
agents:
  one: { prompt: answer, model: ["\${CHAT_MODEL}", "\${OTHER}", "anthropic:claude-2.1"], retrieve: { index: docs, reranker: "cohere:rerank-v3.5" } }
  two: { prompt: answer, model: "mock:echo" }
indexes:
  docs: { source: [docs], embedder: "hash:\${SIZE}" }
`);

describe("what a manifest names", () => {
  it("is every model, embedder and reranker that it gives itself or by a default", () => {
    expect(declaredModels(manifest)).toEqual([
      { role: "model", reference: "openai:gpt-4", path: "agents.one.model.0" },
      { role: "model", reference: "anthropic:claude-2.1", path: "agents.one.model.2" },
      { role: "reranker", reference: "cohere:rerank-v3.5", path: "agents.one.retrieve.reranker" },
      { role: "model", reference: "mock:echo", path: "agents.two.model" },
      { role: "embedder", reference: "hash:512", path: "indexes.docs.embedder" },
    ]);
  });

  it("has its own place in a chain that names a model twice", () => {
    const twice = parseManifest('name: app\nagents:\n  one: { prompt: answer, model: ["mock:echo", "mock:echo", "openai:gpt-4"] }\n');
    expect(declaredModels(twice).at(-1)).toEqual({ role: "model", reference: "openai:gpt-4", path: "agents.one.model.2" });
  });

  it("is complained about from ninety days before the end", () => {
    const complaints = (day: string): readonly (readonly [string, boolean])[] => lifecycleComplaints([{ role: "model", reference: "openai:gpt-4", path: "p" }], {}, on(day)).map(({ message, isEnded }) => [message, isEnded]);
    expect(complaints("2026-07-24")).toEqual([]);
    expect(complaints("2026-07-25")).toEqual([["openai:gpt-4 reaches its end of life on 2026-10-23, in 90 days (table of 2026-11-25)", false]]);
    expect(complaints("2026-10-23")).toEqual([["openai:gpt-4 reached its end of life on 2026-10-23 (table of 2026-11-25)", true]]);
  });
});

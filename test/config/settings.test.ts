import { describe, expect, it } from "vitest";
import { resolvedAgents, resolvedIndexes } from "../../src/config/settings.ts";
import { parseManifest } from "../../src/manifest/read.ts";
import type { ConfigValue } from "../../src/manifest/setting.ts";

const manifest = parseManifest(`
name: a
config:
  MODEL: {}
  HOST: { optional: true }
  TEMPERATURE: { type: number, optional: true }
  TOP_K: { optional: true }
  STYLE: { optional: true }
  EMBEDDER: {}
  TOKENS: { type: integer, optional: true }
indexes:
  docs: { source: [docs], embedder: "\${EMBEDDER}", chunk: { maxTokens: "\${TOKENS}" } }
agents:
  support: { prompt: answer, model: "https://\${HOST}/v1#\${MODEL}", temperature: "\${TEMPERATURE}", variant: "\${STYLE}", retrieve: { index: docs, topK: "\${TOP_K}" } }
`);
const from = (values: Record<string, ConfigValue>) => Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, source: "--set" }]));
const given = { MODEL: "m", HOST: "h", TEMPERATURE: 0.5, STYLE: "strict" };
const support = (values: Record<string, ConfigValue>) => resolvedAgents(manifest, from(values))["support"];

describe("resolvedAgents", () => {
  it("replaces each reference with its value, typed, also inside a longer string", () => {
    expect(support(given)).toEqual({
      prompt: "answer",
      session: false,
      model: "https://h/v1#m",
      temperature: 0.5,
      variant: "strict",
      retrieve: { index: "docs", topK: 5, mode: "hybrid" },
    });
  });

  it("leaves out a field whose key is not set", () => {
    expect(support({ MODEL: "m", HOST: "h" })).toEqual({ prompt: "answer", session: false, model: "https://h/v1#m", retrieve: { index: "docs", topK: 5, mode: "hybrid" } });
  });

  it("takes an empty variant as none", () => {
    expect(support({ ...given, STYLE: "" })).not.toHaveProperty("variant");
  });

  it("names the key, its value and its source when the agent cannot use it", () => {
    const problems = [{ path: "agents.support.temperature", message: "Too big: expected number to be <=2. TEMPERATURE is 3 (from --set)" }];
    expect(() => support({ ...given, TEMPERATURE: 3 })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", problems }));
  });

  it("says which type to declare when a text is used as a number", () => {
    const problems = [expect.objectContaining({ path: "agents.support.retrieve.topK", message: expect.stringContaining('TOP_K is "8" (from --set); declare it with `type: ') })];
    expect(() => support({ ...given, TOP_K: "8" })).toThrow(expect.objectContaining({ problems }));
  });

  it("resolves each model of a chain, and leaves out one whose key is not set, or empty", () => {
    const chain = parseManifest('name: a\nconfig: { MODEL: {}, SECOND: { optional: true } }\nagents:\n  support: { prompt: answer, model: ["${MODEL}", "${SECOND}", "mock:echo"] }\n');
    const models = (values: Record<string, ConfigValue>) => resolvedAgents(chain, from(values))["support"]?.model;
    expect(models({ MODEL: "mock:a", SECOND: "mock:b" })).toEqual(["mock:a", "mock:b", "mock:echo"]);
    expect(models({ MODEL: "mock:a" })).toEqual(["mock:a", "mock:echo"]);
    expect(models({ MODEL: "mock:a", SECOND: "" })).toEqual(["mock:a", "mock:echo"]);
    const problems = [{ path: "agents.support.model[1]", message: 'Expected a service URL such as mock:extractive. SECOND is "gpt" (from --set)' }];
    expect(() => models({ MODEL: "mock:a", SECOND: "gpt" })).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", problems }));
  });

  it("refuses a longer string with a key that is not set", () => {
    const problems = [{ path: "agents.support.model", message: "HOST is not set" }];
    expect(() => support({ MODEL: "m" })).toThrow(expect.objectContaining({ problems }));
  });
});

describe("resolvedIndexes", () => {
  it("resolves the named indexes", () => {
    expect(resolvedIndexes(manifest, from({ EMBEDDER: "hash:64", TOKENS: 200 }))).toEqual({ docs: { source: ["docs"], embedder: "hash:64", chunk: { maxTokens: 200 } } });
    expect(resolvedIndexes(manifest, from({}), [])).toEqual({});
  });

  it("refuses an embedder that is no URL", () => {
    const problems = [{ path: "indexes.docs.embedder", message: 'Expected a service URL such as mock:extractive. EMBEDDER is "hash" (from --set)' }];
    expect(() => resolvedIndexes(manifest, from({ EMBEDDER: "hash" }))).toThrow(expect.objectContaining({ problems }));
  });
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { environmentOf, inspectConfig, readProcessConfig, readSecrets, resolveFor } from "../../src/config/read.ts";
import type { ConfigProvider } from "../../src/ports/config.ts";
import { parseManifest } from "../../src/manifest/read.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";

const manifest = parseManifest(`
name: a
config:
  TOP_K: { type: integer }
  STATE_URL: { kind: attachment }
  API_KEY: { kind: secret }
  EXTRA: { kind: secret, optional: true }
environments:
  staging: { config: "dotenv:.env.staging" }
  vault: { config: "vault:kv/a" }
`);

async function context(env: Record<string, string> = {}, file?: string) {
  const dir = await temporaryFolder();
  if (file !== undefined) await writeFile(join(dir, ".env.staging"), file);
  return testContext({ dir, env });
}

describe("resolveFor", () => {
  it("reads the environment's own source", async () => {
    const values = await resolveFor(await context({ TOP_K: "3" }, "TOP_K=9\nSTATE_URL=redis://cache\nAPI_KEY=hush\n"), manifest, { environment: "staging" });
    expect(values).toEqual({
      TOP_K: { kind: "frozen", value: 3, source: "environment" },
      STATE_URL: { kind: "attachment", value: "redis://cache", source: "dotenv:.env.staging" },
      API_KEY: { kind: "secret", value: null, source: "dotenv:.env.staging" },
      EXTRA: { kind: "secret", value: null, source: null },
    });
  });

  it("names every key that is missing or wrong, at once", async () => {
    const failure = resolveFor(await context({ TOP_K: "many" }), manifest, { environment: "staging" });
    await expect(failure).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: "The configuration of staging cannot be used: 3 keys are missing or wrong",
      problems: [{ path: "TOP_K" }, { path: "STATE_URL" }, { path: "API_KEY" }],
      fix: "Set them in the process environment or in dotenv:.env.staging; `twelve config list --env staging` shows every key",
    });
  });

  it("asks only for the keys that are wanted", async () => {
    expect(await resolveFor(await context({ TOP_K: "3" }), manifest, { environment: "staging", only: ["TOP_K"] })).toEqual({ TOP_K: { kind: "frozen", value: 3, source: "environment" } });
  });

  it("takes what --set gives first", async () => {
    const values = await resolveFor(await context({ TOP_K: "3" }), manifest, { environment: "staging", sets: { TOP_K: "7" }, only: ["TOP_K"] });
    expect(values["TOP_K"]).toEqual({ kind: "frozen", value: 7, source: "--set" });
  });

  it("warns once of a name in the source that is much like a key that nothing sets", async () => {
    const slipped = await context({ TOP_K: "3" }, "STAT_URL=redis://cache\nAPI_KEYS=hush\nAPI_KEY=hush\nTOPK=4\nPATHS=x\n");
    for (const only of [undefined, ["STATE_URL"]]) await inspectConfig(slipped, manifest, { environment: "staging", ...(only === undefined ? {} : { only }) });
    expect(slipped.told).toEqual(["warn STAT_URL in dotenv:.env.staging is no key of twelve.yaml. Did you mean STATE_URL?"]);
  });

  it("takes neither a weaker source nor the default where the stronger one holds a list", async () => {
    const opening = await context();
    const source = (reference: string, values: Record<string, string>, ignored: readonly string[]): ConfigProvider => ({ reference, read: async () => ({ values: Object.fromEntries(Object.entries(values).map(([key, text]) => [key, { text, source: `${reference}@1` }])), ignored }) });
    const sources: Readonly<Record<string, ConfigProvider>> = { "secretsmanager:a": source("secretsmanager:a", { TOP_K: "3" }, ["STATE_URL", "EXTRA"]), "ssm:/a": source("ssm:/a", { STATE_URL: "redis://cache", API_KEY: "hush" }, ["TOP_K"]) };
    const given = { ...opening, openConfig: async (reference: string) => sources[reference] as ConfigProvider };
    const both = { ...manifest, environments: { live: { config: ["secretsmanager:a", "ssm:/a"], requires: [] } } };
    const { problems } = await inspectConfig(given, both, { environment: "live" });
    expect(problems).toEqual([{ key: "STATE_URL", message: expect.stringMatching(/^Expected a single value.*\(from secretsmanager:a\)$/) }, { key: "EXTRA", message: expect.stringContaining("secretsmanager:a") }]);
    await expect(readSecrets(given, both, "live")).rejects.toMatchObject({ code: "CONFIG_INVALID", message: expect.stringMatching(/^EXTRA: .*secretsmanager:a/) });
  });

  it("says which configuration sources this version has", async () => {
    await expect(resolveFor(await context(), manifest, { environment: "vault" })).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringContaining("Supported: dotenv:") });
  });
});

describe("inspectConfig", () => {
  it("gives problems beside the values instead of failing", async () => {
    const { values, problems } = await inspectConfig(await context({ TOP_K: "3" }), manifest, { environment: "staging" });
    expect(values["TOP_K"]?.value).toBe(3);
    expect(problems.map(({ key }) => key)).toEqual(["STATE_URL", "API_KEY"]);
  });
});

describe("environmentOf", () => {
  it("knows development without a declaration", () => {
    expect(environmentOf(manifest, "development")).toEqual({ requires: [] });
  });

  it.each(["stagin", "constructor"])("refuses %s and names what is declared", (name) => {
    expect(() => environmentOf(manifest, name)).toThrow(expect.objectContaining({ code: "ENVIRONMENT_UNKNOWN", message: expect.stringContaining("Declared: development, staging, vault") }));
  });

  it("names the nearest environment", () => {
    expect(() => environmentOf(manifest, "stagin")).toThrow('Did you mean "staging"?');
  });
});

describe("readProcessConfig", () => {
  const file = "STATE_URL=redis://me:pa55@cache/0\nAPI_KEY=hush\n";
  const attachments = { STATE_URL: { url: "redis://cache/0" } };

  it("gives secrets, and the activation's URLs with the environment's credentials", async () => {
    expect(await readProcessConfig(await context({}, file), manifest, { environment: "staging", attachments })).toEqual({ attachments: { STATE_URL: "redis://me:pa55@cache/0" }, secrets: { API_KEY: "hush" } });
  });

  it("keeps to the service of the activation when the environment names another one", async () => {
    const config = await readProcessConfig(await context({ STATE_URL: "redis://me:pa55@other/0" }, file), manifest, { environment: "staging", attachments });
    expect(config.attachments).toEqual({ STATE_URL: "redis://cache/0" });
  });

  it("leaves out an attachment that was not set", async () => {
    const config = await readProcessConfig(await context({}, file), manifest, { environment: "staging", attachments: { STATE_URL: { url: null } } });
    expect(config.attachments).toEqual({});
  });

  it("names a required secret that is missing, and where it was looked for", async () => {
    await expect(readProcessConfig(await context(), manifest, { environment: "staging", attachments })).rejects.toMatchObject({
      code: "CONFIG_INVALID",
      message: "staging lacks a secret: API_KEY",
      fix: "Set API_KEY in the process environment or dotenv:.env.staging",
    });
  });
});

describe("readSecrets", () => {
  it("gives the declared secrets that there are, the process environment first", async () => {
    const file = "API_KEY=hush\nEXTRA=more\nUNDECLARED=no\n";
    expect(await readSecrets(await context({ EXTRA: "own" }, file), manifest, "staging")).toEqual({ API_KEY: "hush", EXTRA: "own" });
  });

  it("does not fail for one that is missing or empty", async () => {
    expect(await readSecrets(await context({ API_KEY: "" }), manifest, "staging")).toEqual({});
  });

  it("opens no configuration source where no secret is declared", async () => {
    expect(await readSecrets(await context(), { config: {}, environments: manifest.environments }, "vault")).toEqual({});
  });
});

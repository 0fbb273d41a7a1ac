import { randomUUID } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { SSM } from "@aws-sdk/client-ssm";
import { beforeAll, describe, expect, it } from "vitest";
import { openConfig } from "../../../src/adapters/registry.ts";
import type { ConfigProvider } from "../../../src/ports/config.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { type Moto, startMoto, withoutMoto } from "../../helpers/moto.ts";
import { describeConfig } from "../../ports/config.contract.ts";

describeConfig("dotenv:", {
  async open(values) {
    const dir = await temporaryFolder();
    const path = join(dir, ".env");
    const put = async (more: Readonly<Record<string, string>>): Promise<void> => {
      // The last line of a key counts.
      const lines = Object.entries(more).map(([key, value]) => `${key}=${value.includes("'") ? `\`${value}\`` : `'${value}'`}\n`);
      await writeFile(path, (await readFile(path, "utf8").catch(() => "")) + lines.join(""));
    };
    await put(values);
    return { provider: await openConfig("dotenv:.env", { dir, env: {} }), put };
  },
  openMissing: async () => openConfig("dotenv:.env", { dir: await temporaryFolder(), env: {} }),
  hasVersions: false,
  isMissingEmpty: true,
});

describe.skipIf(withoutMoto)("configuration sources of AWS and moto (skipped where moto_server is not installed)", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    return moto.stop;
  });
  const settings = () => ({ endpoint: moto.url, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } });
  const open = (reference: string): Promise<ConfigProvider> => openConfig(reference, { dir: "/", env: moto.env });

  async function parameters(values: Readonly<Record<string, string>>, path = `/app/${randomUUID()}`) {
    const put = async (more: Readonly<Record<string, string>>): Promise<void> => {
      for (const [key, Value] of Object.entries(more)) await new SSM(settings()).putParameter({ Name: `${path}/${key}`, Value, Type: key === "LIST" ? "StringList" : key === "A" ? "SecureString" : "String", Overwrite: true });
    };
    await put(values);
    return { provider: await open(`ssm:${path}`), put, path };
  }
  async function secret(values: unknown, name = `app/${randomUUID()}`) {
    const client = new SecretsManager(settings());
    await client.createSecret({ Name: name, SecretString: typeof values === "string" ? values : JSON.stringify(values) });
    const put = async (more: Readonly<Record<string, string>>): Promise<void> => {
      const { SecretString: text = "" } = await client.getSecretValue({ SecretId: name });
      await client.putSecretValue({ SecretId: name, SecretString: JSON.stringify({ ...JSON.parse(text), ...more }) });
    };
    return { provider: await open(`secretsmanager:${name}`), put, name, client };
  }

  describeConfig("ssm:", { open: parameters, openMissing: () => open("ssm:/no/such/path"), hasVersions: true, hasEmptyValues: false });
  describeConfig("secretsmanager:", { open: secret, openMissing: () => open("secretsmanager:no/such/secret"), hasVersions: true });

  describe("ssm:", () => {
    it("names each parameter with its version, and what stands deeper as no key", async () => {
      const { provider, put, path } = await parameters({ A: "1", "db/PASSWORD": "hush", "db/more/X": "2" });
      await put({ A: "2" });
      expect(await provider.read()).toEqual({ values: { A: { text: "2", source: `ssm:${path}/A@2` } }, ignored: ["db/PASSWORD", "db/more/X"] });
    });

    it("does not take a path for another that begins like it, and takes a slash at the end", async () => {
      const { path } = await parameters({ A: "1" });
      await parameters({ B: "2" }, `${path}-other`);
      const provider = await open(`ssm:${path}/`);
      expect([provider.reference, Object.keys((await provider.read()).values)]).toEqual([`ssm:${path}`, ["A"]]);
    });

    it("reads more versions than one call takes, and says which one is gone", async () => {
      const keys = Array.from({ length: 12 }, (_, i) => `K${i}`);
      const { provider, put, path } = await parameters(Object.fromEntries(keys.map((key) => [key, "old"])));
      await put(Object.fromEntries(keys.map((key) => [key, "new"])));
      const sources = Object.fromEntries(keys.map((key) => [key, `ssm:${path}/${key}@1`]));
      expect(await provider.readVersions?.(sources)).toEqual(Object.fromEntries(keys.map((key) => [key, "old"])));
      await expect(provider.readVersions?.({ ...sources, K1: `ssm:${path}/K1@7` })).rejects.toMatchObject({ code: "CONFIG_INVALID", message: `ssm:${path}/K1@7 is gone, and the active release names it`, fix: expect.stringContaining("promote again") });
    });

    it("answers a check", async () => {
      const { provider } = await parameters({ A: "1", B: "2" });
      expect(await provider.check?.()).toEqual({ version: null, detail: "2 keys" });
      await expect(provider.check?.(AbortSignal.abort(new Error("enough")))).rejects.toThrow("enough");
    });
  });

  describe("secretsmanager:", () => {
    it("names the version of the secret, takes numbers, and nothing that has parts", async () => {
      const { provider, client, name } = await secret({ PORT: 5432, TLS: true, NESTED: { a: 1 }, LIST: [1], NONE: null });
      const { VersionId: version } = await client.getSecretValue({ SecretId: name });
      const source = `secretsmanager:${name}@${version}`;
      expect(await provider.read()).toEqual({ values: { PORT: { text: "5432", source }, TLS: { text: "true", source } }, ignored: ["NESTED", "LIST", "NONE"] });
    });

    it("takes an ARN, which says the region, and names with an @", async () => {
      const { client, name } = await secret({ A: "1" }, `app@${randomUUID()}`);
      const { ARN: arn = "" } = await client.describeSecret({ SecretId: name });
      const provider = await openConfig(`secretsmanager:${arn}`, { dir: "/", env: { ...moto.env, AWS_REGION: "eu-west-1" } });
      const { values } = await provider.read();
      expect(values["A"]?.text).toBe("1");
      expect(await provider.readVersions?.({ A: values["A"]?.source ?? "" })).toEqual({ A: "1" });
    });

    it("says which version is gone, and which key a version does not have", async () => {
      const { provider, name } = await secret({ A: "1" });
      const source = (await provider.read()).values["A"]?.source ?? "";
      const gone = { code: "CONFIG_INVALID", fix: expect.stringContaining("promote again") };
      const other = `secretsmanager:${name}@11111111-2222-3333-4444-555555555555`;
      await expect(provider.readVersions?.({ A: other })).rejects.toMatchObject({ ...gone, message: `${other} is gone, and the active release names it` });
      await expect(provider.readVersions?.({ B: source })).rejects.toMatchObject(gone);
    });

    it.each([["hunter2", "holds a text that is no JSON object"], ['["hunter2"]', "holds a text that is no JSON object"], ['{"A":"hunter2"', "holds a text that is no JSON object"]])("refuses the text %s without repeating it", async (text, what) => {
      const { provider } = await secret(text);
      const failure = await provider.read().catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: "CONFIG_INVALID", message: `${provider.reference} ${what}` });
      expect(JSON.stringify([String(failure), String((failure as Error).cause)])).not.toContain("hunter2");
    });

    it("refuses bytes, and a secret that is to be deleted", async () => {
      const { client, name } = await secret({ A: "1" });
      await client.deleteSecret({ SecretId: name });
      await expect((await open(`secretsmanager:${name}`)).read()).rejects.toMatchObject({ code: "CONFIG_INVALID", fix: expect.stringContaining("Restore") });
      const binary = `app/${randomUUID()}`;
      await client.createSecret({ Name: binary, SecretBinary: Buffer.from("hunter2") });
      await expect((await open(`secretsmanager:${binary}`)).read()).rejects.toMatchObject({ code: "CONFIG_INVALID", message: `secretsmanager:${binary} holds bytes` });
    });

    it("answers a check", async () => {
      expect(await (await secret({ A: "1" })).provider.check?.()).toEqual({ version: null, detail: "1 key" });
    });
  });
});

describe("a reference", () => {
  it.each(["ssm:", "ssm:/", "ssm:app/production", "ssm:/a//b", "ssm:/a b", "ssm:/a?x=y", "secretsmanager:", "secretsmanager:a b", "secretsmanager:a#b"])("%s is refused", async (reference) => {
    await expect(openConfig(reference, { dir: "/", env: {} })).rejects.toMatchObject({ code: "CONFIG_INVALID", fix: expect.stringContaining("such as") });
  });
});

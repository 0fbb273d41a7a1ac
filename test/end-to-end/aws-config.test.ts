import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { SecretsManager } from "@aws-sdk/client-secrets-manager";
import { SSM } from "@aws-sdk/client-ssm";
import { beforeAll, describe, expect, it } from "vitest";
import { twelve } from "../helpers/binary.ts";
import { gitApp } from "../helpers/git-app.ts";
import { type Moto, startMoto, withoutMoto } from "../helpers/moto.ts";

const manifest = `
name: support
config:
  TOP_K: { type: integer }
  STATE_URL: { kind: attachment }
  API_KEY: { kind: secret }
processes:
  show: { command: 'printf "%s|%s|%s" "$TOP_K" "$STATE_URL" "$API_KEY" > "$OUT"' }
environments:
  staging: { config: "dotenv:.env.staging" }
  production: { config: ["ssm:/support/production", "secretsmanager:support/production"] }
`;

interface Released {
  readonly release: { readonly config: unknown };
  readonly attachments: unknown;
  readonly secrets: unknown;
}

describe.skipIf(withoutMoto)("an environment whose configuration is in AWS (skipped where moto_server is not installed)", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    return moto.stop;
  });

  it("freezes values with their versions, and its processes read the versions that were activated until the next release", async () => {
    const cwd = await gitApp({ "twelve.yaml": manifest, ".gitignore": ".twelve\nout*\n.env*\n" });
    const settings = { endpoint: moto.url, region: "us-east-1", credentials: { accessKeyId: "test", secretAccessKey: "test" } };
    const [ssm, secrets] = [new SSM(settings), new SecretsManager(settings)];
    const put = (key: string, value: string): Promise<unknown> => ssm.putParameter({ Name: `/support/production/${key}`, Value: value, Type: key === "STATE_URL" ? "SecureString" : "String", Overwrite: true });
    const said: string[] = [];
    const run = async (...args: readonly string[]): Promise<string> => {
      const { exitCode, stdout, stderr } = await twelve(args, { cwd, env: { ...moto.env, OUT: join(cwd, "out") } });
      said.push(stdout, stderr);
      return exitCode === 0 ? stdout : `${exitCode}: ${stderr}`;
    };
    const release = async (): Promise<Released> => JSON.parse(await run("release", "--env", "production", "--json")) as Released;
    const shown = async (): Promise<string> => (await run("run", "show", "--env", "production"), readFile(join(cwd, "out"), "utf8"));

    await put("TOP_K", "3");
    await put("STATE_URL", "postgres://me:pa55-one@db/state");
    const { VersionId: one } = await secrets.createSecret({ Name: "support/production", SecretString: '{"API_KEY":"hush-one","TOP_K":"99"}' });
    await run("build");
    expect(await release()).toMatchObject({
      release: { config: { TOP_K: { value: 3, source: "ssm:/support/production/TOP_K@1" } } },
      attachments: { STATE_URL: { url: "postgres://db/state", source: "ssm:/support/production/STATE_URL@1" } },
      secrets: { API_KEY: `secretsmanager:support/production@${one}` },
    });
    expect(await shown()).toBe("3|postgres://me:pa55-one@db/state|hush-one");

    await put("TOP_K", "4");
    await put("STATE_URL", "postgres://me:pa55-two@db-two/state");
    const { VersionId: two } = await secrets.putSecretValue({ SecretId: "support/production", SecretString: '{"API_KEY":"hush-two"}' });
    expect(await shown()).toBe("3|postgres://me:pa55-one@db/state|hush-one");
    expect(await run("config", "list", "--env", "production")).toContain("ssm:/support/production/TOP_K@2");

    expect(await release()).toMatchObject({ secrets: { API_KEY: `secretsmanager:support/production@${two}` } });
    expect(await shown()).toBe("4|postgres://me:pa55-two@db-two/state|hush-two");
    await run("rollback", "--env", "production");
    expect(await shown()).toBe("3|postgres://me:pa55-one@db/state|hush-one");

    await ssm.deleteParameter({ Name: "/support/production/STATE_URL" });
    expect(await run("run", "show", "--env", "production")).toMatch(/^2: .*ssm:\/support\/production\/STATE_URL@1 is gone.*promote again.*\[CONFIG_INVALID\]/s);
    expect(await run("release", "--env", "production")).toMatch(/STATE_URL {2}Required.*ssm:\/support\/production or secretsmanager:support\/production/s);
    expect(said.join("\n")).not.toMatch(/hush-|pa55/);
  });

  it("says in one line what is wrong with a source", async () => {
    const cwd = await gitApp({ "twelve.yaml": manifest, ".gitignore": ".twelve\n" });
    const { exitCode, stderr } = await twelve(["config", "list", "--env", "production"], { cwd, env: { ...moto.env, AWS_REGION: "eu-west-1" } });
    expect(exitCode).toBe(2);
    expect(stderr).toContain("ssm:/support/production holds no parameters in eu-west-1");
  });
});

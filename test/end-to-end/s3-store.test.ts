import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startServer, startTwelve, twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../helpers/moto.ts";
import { startS3Proxy } from "../helpers/s3-proxy.ts";

interface Place {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

async function ask(url: string): Promise<string> {
  const body = JSON.stringify({ model: "support", messages: [{ role: "user", content: "How many days do I have to return a sensor?" }] });
  const response = await fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const answer = (await response.json()) as { readonly choices: readonly { readonly message: { readonly content: string } }[] };
  return answer.choices[0]?.message.content ?? "";
}

describe.skipIf(withoutMoto)("a store on S3 (skipped where moto_server is not installed)", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    await motoS3(moto).createBucket({ Bucket: "stores" });
    return moto.stop;
  });

  async function newApp(name: string): Promise<Place> {
    const parent = await temporaryFolder();
    const env = { ...moto.env, TWELVE_STORE: `s3://stores/${name}` };
    const { folder } = await twelveJson<{ folder: string }>(["init", "app"], { cwd: parent });
    return { cwd: folder, env };
  }

  it("goes the straight line, and another machine runs the release with the manifest and read access alone", async () => {
    const app = await newApp("line");
    const { digest } = await twelveJson<{ digest: string }>(["build"], app);
    expect(await twelveJson(["build"], app)).toMatchObject({ digest, isNew: false });
    await twelveJson(["index"], app);
    expect(await twelveJson(["release", "--env", "staging"], app)).toMatchObject({ number: 1 });
    expect(await twelve(["eval", "--env", "staging"], app)).toMatchObject({ exitCode: 0 });
    expect(await twelveJson(["promote", "staging", "production"], app)).toMatchObject({ number: 1 });
    expect(await twelve(["index", "verify"], app)).toMatchObject({ exitCode: 0 });
    expect(await twelveJson(["verify"], app)).toMatchObject({ store: "s3://stores/line", problems: [], unreferenced: 0, unknownRefs: [] });

    const proxy = await startS3Proxy(moto.url);
    proxy.fault = (line) => (line.startsWith("GET") || line.startsWith("HEAD") ? undefined : [403, "AccessDenied"]);
    const machine = { cwd: await temporaryFolder(), env: { ...app.env, AWS_ENDPOINT_URL: proxy.url } };
    await copyFile(join(app.cwd, "twelve.yaml"), join(machine.cwd, "twelve.yaml"));
    const server = await startServer(["--env", "production"], machine);
    expect(await ask(server.url)).toMatch(/45 days/);
    expect(await server.stop()).toBe(0);
  });

  it("gives releases that are made at the same time a number each", async () => {
    const app = await newApp("numbers");
    await twelveJson(["build"], app);
    await twelveJson(["index"], app);
    const releases = await Promise.all([1, 2, 3, 4].map((topK) => twelveJson<{ number: number; isActive: boolean }>(["release", "--env", "staging", "--set", `TOP_K=${topK}`], app)));
    expect(releases.map(({ number }) => number).toSorted((left, right) => left - right)).toEqual([1, 2, 3, 4]);
    expect(await twelveJson(["show", "staging"], app)).toMatchObject({ number: 4 });
    expect(await twelve(["verify"], app)).toMatchObject({ exitCode: 0 });
  });

  /** Starts a command and kills it when its n-th write has come, before it is passed on or when it took effect; false when there were fewer. */
  async function killAt(command: string, deadly: number, moment: "before" | "after", { cwd, env }: Place): Promise<boolean> {
    const proxy = await startS3Proxy(moto.url);
    let writes = 0;
    const kill = (): void => void child.kill("SIGKILL");
    proxy.fault = (line) => {
      if (!line.startsWith("PUT") || line.endsWith("store.json") || ++writes !== deadly) return undefined;
      if (moment === "after") return kill;
      kill();
      return "hang";
    };
    const child = startTwelve([command], { cwd, env: { ...env, AWS_ENDPOINT_URL: proxy.url } });
    return new Promise((resolve) => child.once("close", (_, signal) => resolve(signal === "SIGKILL")));
  }

  it.each([["build", 2, 3], ["index", 4, 4]])("is whole wherever `twelve %s` is killed, and the next run gives what an undisturbed one gives", async (command, step, leastKills) => {
    const app = await newApp(`undisturbed-${command}`);
    const { digest } = await twelveJson<{ digest: string }>([command], app);
    let kills = 0;
    for (let deadly = 1; ; deadly += step) {
      const place = { ...app, env: { ...app.env, TWELVE_STORE: `s3://stores/killed-${command}-${deadly}` } };
      if (!(await killAt(command, deadly, kills % 2 === 0 ? "after" : "before", place))) break;
      kills += 1;
      expect(await twelveJson(["verify"], place)).toMatchObject({ problems: [] });
      expect(await twelveJson([command], place)).toMatchObject({ digest });
      expect(await twelveJson(["verify"], place)).toMatchObject({ problems: [] });
    }
    expect(kills).toBeGreaterThanOrEqual(leastKills);
  }, 120_000);

  it("says which permission is missing, and shows no key", async () => {
    const app = await newApp("denied");
    const proxy = await startS3Proxy(moto.url);
    proxy.fault = (line) => (line.startsWith("PUT") ? [403, "AccessDenied"] : undefined);
    const { exitCode, stderr } = await twelve(["build"], { ...app, env: { ...app.env, AWS_ENDPOINT_URL: proxy.url, AWS_SECRET_ACCESS_KEY: "hunter2" } });
    expect(exitCode).toBe(6);
    expect(stderr).toContain("The store s3://stores/denied may not be used with these AWS credentials (AccessDenied");
    expect(stderr).toContain("Allow s3:PutObject on arn:aws:s3:::stores/denied/*");
    expect(stderr).not.toContain("hunter2");
  });

  it("does not take a service that is away for a store that is damaged", async () => {
    const app = await newApp("away");
    await twelveJson(["build"], app);
    const proxy = await startS3Proxy(moto.url);
    proxy.fault = (line) => (line.includes("/blobs/") ? [503, "SlowDown"] : undefined);
    const { exitCode, stderr } = await twelve(["verify"], { ...app, env: { ...app.env, AWS_ENDPOINT_URL: proxy.url, AWS_MAX_ATTEMPTS: "1" } });
    expect(exitCode).toBe(6);
    expect(stderr).toContain("The store s3://stores/away is asked too often (SlowDown");
  });
});

import { execFileSync } from "node:child_process";
import { access, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { changePublication, listPublications } from "../../src/index/publication.ts";
import { cleanEnv, startServer, startTwelve, twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { type Moto, motoS3, startMoto, withoutMoto } from "../helpers/moto.ts";
import { startProxy } from "../helpers/proxy.ts";

/** The template, searched where VECTORS_URL says. */
async function publishedApp(): Promise<string> {
  const { folder } = await twelveJson<{ folder: string }>(["init", "app", "--template", "rag"], { cwd: await temporaryFolder() });
  const file = join(folder, "twelve.yaml");
  const text = await readFile(file, "utf8");
  await writeFile(file, text.replace("config:\n", "config:\n  VECTORS_URL: { kind: attachment, optional: true }\n").replace("source: [docs]\n", 'source: [docs]\n    vectors: "${VECTORS_URL}"\n'));
  execFileSync("git", ["commit", "-qam", "Search where the environment says"], { cwd: folder, env: cleanEnv() });
  return folder;
}

describe.skipIf(withoutMoto)("an index in a bucket", () => {
  let moto: Moto;
  beforeAll(async () => {
    moto = await startMoto();
    await motoS3(moto).createBucket({ Bucket: "vectors" });
    return moto.stop;
  });

  it("survives a killed publish, is released, serves a process without any index file, and is swapped for another place", async () => {
    const cwd = await publishedApp();
    const proxy = await startProxy(moto.url);
    onTestFinished(() => proxy.close());
    const at = (url: string): { readonly cwd: string; readonly env: Readonly<Record<string, string>> } => ({ cwd, env: { ...moto.env, AWS_ENDPOINT_URL: proxy.url, VECTORS_URL: url } });
    const bucket = at("s3://vectors/app");
    await twelveJson(["build"], bucket);
    await twelveJson(["index"], bucket);
    const refused = await twelve(["release", "--env", "staging"], bucket);
    expect(refused.exitCode).toBe(5);
    expect(refused.stderr).toMatch(/twelve index publish docs@[0-9a-f]{12} --env staging/);

    // Killed when all files are there but the last one, which stands for the whole.
    const isLast = new Promise<void>((resolve) => {
      proxy.fault = ({ method, url }) => {
        if (method !== "PUT" || url?.includes("/shape.json") !== true) return false;
        resolve();
        return true;
      };
    });
    const killed = startTwelve(["index", "publish", "--env", "staging"], bucket);
    await isLast;
    killed.kill("SIGKILL");
    proxy.fault = undefined;
    expect((await motoS3(moto).listObjectsV2({ Bucket: "vectors", Prefix: "app/" })).KeyCount).toBeGreaterThan(3);
    expect((await twelve(["release", "--env", "staging"], bucket)).exitCode).toBe(5);
    // The next run would wait until the killed one has been silent for long enough.
    const store = await openStore("file:.twelve/store", { dir: cwd, env: {} });
    for (const { ref } of await listPublications(store, "app")) {
      await changePublication(store, ref, (value) => ({ ...value, loading: value.loading && { ...value.loading, at: "2026-01-01T00:00:00.000Z" } }));
    }
    const published = await twelveJson<{ namespace: string; chunks: number; sampled: number; isLoaded: boolean }>(["index", "publish", "--env", "staging"], bucket);
    expect(published).toMatchObject({ isLoaded: true, sampled: published.chunks });
    expect(await twelveJson(["index", "publish", "--env", "staging"], bucket)).toMatchObject({ namespace: published.namespace, isLoaded: false });
    expect(await twelveJson(["index", "verify", "--env", "staging"], bucket)).toMatchObject({ published: { namespace: published.namespace, missing: [], unknown: [], wrong: [] } });
    await twelveJson(["release", "--env", "staging"], bucket);

    await rm(join(cwd, ".twelve/cache"), { recursive: true });
    const question = "How many days do I have to return a sensor?";
    const server = await startServer(["--env", "staging"], bucket);
    const answer = await (await fetch(`${server.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: question }] }) })).json();
    expect(JSON.stringify(answer)).toMatch(/45 days/);
    expect(await server.stop()).toBe(0);
    await expect(access(join(cwd, ".twelve/cache/index"))).rejects.toMatchObject({ code: "ENOENT" });
    expect(await twelveJson(["eval", "--env", "staging"], bucket)).toMatchObject({ pass: true });

    const shared = at("lance:shared-vectors");
    await twelveJson(["index", "publish", "--env", "staging"], shared);
    await twelveJson(["release", "--env", "staging"], shared);
    const [one, other] = await Promise.all([twelveJson<{ hits: unknown }>(["search", question, "--env", "staging", "--release", "v1"], bucket), twelveJson<{ hits: unknown }>(["search", question, "--env", "staging"], shared)]);
    expect(other.hits).toEqual(one.hits);
    const collected = await twelveJson<{ keep: readonly { readonly namespace: string; readonly reason: string }[] }>(["admin", "gc"], bucket);
    expect(collected.keep).toEqual([expect.objectContaining({ namespace: published.namespace, reason: "needed by v1 in staging" })]);
  });

  it("makes a process unready while it is away or gone, which the log tells without being asked, and is served again without a restart", async () => {
    const cwd = await publishedApp();
    const proxy = await startProxy(moto.url);
    onTestFinished(() => proxy.close());
    const options = { cwd, env: { ...moto.env, AWS_ENDPOINT_URL: proxy.url, VECTORS_URL: "s3://vectors/lost" } };
    for (const args of [["build"], ["index"], ["index", "publish", "--env", "staging"], ["release", "--env", "staging"]]) await twelveJson(args, options);
    const server = await startServer(["--env", "staging"], options);
    const ask = (): Promise<Response> => fetch(`${server.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: "How many days do I have to return a sensor?" }] }) });
    const seen = (): readonly { readonly event: string; readonly checks?: object }[] => server.lines.filter((line) => line.includes('"server-')).map((line) => JSON.parse(line) as { readonly event: string });
    const patient = { timeout: 40_000, interval: 100 };
    expect((await ask()).status).toBe(200);

    proxy.fault = (_, response) => {
      response.destroy();
      return true;
    };
    expect((await ask()).status).toBe(503);
    await vi.waitFor(() => expect(seen()).toMatchObject([{ event: "server-ready" }, { event: "server-not-ready", checks: { "index docs": expect.stringContaining("s3://vectors") } }]), patient);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    proxy.fault = undefined;
    await vi.waitFor(() => expect(seen().at(-1)).toMatchObject({ event: "server-ready" }), patient);

    const s3 = motoS3(moto);
    for (const { Key } of (await s3.listObjectsV2({ Bucket: "vectors", Prefix: "lost/" })).Contents ?? []) await s3.deleteObject({ Bucket: "vectors", Key });
    const lost = await ask();
    expect([lost.status, lost.headers.get("retry-after"), await lost.json()]).toMatchObject([503, "5", { error: { code: "index_not_published" } }]);
    await vi.waitFor(() => expect(seen().at(-1)).toMatchObject({ event: "server-not-ready", checks: { "index docs": expect.stringMatching(/`twelve index publish docs@[0-9a-f]{12} --env staging`/) } }), patient);
    await twelveJson(["index", "publish", "--env", "staging"], options);
    expect((await ask()).status).toBe(200);
    await vi.waitFor(() => expect(seen().at(-1)).toMatchObject({ event: "server-ready" }), patient);
    expect(await server.stop()).toBe(0);
  }, 120_000);
});

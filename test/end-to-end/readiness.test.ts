import { expect, it, onTestFinished, vi } from "vitest";
import { cleanEnv, startTwelve, twelve } from "../helpers/binary.ts";
import { openStore } from "../../src/adapters/store/fs/adapter.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { startTeiServer } from "../helpers/tei-server.ts";
import { makeRelease, manifest } from "../run/release.ts";

const ask = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: "How large may the body of a request be?" }] }) };

it("a server starts without its embedder, says so, and serves when it comes, goes and comes back", async () => {
  const first = await startTeiServer();
  const port = Number(new URL(first.url).port);
  const dir = await temporaryFolder();
  await makeRelease(await testContext({ dir, store: openStore("file:.twelve/store", dir) }), manifest.replace('"hash:64"', `"tei+${first.url}"`));
  await first.close();

  const child = startTwelve(["run", "--env", "staging", "--port", "0"], { cwd: dir, env: cleanEnv() });
  let stdout = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const events = (): readonly { readonly event: string; readonly url: string; readonly checks?: object }[] => stdout.split("\n").filter((line) => line.includes('"server-')).map((line) => JSON.parse(line));
  const patient = { timeout: 30_000, interval: 50 };
  await vi.waitFor(() => expect(events()).toMatchObject([{ event: "server-not-ready", checks: { "index docs": expect.stringContaining(`tei+${first.url}: nothing answers`) } }]), patient);
  const url = events()[0]?.url ?? "";
  expect((await fetch(`${url}/livez`)).status).toBe(200);
  const readiness = await fetch(`${url}/readyz`);
  expect([readiness.status, await readiness.json()]).toMatchObject([503, { status: "failed", checks: { "index docs": { status: "failed" } } }]);
  const refused = await fetch(`${url}/v1/chat/completions`, ask);
  expect([refused.status, Number(refused.headers.get("retry-after")) > 0, await refused.json()]).toMatchObject([503, true, { error: { type: "server_error", code: "not_ready" } }]);

  // What is asked once, and by a person, fails at once.
  const search = await twelve(["search", "body", "--env", "staging"], { cwd: dir });
  expect([search.exitCode, search.stderr]).toEqual([6, expect.not.stringContaining("asking again")]);

  const isReady = async (): Promise<void> => expect((await fetch(`${url}/readyz`)).status).toBe(200);
  const second = await startTeiServer({ port });
  await vi.waitFor(isReady, patient);
  expect((await fetch(`${url}/v1/chat/completions`, ask)).status).toBe(200);
  await second.close();
  await vi.waitFor(async () => expect((await fetch(`${url}/readyz`)).status).toBe(503), patient);
  const third = await startTeiServer({ port });
  onTestFinished(() => third.close());
  await vi.waitFor(isReady, patient);
  // The answer to a probe may be here before the line of the log is.
  await vi.waitFor(() => expect(events().map(({ event }) => event)).toEqual(["server-not-ready", "server-ready", "server-not-ready", "server-ready"]), patient);
}, 120_000);

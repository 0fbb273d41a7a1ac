import { describe, expect, it } from "vitest";
import { startServer, twelve, twelveJson } from "../helpers/binary.ts";
import { gitApp, smallApp } from "../helpers/git-app.ts";

const manifest = `name: shop
config: { API_KEYS: { kind: secret, optional: true } }
agents: { support: { prompt: answer, model: "mock:echo" } }
processes: { web: { serve: [support] } }
server: { keys: "\${API_KEYS}", bodyMb: 2 }
environments: { staging: {} }
`;

async function released(): Promise<string> {
  const cwd = await gitApp({ ...smallApp, "twelve.yaml": manifest });
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd });
  return cwd;
}

describe("API keys", () => {
  it("are made by `twelve admin key`, kept as hashes in a secret, and asked for", async () => {
    const cwd = await released();
    const made = await twelveJson<{ key: string; record: object }>(["admin", "key", "--name", "ci", "--scope", "chat", "--rpm", "60"], { cwd });
    expect(made).toEqual({ key: expect.stringMatching(/^tw_[\w-]{43}$/), record: { name: "ci", sha256: expect.stringMatching(/^[0-9a-f]{64}$/), scopes: ["chat"], requestsPerMinute: 60 } });
    const server = await startServer(["--env", "staging"], { cwd, env: { API_KEYS: JSON.stringify([made.record]) } });
    const ask = (key: string | undefined, question = "Hi"): Promise<Response> =>
      fetch(`${server.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: question }] }) });
    expect([(await ask(undefined)).status, (await ask("tw_wrong")).status]).toEqual([401, 401]);
    const answer = await ask(made.key);
    expect([answer.status, answer.headers.get("x-ratelimit-remaining-requests")]).toEqual([200, "59"]);
    expect((await ask(made.key, "x".repeat(1.5 * 1024 * 1024))).status).toBe(200);
    expect((await ask(made.key, "x".repeat(2.5 * 1024 * 1024))).status).toBe(413);
    expect(await server.stop()).toBe(0);
    expect(server.lines.join("\n")).not.toContain(made.key.slice(3, 20));
  });

  it("of a wrong form end the start, naming the field and not the value", async () => {
    const cwd = await released();
    const { exitCode, stdout, stderr } = await twelve(["run", "--env", "staging", "--port", "0"], { cwd, env: { API_KEYS: '[{"name": "ci", "sha256": "tw_pasted-the-key-itself"}]' } });
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("API_KEYS[0].sha256  Expected 64 lower-case hex digits");
    expect(stderr).not.toContain("pasted");
  });

  it("are required on an address that others can reach, unless --insecure says that they are not", async () => {
    const cwd = await released();
    const refused = await twelve(["run", "--env", "staging", "--port", "0", "--host", "0.0.0.0"], { cwd });
    expect([refused.exitCode, refused.stdout]).toEqual([2, ""]);
    expect(refused.stderr).toMatch(/Everyone who can reach 0\.0\.0\.0 could use the server: API_KEYS is not set.*twelve admin key.*HOST_UNGUARDED/s);
    // An address of the documentation range: whoever gets there was let through.
    const insecure = await twelve(["run", "--env", "staging", "--port", "0", "--host", "192.0.2.1", "--insecure"], { cwd });
    expect(insecure.stderr).toContain("This machine has no address 192.0.2.1 to listen on");
  });
});

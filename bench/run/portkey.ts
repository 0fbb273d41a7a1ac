/** Portkey's gateway, for comparison. It is no dependency of anything: the first run installs it beside the benchmark. */
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import type { Started } from "./started.ts";

const run = promisify(execFile);
const folder = join(import.meta.dirname, "../peers/portkey");
const program = join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js");
const patienceMs = 20_000;

/** Undefined where it cannot be installed. */
export async function startPortkey(): Promise<Started | undefined> {
  if (!existsSync(program)) {
    try {
      await run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts", "--no-package-lock"], { cwd: folder });
    } catch {
      return undefined;
    }
  }
  const port = await freePort();
  const startedMs = performance.now();
  const child = spawn(process.execPath, ["--require", join(import.meta.dirname, "loopback.cjs"), program, `--port=${port}`, "--headless"], { env: { ...process.env, NODE_ENV: "production" }, stdio: ["ignore", "ignore", "ignore"] });
  const url = `http://127.0.0.1:${port}`;
  while (!(await fetch(url).then(({ ok }) => ok, () => false))) {
    if (child.exitCode !== null || performance.now() - startedMs > patienceMs) throw new Error("Portkey's gateway did not start");
    await sleep(20);
  }
  return { child, pid: child.pid ?? 0, url, readyMs: performance.now() - startedMs };
}

/** Where it passes a request on to. */
export function portkeyHeaders(upstream: string): Readonly<Record<string, string>> {
  return { "x-portkey-provider": "openai", "x-portkey-custom-host": `${upstream}/v1`, authorization: "Bearer unused" };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

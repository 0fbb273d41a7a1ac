import cluster from "node:cluster";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { systemInstances } from "../../../src/adapters/system/instance.ts";
import type { FromInstance, Instance } from "../../../src/ports/instance.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { isAlive } from "../../helpers/run-process.ts";

/** Starts a program that does not listen to SIGTERM, and says that it is ready. */
const script = `
import { spawn } from "node:child_process";
const program = spawn("sh", ["-c", "trap '' TERM; echo ready; while :; do sleep 0.05; done"], { detached: true, stdio: ["ignore", "pipe", "inherit"] });
program.stdout.once("data", () => process.send({ kind: "ready", notes: [], group: program.pid }));
`;

async function starting(onMessage: (message: FromInstance) => void): Promise<Instance> {
  const exec = join(await temporaryFolder(), "instance.mjs");
  await writeFile(exec, script);
  cluster.setupPrimary({ exec, execArgv: [] });
  return systemInstances([], { groupMs: 200 }).start([], { env: {}, onMessage, onLine: () => {} });
}

describe.skipIf(process.platform === "win32")("an instance", () => {
  it("that is killed takes its program along, also one that does not listen, before it is said to have ended", async () => {
    const { promise: ready, resolve } = Promise.withResolvers<FromInstance>();
    const instance = await starting(resolve);
    const message = await ready;
    const group = message.kind === "ready" ? (message.group ?? 0) : 0;
    onTestFinished(() => {
      if (isAlive(group)) process.kill(-group, "SIGKILL");
    });
    expect(isAlive(group)).toBe(true);
    process.kill(instance.pid ?? 0, "SIGKILL");
    expect(await instance.ended).toEqual({ exitCode: null, signal: "SIGKILL" });
    await expect.poll(() => isAlive(group)).toBe(false);
  });

  it("that the system cannot start ends with the reason", async () => {
    const { execPath } = process;
    onTestFinished(() => void (process.execPath = execPath));
    process.execPath = "/nowhere/node";
    const instance = await starting(() => {});
    instance.stop();
    expect(await instance.ended).toEqual({ exitCode: null, signal: null, failure: expect.stringContaining("ENOENT") });
  });
});

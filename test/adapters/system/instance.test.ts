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

async function starting(onMessage: (message: FromInstance) => void, text = script): Promise<Instance> {
  const exec = join(await temporaryFolder(), "instance.mjs");
  await writeFile(exec, text);
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

  it("is asked to stop by a word, so that it may leave alone what signals a whole group, and by a signal before it can hear one", async () => {
    const listening = `process.on("SIGTERM", () => {}); process.on("message", ({ kind }) => kind === "stop-asked" && process.exit(7)); process.send({ kind: "load", own: 0 });`;
    const { promise: heard, resolve } = Promise.withResolvers<FromInstance>();
    const instance = await starting(resolve, listening);
    await heard;
    instance.stop();
    expect(await instance.ended).toEqual({ exitCode: 7, signal: null });
    const early = await starting(() => {}, "setInterval(() => {}, 1000);");
    early.stop();
    expect(await early.ended).toEqual({ exitCode: null, signal: "SIGTERM" });
  });

  it("knows what happened before it listened: that it was asked to stop, or that the other process is gone", async () => {
    const asked = `
      const { systemParent } = await import(${JSON.stringify(new URL("../../../src/adapters/system/instance.ts", import.meta.url).href)});
      process.on("SIGTERM", () => {});
      const parent = systemParent("web.1");
      await parent.send({ kind: "load", own: 0 });
      await new Promise((resolve) => process.once("message", resolve));
      await new Promise((resolve) => parent.onStopAsked(resolve));
      process.disconnect();
      await new Promise((resolve) => process.once("disconnect", resolve));
      await Promise.race([new Promise((resolve) => parent.onLost(resolve)), new Promise((resolve) => setTimeout(resolve, 5000)).then(() => process.exit(1))]);
      process.exit(7);
    `;
    const { promise: heard, resolve } = Promise.withResolvers<FromInstance>();
    const instance = await starting(resolve, asked);
    await heard;
    instance.stop();
    expect(await instance.ended).toEqual({ exitCode: 7, signal: null });
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

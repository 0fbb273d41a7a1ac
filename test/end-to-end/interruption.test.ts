import { cp } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { startTwelve, twelve, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";

async function newApp(): Promise<string> {
  return (await twelveJson<{ folder: string }>(["init", "app"], { cwd: await temporaryFolder() })).folder;
}

/** Kills the command with SIGKILL after so many milliseconds; true when it was still running. */
async function killAfter(ms: number, args: readonly string[], cwd: string): Promise<boolean> {
  const child = startTwelve(args, { cwd });
  const closed = new Promise<NodeJS.Signals | null>((resolve) => child.once("close", (_, signal) => resolve(signal)));
  const timer = setTimeout(() => child.kill("SIGKILL"), ms);
  const signal = await closed;
  clearTimeout(timer);
  return signal === "SIGKILL";
}

/** How long the command takes when nobody kills it, so that the moments to kill it spread over its whole life. */
async function durationMs(args: readonly string[], cwd: string): Promise<number> {
  const startedMs = performance.now();
  await twelveJson(args, { cwd });
  return performance.now() - startedMs;
}

const moments = [0.3, 0.45, 0.6, 0.7, 0.8, 0.9, 0.95] as const;

describe("two at the same time", () => {
  it("release v1 and v2", async () => {
    const cwd = await newApp();
    await twelveJson(["build"], { cwd });
    await twelveJson(["index"], { cwd });
    const releases = await Promise.all([1, 2].map(() => twelveJson<{ number: number }>(["release", "--env", "staging"], { cwd })));
    expect(new Set(releases.map(({ number }) => number))).toEqual(new Set([1, 2]));
    expect(await twelveJson(["verify"], { cwd })).toMatchObject({ problems: [] });
  });
});

describe("kill -9", () => {
  it("during index leaves a store that the next command uses without repair", async () => {
    const cwd = await newApp();
    await twelveJson(["build"], { cwd });
    const copy = await temporaryFolder();
    await cp(cwd, copy, { recursive: true });
    const wholeMs = await durationMs(["index"], copy);
    const { digest } = await twelveJson<{ digest: string }>(["index"], { cwd: copy });

    let killed = 0;
    for (const moment of moments) if (await killAfter(wholeMs * moment, ["index"], cwd)) killed++;
    expect(killed).toBeGreaterThan(0);
    expect(await twelveJson(["index"], { cwd })).toMatchObject({ digest });
    expect(await twelveJson(["release", "--env", "staging"], { cwd })).toMatchObject({ number: 1 });
    expect(await twelve(["verify"], { cwd })).toMatchObject({ exitCode: 0 });
  });

  it("during release leaves a store that the next command uses without repair", async () => {
    const cwd = await newApp();
    await twelveJson(["build"], { cwd });
    await twelveJson(["index"], { cwd });
    const wholeMs = await durationMs(["release", "--env", "staging"], cwd);

    let killed = 0;
    for (const moment of moments) if (await killAfter(wholeMs * moment, ["release", "--env", "staging"], cwd)) killed++;
    expect(killed).toBeGreaterThan(0);
    const { number } = await twelveJson<{ number: number }>(["release", "--env", "staging"], { cwd });
    expect(number).toBeGreaterThanOrEqual(2);
    expect(number).toBeLessThanOrEqual(2 + moments.length);
    expect(await twelveJson(["show", "staging"], { cwd })).toMatchObject({ number });
    expect(await twelve(["verify"], { cwd })).toMatchObject({ exitCode: 0 });
  });
});

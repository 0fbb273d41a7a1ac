import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { listReleases, readHistory, readRelease } from "../../src/release/read.ts";
import { temporaryFolder } from "../helpers/context.ts";

const script = join(import.meta.dirname, "release-process.ts");
const start = (folder: string, topK: number, survivedWrites = -1) => execa(process.execPath, [script, folder, String(topK), String(survivedWrites)], { reject: false });

describe("processes that release into one folder", () => {
  it("get the numbers 1 to 8, each its own, and one history with all of them", async () => {
    const folder = await temporaryFolder();
    const ended = await Promise.all(Array.from({ length: 8 }, (_, i) => start(folder, i)));
    expect(ended.map(({ stderr }) => stderr)).toEqual(Array.from({ length: 8 }, () => ""));
    expect(ended.map(({ stdout }) => Number(stdout)).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);

    const store = await openStore("file:store", { dir: folder, env: {} });
    for (const [topK, { stdout }] of ended.entries()) expect((await readRelease(store, "a", `v${stdout}`)).release.config["TOP_K"]?.value).toBe(topK);
    const history = await readHistory(store, "a", "staging");
    expect(history.map(({ activation }) => activation.number).toSorted((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });

  it.each([
    ["the release", 0, { numbers: [], activations: 0, next: 1 }],
    ["its number", 1, { numbers: [], activations: 0, next: 1 }],
    ["its activation", 2, { numbers: [1], activations: 0, next: 2 }],
    ["the environment", 3, { numbers: [1], activations: 0, next: 2 }],
  ])("can be killed with -9 before %s is written, and the next one goes on", async (_, survivedWrites, expected) => {
    const folder = await temporaryFolder();
    expect((await start(folder, 1, survivedWrites)).signal).toBe("SIGKILL");
    const store = await openStore("file:store", { dir: folder, env: {} });
    expect((await listReleases(store, "a")).map(({ number }) => number)).toEqual(expected.numbers);
    expect(await readHistory(store, "a", "staging")).toHaveLength(expected.activations);

    expect(Number((await start(folder, 2)).stdout)).toBe(expected.next);
    expect((await readHistory(store, "a", "staging")).map(({ activation }) => activation.number)).toEqual([expected.next]);
  });
});

import { describe, expect, it } from "vitest";
import type { Digest } from "../../src/core/descriptor.ts";
import { appendActivation } from "../../src/release/apply.ts";
import release from "../../src/release/command.ts";
import list from "../../src/release/list-command.ts";
import { readActive, readHistory } from "../../src/release/read.ts";
import rollback from "../../src/release/rollback-command.ts";
import { type TestContext, testContext } from "../helpers/context.ts";
import { storeBuild, storeIndex, supportApp } from "../helpers/release.ts";

const run = (context: TestContext, to?: string) => rollback.run({ env: "staging", ...(to === undefined ? {} : { to }) }, context);

/** Releases v1, v2 … to staging, one for each value of TOP_K, with a STATE_URL of its own in the environment. */
async function released(...topKs: readonly number[]) {
  const dir = await supportApp();
  const store = await (await testContext({ dir })).store();
  await storeBuild(store, dir);
  await storeIndex(store);
  for (const topK of topKs) {
    await release.run(release.input.parse({ env: "staging", set: [`TOP_K=${topK}`] }), await testContext({ dir, store, env: { STATE_URL: `redis://cache-${topK}` } }));
  }
  return { context: await testContext({ dir, store }), store };
}

describe("twelve rollback", () => {
  it("activates the release before, with the attachments it had", async () => {
    const { context, store } = await released(1, 2);
    const first = (await readHistory(store, "support", "staging")).at(-1)?.activation;
    const answer = await run(context);
    expect(answer).toEqual({ environment: "staging", number: 1, digest: first?.release.digest, previous: 2, attachments: { STATE_URL: { url: "redis://cache-1", source: "environment" } }, secrets: { API_KEY: null } });
    expect((await readActive(store, "support", "staging")).activation).toMatchObject({ number: 1, reason: "rollback", release: first?.release });
    expect(context.told).toEqual([
      "warn A rollback changes code, prompts, indexes and configuration of staging; data in attached services stays as it is.",
      "warn Attachments as v1 had them come back too: STATE_URL=redis://cache-1 (was redis://cache-2)",
    ]);
  });

  it("goes further back each time, and no further than the first", async () => {
    const { context, store } = await released(1, 2, 3);
    expect((await run(context)).number).toBe(2);
    expect((await run(context)).number).toBe(1);
    await expect(run(context)).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", message: "staging has no earlier release to go back to. Active there so far: v1, v2, v3" });
    expect(await readHistory(store, "support", "staging")).toHaveLength(5);
  });

  it("goes to a named release, back and forth again", async () => {
    const { context } = await released(1, 2, 3);
    expect((await run(context, "v1")).number).toBe(1);
    const forth = await run(context, "v3");
    expect(forth.number).toBe(3);
    expect((await run(context)).number).toBe(1);
    expect((await run(context, forth.digest)).number).toBe(3);
  });

  it.each([
    ["v9", "RELEASE_NOT_FOUND", "v9 was never active in staging. Active there so far: v2, v1"],
    ["nonsense", "RELEASE_NOT_FOUND", "nonsense was never active in staging. Active there so far: v2, v1"],
    ["v2", "USAGE_INVALID", "v2 is active in staging already"],
  ])("refuses to go to %s", async (to, code, message) => {
    const { context, store } = await released(1, 2);
    await expect(run(context, to)).rejects.toMatchObject({ code, message });
    expect(await readHistory(store, "support", "staging")).toHaveLength(2);
  });

  /** Activates a release that the store does not hold. */
  async function activateMissing({ context, store }: Awaited<ReturnType<typeof released>>, digest: Digest, number: number): Promise<void> {
    const release = { mediaType: "release", digest, size: 1 };
    await appendActivation({ store, clock: context.clock }, { app: "support", environment: "staging", number, release, attachments: {}, secrets: {}, reason: "release" });
  }

  it("does not choose between two releases whose digests begin alike", async () => {
    const app = await released(1);
    await activateMissing(app, `sha256:${"a".repeat(63)}1`, 2);
    await activateMissing(app, `sha256:${"a".repeat(63)}2`, 3);
    await expect(run(app.context, "aaaaaa")).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", message: "aaaaaa names several releases: v3, v2" });
  });

  it("goes back from a release that is lost, but not to one", async () => {
    const app = await released(1);
    await activateMissing(app, `sha256:${"a".repeat(64)}`, 2);
    await activateMissing(app, `sha256:${"b".repeat(64)}`, 3);
    await expect(run(app.context)).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
    expect((await run(app.context, "v1")).number).toBe(1);
  });

  it("passes over a release that is the same under another number", async () => {
    const { context } = await released(1, 2, 2);
    expect((await run(context)).number).toBe(1);
  });

  it("goes back to the services before where the release is the same, and further back afterwards", async () => {
    const { context, store } = await released(1, 2);
    const moved = await testContext({ dir: context.dir, store, env: { STATE_URL: "redis://other" } });
    await release.run(release.input.parse({ env: "staging", set: ["TOP_K=2"] }), moved);
    expect(moved.told).toContain("note v3 is another number for the same release as v2, with other attachments: STATE_URL=redis://other (was redis://cache-2)");
    const [newest, before] = (await list.run({}, context)).releases;
    expect([newest?.changed, before?.changed]).toEqual([["STATE_URL"], ["STATE_URL"]]);
    expect(await run(context)).toMatchObject({ number: 2, attachments: { STATE_URL: { url: "redis://cache-2" } } });
    expect(context.told[0]).toBe("warn v2 and v3 are the same release: only the attachments of staging change, and data in attached services stays as it is.");
    expect((await run(context)).number).toBe(1);
    expect(await run(context, "v3")).toMatchObject({ number: 3, attachments: { STATE_URL: { url: "redis://other" } } });
  });

  it("refuses where nothing was released", async () => {
    const { context } = await released();
    await expect(run(context)).rejects.toMatchObject({ code: "RELEASE_NOT_ACTIVE", fix: "Run `twelve release --env staging`" });
  });

  it.each(["stagin", "a/b", "../x"])("says of %j where there is a release instead", async (env) => {
    const { context } = await released(1);
    await expect(rollback.run({ env }, context)).rejects.toMatchObject({ code: "RELEASE_NOT_ACTIVE", message: expect.stringContaining("There is one in staging") });
  });

  it("names what to run next and the command that undoes it", async () => {
    const { context } = await released(1, 2);
    expect(rollback.render(await run(context), { env: "staging" })).toMatch(
      /^v1 \(\w{12}\) is active in staging again; v2 was active before\nNext: restart its processes with `twelve run --env staging`\nUndo: `twelve rollback --env staging --to v2`$/,
    );
  });
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { hexOf, shortDigest } from "../../src/core/descriptor.ts";
import { appendActivation, recordRelease } from "../../src/release/apply.ts";
import release from "../../src/release/command.ts";
import config from "../../src/release/config-command.ts";
import list from "../../src/release/list-command.ts";
import { readActive } from "../../src/release/read.ts";
import show from "../../src/release/show-command.ts";
import { testContext } from "../helpers/context.ts";
import { storeBuild, storeIndex, supportApp } from "../helpers/release.ts";

/** v1 in staging, then v2 in staging and v1 in production, then v3 without an activation. */
async function released() {
  const dir = await supportApp();
  const context = await testContext({ dir, env: { API_KEY: "hush" } });
  const store = await context.store();
  const build = await storeBuild(store, dir, { commit: "1234567890abcdef", dirty: true });
  const index = await storeIndex(store);
  const make = (topK: number, message: string) => release.run(release.input.parse({ env: "staging", allowDirty: true, set: [`TOP_K=${topK}`], message }), context);
  const first = await make(1, "First");
  const second = await make(2, "Second");
  const { releaseDescriptor } = await readActive(store, "support", "staging");
  const v1 = { ...releaseDescriptor, digest: first.digest };
  await appendActivation({ store, clock: context.clock }, { app: "support", environment: "production", number: 1, release: v1, attachments: { STATE_URL: { url: null, source: "unset" } }, secrets: { API_KEY: null }, reason: "promote" });
  await recordRelease({ store, clock: context.clock }, first.release);
  return { dir, context, store, build, index, first, second };
}

describe("twelve releases", () => {
  it("lists all, newest first, with where each is active", async () => {
    const { context, build, first, second } = await released();
    const { releases } = await list.run({}, context);
    const source = { digest: build.digest, commit: "1234567890abcdef", dirty: true };
    expect(releases.map(({ createdAt: _createdAt, ...others }) => others)).toEqual([
      { number: 3, digest: first.digest, message: null, build: source, active: [], changed: [], wasActive: false },
      { number: 2, digest: second.digest, message: "Second", build: source, active: ["staging"], changed: [], wasActive: true },
      { number: 1, digest: first.digest, message: "First", build: source, active: ["production"], changed: [], wasActive: true },
    ]);
  });

  it("lists only what was active in one environment", async () => {
    const { context } = await released();
    const numbers = async (env: string) => (await list.run({ env }, context)).releases.map(({ number }) => number);
    expect([await numbers("staging"), await numbers("production"), await numbers("development")]).toEqual([[2, 1], [1], []]);
    await expect(numbers("stagign")).rejects.toMatchObject({ code: "ENVIRONMENT_UNKNOWN", message: expect.stringContaining('Did you mean "staging"?') });
  });

  it("is a table for a person, which says what was never activated", async () => {
    const { context, build, first, second } = await released();
    const [d1, d2, b] = [first.digest, second.digest, build.digest].map(shortDigest);
    const created = "2026-01-01T00:00:00Z";
    expect(list.render(await list.run({}, context), {})).toBe(
      [
        "RELEASE  DIGEST        CREATED               BUILD                       ACTIVE IN        MESSAGE",
        `v3       ${d1}  ${created}  ${b} 1234567 dirty  never activated`,
        `v2       ${d2}  ${created}  ${b} 1234567 dirty  staging          Second`,
        `v1       ${d1}  ${created}  ${b} 1234567 dirty  production       First`,
      ].join("\n"),
    );
  });

  it("says how to make the first one", async () => {
    const context = await testContext({ dir: await supportApp() });
    expect(list.render(await list.run({}, context), {})).toBe("support has no release yet. Make one: `twelve release --env development`");
  });
});

describe("twelve show", () => {
  it("shows a release with its document", async () => {
    const { context, first, second } = await released();
    expect(await show.run({ what: "v2" }, context)).toMatchObject({ kind: "release", number: 2, digest: second.digest, message: "Second", active: ["staging"], source: { dirty: true }, document: second.release });
    expect(await show.run({}, context)).toMatchObject({ kind: "release", number: 3, digest: first.digest });
  });

  it("shows an environment with its history, attachments and secrets' sources", async () => {
    const { context, second } = await released();
    const shown = await show.run({ what: "staging" }, context);
    expect(shown).toMatchObject({
      kind: "environment",
      number: 2,
      release: second.release,
      document: { attachments: { STATE_URL: { url: "pglite:.twelve/state", source: "default" } }, secrets: { API_KEY: "environment" } },
      history: [{ number: 2, reason: "release" }, { number: 1, reason: "release" }],
    });
  });

  it("shows a release, a build and an index by the beginning of the digest", async () => {
    const { context, build, index, second } = await released();
    const shown = async (digest: typeof second.digest) => show.run({ what: hexOf(digest).slice(0, 10) }, context);
    expect(await shown(second.digest)).toMatchObject({ kind: "release", number: 2 });
    expect(await shown(build.digest)).toMatchObject({ kind: "build", digest: build.digest, document: { app: "support" } });
    expect(await shown(index.digest)).toMatchObject({ kind: "index", digest: index.digest, document: { name: "docs" } });
    expect(await show.run({ what: build.digest }, context)).toMatchObject({ kind: "build" });
  });

  it("writes each of them for a person, without a secret", async () => {
    const { context, build, index } = await released();
    const text = async (what: string) => show.render(await show.run({ what }, context), {});
    expect(await text("v2")).toContain("Release v2 of support");
    expect(await text("v2")).toMatch(/\n {2}active in +staging\n/);
    expect(await text("v2")).toMatch(/\nSTYLE +"" +default\n[^]*\nTOP_K +2 +--set$/);
    expect(await text("staging")).toMatch(/\n {2}attachments +STATE_URL=pglite:\.twelve\/state \(default\)\n {2}secrets +API_KEY \(environment\)\n/);
    expect(await text("production")).toMatch(/STATE_URL=unset \(unset\)\n {2}secrets +API_KEY \(not set\)/);
    expect(await text(build.digest)).toMatch(/^Build of support\n[^]*source +commit 1234567890ab, with uncommitted changes\n[^]*prompts +answer \w{12}, answer\.strict \w{12}/);
    expect(await text(index.digest)).toMatch(/^Index docs of support\n[^]*chunks +3\n/);
    expect(await text("staging")).not.toContain("hush");
  });

  it.each(["v9", "stagin", "abcdef", "abc", "../x", "zzzz"])("does not find %j and says what there is", async (what) => {
    const { context } = await released();
    await expect(show.run({ what }, context)).rejects.toMatchObject({ code: "RELEASE_NOT_FOUND", message: expect.stringMatching(/there are v1 \(|Environments with a release: production, staging/) });
  });

  it("names the nearest environment", async () => {
    const { context } = await released();
    await expect(show.run({ what: "stagin" }, context)).rejects.toThrow('Did you mean "staging"?');
  });
});

describe("twelve config list", () => {
  const inspect = async (context: Awaited<ReturnType<typeof testContext>>, env = "staging") => config.run({ env }, context);

  it("shows every key with kind, value and source, and what the active release has instead", async () => {
    const { dir, store } = await released();
    await writeFile(join(dir, ".env.staging"), "TEMPERATURE=0.9\nSTATE_URL=postgres://me:pa55@db/app?password=pa55\n");
    const { environment, source, active, keys } = await inspect(await testContext({ dir, store, env: { TOP_K: "4", API_KEY: "hush" } }));
    expect({ environment, source, active }).toEqual({ environment: "staging", source: "dotenv:.env.staging", active: 2 });
    expect(keys.map(({ description: _description, ...others }) => others)).toEqual([
      { key: "CHAT_MODEL", kind: "frozen", isSet: true, value: "mock:extractive", source: "default", frozen: null, problem: null },
      { key: "TEMPERATURE", kind: "frozen", isSet: true, value: 0.9, source: "dotenv:.env.staging", frozen: { value: 0.2, source: "default" }, problem: null },
      { key: "TOP_K", kind: "frozen", isSet: true, value: 4, source: "environment", frozen: { value: 2, source: "--set" }, problem: null },
      { key: "EMBEDDER", kind: "frozen", isSet: true, value: "hash:64", source: "default", frozen: null, problem: null },
      { key: "STYLE", kind: "frozen", isSet: true, value: "", source: "default", frozen: null, problem: null },
      { key: "STATE_URL", kind: "attachment", isSet: true, value: "postgres://db/app", source: "dotenv:.env.staging", frozen: null, problem: null },
      { key: "API_KEY", kind: "secret", isSet: true, value: null, source: "environment", frozen: null, problem: null },
    ]);
  });

  it("shows no value where it cannot be used, and offers no release before that is corrected", async () => {
    const { dir, store } = await released();
    const shown = config.render(await inspect(await testContext({ dir, store, env: { TOP_K: "many", API_KEY: "hush" } })), { env: "staging" });
    expect(shown).toMatch(/^TOP_K +frozen +\(not usable\) +environment +2 \(--set\)$/m);
    expect(shown).toMatch(/^API_KEY +secret +set +environment$/m);
    expect(shown).toContain('A release to staging would be refused:\n  TOP_K: Expected an integer, found "many" (from environment)');
    expect(shown).toMatch(/v2 keeps its frozen values\. Correct what is wrong, then freeze the rest with `twelve release --env staging`\.$/);
  });

  it("is a table for a person", async () => {
    const context = await testContext({ dir: await supportApp(), env: { API_KEY: "hush" } });
    expect(config.render(await inspect(context, "development"), { env: "development" })).toBe(
      [
        "KEY          KIND        VALUE                 FROM",
        "CHAT_MODEL   frozen      mock:extractive       default",
        "TEMPERATURE  frozen      0.2                   default",
        "TOP_K        frozen      5                     default",
        "EMBEDDER     frozen      hash:64               default",
        'STYLE        frozen      ""                    default',
        "STATE_URL    attachment  pglite:.twelve/state  default",
        "API_KEY      secret      set                   environment",
      ].join("\n"),
    );
  });

  it("shows a wrong or missing value as a problem, beside the others", async () => {
    const context = await testContext({ dir: await supportApp(), env: { TOP_K: "many" } });
    const answer = await inspect(context);
    expect(answer.keys.find(({ key }) => key === "TOP_K")).toMatchObject({ isSet: true, value: null, problem: 'Expected an integer, found "many" (from environment)' });
    expect(config.render(answer, { env: "staging" })).toMatch(/TOP_K +frozen +\(not usable\) +environment\n/);
    expect(config.render(answer, { env: "staging" })).toContain('A release to staging would be refused:\n  TOP_K: Expected an integer, found "many" (from environment)');
  });

  it("says which values the active release keeps", async () => {
    const { dir, store } = await released();
    const answer = await inspect(await testContext({ dir, store }));
    const text = config.render(answer, { env: "staging" });
    expect(text).toMatch(/FROM +FROZEN IN v2\n/);
    expect(text).toMatch(/TOP_K +frozen +5 +default +2 \(--set\)\n/);
    expect(text).toMatch(/API_KEY +secret +not set +-\n/);
    expect(text).toContain("v2 keeps its frozen values. Freeze these with `twelve release --env staging`.");
  });

  it("refuses an environment that is not declared", async () => {
    const context = await testContext({ dir: await supportApp() });
    await expect(inspect(context, "stagin")).rejects.toMatchObject({ code: "ENVIRONMENT_UNKNOWN" });
  });
});

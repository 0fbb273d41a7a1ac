import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { openStore } from "../../src/adapters/registry.ts";
import { refs } from "../../src/artifact/refs.ts";
import { shortDigest } from "../../src/core/descriptor.ts";
import command from "../../src/release/command.ts";
import { listReleases, readActive, readHistory } from "../../src/release/read.ts";
import type { Clock } from "../../src/ports/clock.ts";
import { startBedrockServer } from "../helpers/bedrock-server.ts";
import { fixedClock, type TestContext, type TestContextOptions, testContext } from "../helpers/context.ts";
import { storeBuild, storeIndex, storeReport, supportApp } from "../helpers/release.ts";

type Input = Partial<ReturnType<typeof command.input.parse>>;

const release = (context: TestContext, input: Input = {}) => command.run(command.input.parse({ env: "staging", ...input }), context);

/** An application with a build and an index, ready for its first release. */
async function app({ files, ...options }: Partial<TestContextOptions> & { files?: Record<string, string> } = {}) {
  const dir = await supportApp(files);
  const context = await testContext({ dir, ...options });
  const store = await context.store();
  const build = await storeBuild(store, dir);
  const index = await storeIndex(store);
  return { context, store, dir, build, index };
}

describe("twelve release", () => {
  it("refuses a model that configuration has chosen and whose time is over, and warns of one that ends soon", async () => {
    const { context, store } = await app();
    await expect(release(context, { set: ["CHAT_MODEL=openai:o1-preview"] })).rejects.toMatchObject({ code: "MODEL_RETIRED", message: expect.stringMatching(/^openai:o1-preview reached its end of life on 2025-07-28 \(table of \d{4}-\d\d-\d\d\)$/) });
    expect(await listReleases(store, "support")).toEqual([]);
    await release(context, { set: ["CHAT_MODEL=openai:chatgpt-4o-latest"] });
    expect(context.told).toContainEqual(expect.stringContaining("openai:chatgpt-4o-latest reaches its end of life on 2026-02-17, in 47 days"));
  });

  it("refuses a state service that keeps conversations, where index jobs are to be kept too, and records nothing", async () => {
    const manifest = await readFile(join(import.meta.dirname, "../../fixtures/release/support/twelve.yaml"), "utf8");
    const files = { "twelve.yaml": manifest.replace("web: {", "worker: { work: [index] }\n  web: {") };
    const { context, store } = await app({ files, env: { STATE_URL: "redis://127.0.0.1:1/0" } });
    await expect(release(context)).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(/^STATE_URL: This version has no queue for redis:/), fix: expect.stringContaining("postgres://") });
    expect(await listReleases(store, "support")).toEqual([]);
    await release((await app({ files, env: { STATE_URL: "postgres://127.0.0.1:1/state" } })).context);
  });

  it("asks Bedrock when a model of its ends that configuration has chosen", async () => {
    const server = await startBedrockServer();
    onTestFinished(() => server.close());
    const clock = fixedClock();
    const at = (day: string): Clock => ({ ...clock, now: () => new Date(`${day}T12:00:00Z`) });
    const env = { AWS_ACCESS_KEY_ID: "AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY: "wJalrXUtnFEMI0123456789", AWS_REGION: "us-east-1", AWS_ENDPOINT_URL: server.url };
    const { context, store, dir } = await app({ env, clock: at("2026-11-25") });
    const set = ["CHAT_MODEL=bedrock:meta.llama-old-v1:0"];
    await release(context, { set });
    expect(context.told).toContainEqual("warn bedrock:meta.llama-old-v1:0 reaches its end of life on 2027-01-15, in 51 days (Bedrock)");
    const later = await testContext({ dir, env, store, clock: at("2027-02-01") });
    await expect(release(later, { set })).rejects.toMatchObject({ code: "MODEL_RETIRED", message: "bedrock:meta.llama-old-v1:0 reached its end of life on 2027-01-15 (Bedrock)" });
  });

  it("warns of sampling that the model does not take, and releases: a model is swapped by one value", async () => {
    const { context } = await app();
    await release(context);
    expect(context.told.filter((line) => line.includes("takes no"))).toEqual([]);
    await release(context, { set: ["CHAT_MODEL=anthropic:claude-sonnet-5"] });
    expect(context.told.filter((line) => line.includes("takes no"))).toEqual(["warn Agent support: anthropic:claude-sonnet-5 takes no temperature; temperature 0.2 is left out when it is asked"]);
    await release(context, { set: ["CHAT_MODEL=anthropic:claude-sonnet-4-5?version=2023-06-01"] });
    expect(context.told.filter((line) => line.includes("takes no"))).toHaveLength(1);
  });

  it("freezes build, index and configuration, and activates the first number", async () => {
    const { context, store, build, index } = await app({ env: { TOP_K: "8", API_KEY: "hush" }, files: { ".env.staging": "TEMPERATURE=0.7\nSTATE_URL=postgres://me:pa55@db/app?sslmode=require&password=pa55\n" } });
    const answer = await release(context, { set: ["STYLE=strict"], message: "First" });
    expect(answer).toMatchObject({ number: 1, environment: "staging", isActive: true, source: { commit: "1234567890abcdef", dirty: false } });
    expect(answer.release).toEqual({
      version: 1,
      app: "support",
      build,
      indexes: { docs: index },
      config: {
        CHAT_MODEL: { value: "mock:extractive", source: "default" },
        TEMPERATURE: { value: 0.7, source: "dotenv:.env.staging" },
        TOP_K: { value: 8, source: "environment" },
        EMBEDDER: { value: "hash:64", source: "default" },
        STYLE: { value: "strict", source: "--set" },
      },
      attachments: ["STATE_URL"],
      secrets: { API_KEY: { optional: true } },
      models: ["hash:64", "mock:extractive"],
      agents: { support: { prompt: "answer", variant: "strict", model: "mock:extractive", temperature: 0.7, session: false, retrieve: { index: "docs", topK: 8, mode: "hybrid" } } },
      processes: { web: { serve: ["support"] } },
    });
    const active = await readActive(store, "support", "staging");
    expect(active).toMatchObject({
      number: 1,
      release: answer.release,
      activation: {
        attachments: { STATE_URL: { url: "postgres://db/app?sslmode=require", source: "dotenv:.env.staging" } },
        secrets: { API_KEY: "environment" },
        reason: "release",
        previous: null,
      },
    });
    expect((await listReleases(store, "support"))[0]?.message).toBe("First");
  });

  it("stores no secret and no password, in any blob or ref", async () => {
    const { context, store } = await app({ env: { API_KEY: "hush-hush", STATE_URL: "redis://:hush-hush@cache" } });
    const answer = await release(context);
    const texts: string[] = [JSON.stringify(answer), ...context.told];
    for (const name of await store.refs.list("")) texts.push((await store.refs.read(name))?.value ?? "");
    const written = [answer.release.build, (await readActive(store, "support", "staging")).activationDescriptor, (await readActive(store, "support", "staging")).releaseDescriptor];
    for (const blob of written) texts.push(new TextDecoder().decode(await store.blobs.read(blob)));
    expect(texts.join("\n")).not.toContain("hush-hush");
    expect(answer.secrets).toEqual({ API_KEY: "environment" });
  });

  it("says that nothing differs from an earlier release", async () => {
    const { context } = await app();
    await release(context);
    await release(context, { set: ["TOP_K=9"] });
    await release(context);
    expect(context.told.filter((line) => line.includes("Nothing differs"))).toEqual(["note Nothing differs from v1: v3 is another number for the same release"]);
  });

  it("gives two releases at once v1 and v2, and leaves the higher one active", async () => {
    const { context, store } = await app();
    const answers = await Promise.all([release(context), release(context)]);
    expect(answers.map(({ number }) => number).toSorted((a, b) => a - b)).toEqual([1, 2]);
    expect((await readActive(store, "support", "staging")).number).toBe(2);
  });

  it("leaves a newer release active that another process activated in between", async () => {
    const { context, store, dir } = await app();
    const overtaken = await testContext({
      dir,
      store: {
        ...store,
        refs: {
          ...store.refs,
          create: async (name, value) => {
            const isCreated = await store.refs.create(name, value);
            if (name === refs.release("support", 1)) await release(context);
            return isCreated;
          },
        },
      },
    });
    const answer = await release(overtaken);
    expect(answer).toMatchObject({ number: 1, isActive: false });
    expect((await readHistory(store, "support", "staging")).map(({ activation }) => activation.number)).toEqual([2]);
    expect(overtaken.told).toContain("warn A newer release was activated in staging at the same time and stays active; v1 is recorded but active nowhere.");
    expect(command.render(answer, command.input.parse({ env: "staging" }))).toMatch(/^v1 is recorded, and not active\n/);
  });

  it("names the activation before it", async () => {
    const { context, store } = await app();
    await release(context);
    const first = await readActive(store, "support", "staging");
    await release(context, { set: ["TOP_K=9"] });
    expect((await readActive(store, "support", "staging")).activation).toMatchObject({ number: 2, previous: first.activationDescriptor });
  });

  it("goes on with the next number after it was killed at any write, without repair", async () => {
    for (let survived = 0; survived < 4; survived++) {
      const opened = await openStore("memory:", { dir: "/", env: {} });
      const { context, dir } = await app({ store: opened });
      let writes = 0;
      const cut = (): void => {
        if (writes++ === survived) throw new Error("killed");
      };
      const dying = await testContext({
        dir,
        store: {
          ...opened,
          blobs: { ...opened.blobs, write: (bytes, type) => (cut(), opened.blobs.write(bytes, type)) },
          refs: { ...opened.refs, create: (name, value) => (cut(), opened.refs.create(name, value)) },
        },
      });
      await expect(release(dying)).rejects.toThrow("killed");
      const isNumbered = survived >= 2;
      expect(await listReleases(opened, "support")).toHaveLength(isNumbered ? 1 : 0);
      const answer = await release(context);
      expect(answer.number).toBe(isNumbered ? 2 : 1);
      expect(await readHistory(opened, "support", "staging")).toHaveLength(1);
    }
  });

  it("tells a person what it made and what to run next", async () => {
    const { context, build, index } = await app();
    const answer = await release(context, { set: ["TOP_K=8"] });
    const text = command.render(answer, command.input.parse({ env: "staging" }));
    expect(text).toBe(
      `v1 is active in staging\n  digest   ${answer.digest}\n  build    ${shortDigest(build.digest)} (commit 1234567890ab)\n  indexes  docs ${shortDigest(index.digest)}\n` +
        "  models   hash:64, mock:extractive\n  config   TOP_K=8 (--set)\nNext: `twelve run --env staging` or `twelve eval --env staging`",
    );
  });
});

describe("twelve release, for what to take,", () => {
  it("takes the latest build and index, or those that are named", async () => {
    const { context, store, dir, build, index } = await app();
    await storeBuild(store, dir, { commit: "fedcba", dirty: false });
    const latest = await storeIndex(store, { chunks: 4 });
    expect((await release(context)).release.indexes).toEqual({ docs: latest });
    const pinned = await release(context, { build: shortDigest(build.digest), index: [`docs=${shortDigest(index.digest)}`] });
    expect(pinned.release).toMatchObject({ build, indexes: { docs: index } });
  });

  it("uses the manifest of the build, and says when twelve.yaml has changed since", async () => {
    const { context, dir } = await app();
    const changed = (await readFile(join(dir, "twelve.yaml"), "utf8")).replace("default: 5", "default: 6");
    await writeFile(join(dir, "twelve.yaml"), changed);
    expect((await release(context)).release.config["TOP_K"]).toEqual({ value: 5, source: "default" });
    expect(context.told.filter((line) => line.startsWith("warn"))).toEqual([expect.stringContaining("twelve.yaml differs from the manifest of build")]);
  });

  it("does not mind a comment in twelve.yaml", async () => {
    const { context, dir } = await app();
    await appendFile(join(dir, "twelve.yaml"), "# a thought\n");
    await release(context);
    expect(context.told.filter((line) => line.startsWith("warn"))).toEqual([]);
  });

  it.each([
    [{ index: ["docs"] }, "USAGE_INVALID"],
    [{ index: ["docs=xyz"] }, "USAGE_INVALID"],
    [{ index: ["spare=abcdef"] }, "INDEX_UNKNOWN"],
    [{ index: ["docs=abcdef"] }, "INDEX_NOT_FOUND"],
    [{ build: "abcdef" }, "BUILD_NOT_FOUND"],
    [{ env: "stagin" }, "ENVIRONMENT_UNKNOWN"],
    [{ set: ["TOPK=1"] }, "CONFIG_UNKNOWN"],
    [{ set: ["TOP_K=many"] }, "CONFIG_INVALID"],
    [{ set: ["TOP_K=500"] }, "CONFIG_INVALID"],
    [{ set: ["API_KEY=hush"] }, "CONFIG_INVALID"],
    [{ set: ["CHAT_MODEL=nosuch:x"] }, "SERVICE_UNSUPPORTED"],
    [{ set: ["EMBEDDER=nosuch:x"] }, "SERVICE_UNSUPPORTED"],
    [{ set: ["STYLE=odd"] }, "PROMPT_UNKNOWN"],
  ])("refuses %j with %s and records nothing", async (input, code) => {
    const { context, store } = await app();
    await expect(release(context, input)).rejects.toMatchObject({ code });
    expect([await listReleases(store, "support"), await store.refs.list(refs.environments("support"))]).toEqual([[], []]);
  });

  it("names the key that chooses a prompt variant which does not exist", async () => {
    const { context } = await app();
    const message = 'The build has no prompt "answer" in the variant "odd". STYLE is "odd" (from --set). Variants of "answer": none, strict';
    await expect(release(context, { set: ["STYLE=odd"] })).rejects.toMatchObject({ problems: [{ path: "agents.support.variant", message }] });
  });

  it("says which command makes a missing build or index", async () => {
    const dir = await supportApp();
    const context = await testContext({ dir });
    await expect(release(context)).rejects.toMatchObject({ code: "BUILD_NOT_FOUND", fix: expect.stringContaining("twelve build") });
    await storeBuild(await context.store(), dir);
    await expect(release(context)).rejects.toMatchObject({ code: "INDEX_NOT_FOUND", fix: "Run `twelve index docs`" });
  });
});

describe("twelve release, before it records anything,", () => {
  it("refuses uncommitted changes outside development", async () => {
    const { context, store, dir } = await app();
    await storeBuild(store, dir, { commit: "1234567890abcdef", dirty: true });
    await expect(release(context)).rejects.toMatchObject({ code: "BUILD_DIRTY", message: expect.stringContaining("uncommitted changes on commit 1234567890ab; staging takes only committed code") });
    expect(await listReleases(store, "support")).toEqual([]);
    expect((await release(context, { env: "development" })).source.dirty).toBe(true);
    expect((await release(context, { allowDirty: true })).number).toBe(2);
  });

  it.each([
    [{ embedder: "hash:128" }, "its embedder is hash:"],
    [{ maxTokens: 200 }, "its chunks have maxTokens 200, the release wants 100"],
  ])("refuses an index made with %j", async (options, message) => {
    const { context, store } = await app();
    await storeIndex(store, options);
    await expect(release(context)).rejects.toMatchObject({ code: "INDEX_STALE", message: expect.stringContaining(message) });
    expect(await listReleases(store, "support")).toEqual([]);
  });

  it("names the command that makes an index which fits", async () => {
    const { context } = await app();
    await expect(release(context, { set: ["EMBEDDER=hash:128", "TOP_K=8"] })).rejects.toMatchObject({
      code: "INDEX_STALE",
      fix: "Run `twelve index docs --env staging --set EMBEDDER=hash:128`, then release again",
    });
  });

  it("refuses an index whose chunk sizes the manifest no longer names", async () => {
    const { context, dir, store } = await app();
    const withoutChunk = (await readFile(join(dir, "twelve.yaml"), "utf8")).replace(", chunk: { maxTokens: 100, overlapTokens: 10 }", "");
    await writeFile(join(dir, "twelve.yaml"), withoutChunk);
    await storeBuild(store, dir);
    await expect(release(context)).rejects.toMatchObject({ code: "INDEX_STALE", message: expect.stringContaining("its chunks have maxTokens 100, the release wants 400; its chunks have overlapTokens 10, the release wants 50") });
  });

  it("refuses an embedder that gives other vectors under its old name", async () => {
    const { context, store } = await app();
    await storeIndex(store, { probe: new Uint8Array(9 * 64 * 4).fill(63) });
    await expect(release(context)).rejects.toMatchObject({ code: "EMBEDDER_DRIFTED" });
    expect(await listReleases(store, "support")).toEqual([]);
  });

  it("does not let an environment's required evals be sidestepped", async () => {
    const { context, store } = await app();
    await expect(release(context, { env: "production" })).rejects.toMatchObject({
      code: "PROMOTION_REFUSED",
      problems: [{ path: "smoke" }, { path: "tone" }],
      fix: "Run `twelve release --env staging`, then `twelve eval smoke --env staging`, `twelve eval tone --env staging`, then `twelve promote staging production`",
    });
    expect(await listReleases(store, "support")).toEqual([]);
  });

  it("releases there directly what has passed already, to the byte", async () => {
    const { context, store } = await app();
    const { releaseDescriptor } = await release(context).then(() => readActive(store, "support", "staging"));
    await storeReport(store, releaseDescriptor, "smoke");
    await storeReport(store, releaseDescriptor, "tone");
    expect(await release(context, { env: "production" })).toMatchObject({ number: 2, digest: releaseDescriptor.digest, isActive: true });
    await expect(release(context, { env: "production", set: ["TOP_K=6"] })).rejects.toMatchObject({ code: "PROMOTION_REFUSED" });
  });
});

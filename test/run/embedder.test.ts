import { rm } from "node:fs/promises";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import indexCommand from "../../src/index/command.ts";
import { openRuntime } from "../../src/run/apply.ts";
import releaseCommand from "../../src/release/command.ts";
import { readActive } from "../../src/release/read.ts";
import { type EmbeddingServer, startEmbeddingServer } from "../helpers/embedding-server.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { makeRelease, manifest, writeFiles } from "./release.ts";

const key = "ek-0123456789abcdefghij";

/** An application in staging whose index was embedded over the network, by a server that wants a key. */
async function app(options = ""): Promise<{ readonly server: EmbeddingServer; readonly made: TestContext; readonly fresh: () => Promise<TestContext> }> {
  const server = await startEmbeddingServer({ key, dimensions: 64 });
  onTestFinished(() => server.close());
  const dir = await temporaryFolder();
  const made = await testContext({ dir, env: { EMBEDDER_API_KEY: key } });
  const text = manifest.replace('"hash:64"', `"${server.baseUrl}#bge-m3${options}"`).replace("API_KEY:", "EMBEDDER_API_KEY: { kind: secret, optional: true }\n  API_KEY:");
  await makeRelease(made, text);
  return { server, made, fresh: async () => testContext({ dir, store: await made.store() }) };
}

async function opened(context: TestContext) {
  const { activation, ...release } = await readActive(await context.store(), "handbook", "staging");
  const runtime = await openRuntime(context, { release, environment: "staging", attachments: activation.attachments, agents: ["support"], emit: () => {} });
  onTestFinished(() => runtime.close());
  return runtime;
}

it("a process answers from an index that was embedded over the network, with the key of its environment's own source", async () => {
  const { server, fresh } = await app();
  const context = await fresh();
  await expect(opened(context)).rejects.toMatchObject({ code: "SERVICE_UNAUTHENTICATED", fix: expect.stringContaining("EMBEDDER_API_KEY") });
  await writeFiles(context.dir, { ".env": `EMBEDDER_API_KEY=${key}\n` });
  const runtime = await opened(context);
  const question = "How large may the body of a request be?";
  let answer = "";
  for await (const part of runtime.answer({ agent: "support", messages: [{ role: "user", content: question }], variables: {}, isStream: false, traceId: "0".repeat(32), signal: context.signal })) {
    if (part.type === "end") answer = part.answer.text;
  }
  expect(answer).toContain("1 MiB");
  expect(server.texts().at(-1)).toBe(question);
});

it("refuses another model at the same address, at the start and at a release", async () => {
  const { server, made } = await app();
  server.changeModel();
  await expect(opened(made)).rejects.toMatchObject({ code: "EMBEDDER_DRIFTED" });
  await expect(releaseCommand.run(releaseCommand.input.parse({ env: "staging" }), made)).rejects.toMatchObject({ code: "EMBEDDER_DRIFTED" });
});

// Without its dimensions the model is asked when it is opened, with them first for the vectors of the probe texts.
it.each(["", "?dimensions=64"])("waits for a service that refuses for a while, at an index, a release and a start (%j)", async (options) => {
  vi.spyOn(Math, "random").mockReturnValue(0);
  onTestFinished(() => void vi.restoreAllMocks());
  const { server, made } = await app(options);
  const busy = { status: 429, headers: { "retry-after-ms": "1" }, body: { error: { message: "busy" } } };
  const noted = `note ${server.baseUrl}#bge-m3 answered 429: busy; asking again in 0.0 s`;
  await writeFiles(made.dir, { "docs/new.md": "# New\n\nAnother document.\n" });
  for (const work of [
    () => indexCommand.run(indexCommand.input.parse({}), made),
    () => releaseCommand.run(releaseCommand.input.parse({ env: "staging" }), made),
    () => opened(made),
  ]) {
    const before = made.told.length;
    await rm(join(made.dir, ".twelve/cache/dimensions.json"), { force: true });
    server.faults.push(busy, busy);
    await work();
    expect(made.told.slice(before).filter((line) => line.includes("429"))).toEqual([noted]);
  }
});

import { expect, it, onTestFinished } from "vitest";
import { openRuntime } from "../../src/run/apply.ts";
import releaseCommand from "../../src/release/command.ts";
import { readActive } from "../../src/release/read.ts";
import { type EmbeddingServer, startEmbeddingServer } from "../helpers/embedding-server.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { makeRelease, manifest, writeFiles } from "./release.ts";

const key = "ek-0123456789abcdefghij";

/** An application in staging whose index was embedded over the network, by a server that wants a key. */
async function app(): Promise<{ readonly server: EmbeddingServer; readonly made: TestContext; readonly fresh: () => Promise<TestContext> }> {
  const server = await startEmbeddingServer({ key, dimensions: 64 });
  onTestFinished(() => server.close());
  const dir = await temporaryFolder();
  const made = await testContext({ dir, env: { EMBEDDER_API_KEY: key } });
  const text = manifest.replace('"hash:64"', `"${server.baseUrl}#bge-m3"`).replace("API_KEY:", "EMBEDDER_API_KEY: { kind: secret, optional: true }\n  API_KEY:");
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
  await expect(opened(context)).rejects.toMatchObject({ code: "SERVICE_DENIED", fix: expect.stringContaining("EMBEDDER_API_KEY") });
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

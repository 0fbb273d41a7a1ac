import { expect, it } from "vitest";
import evalCommand from "../../src/eval/command.ts";
import type { Environment } from "../../src/ports/context.ts";
import promoteCommand from "../../src/release/promote-command.ts";
import releaseCommand from "../../src/release/command.ts";
import { readActive, readRelease } from "../../src/release/read.ts";
import { openRuntime } from "../../src/run/apply.ts";
import { temporaryFolder, testContext, type TestContext } from "../helpers/context.ts";
import { makeRelease, manifest, writeFiles } from "./release.ts";

const suite = "tests: [{ vars: { question: Which port }, assert: [{ type: similar, value: The port, threshold: 0.1 }] }]\n";
const text = `${manifest.replace("production: {}", 'production: { config: "dotenv:.env.production" }')}evals: { smoke: { suite: evals/smoke.yaml, agent: support } }\n`;

/** An application whose key is in no process environment, with what each of its embedders was opened with. */
async function app(): Promise<{ readonly context: TestContext; readonly seen: (Environment | undefined)[] }> {
  const plain = await testContext({ dir: await temporaryFolder() });
  await writeFiles(plain.dir, { "evals/smoke.yaml": suite, ".env": "API_KEY=hush-staging\n", ".env.production": "API_KEY=hush-production\n" });
  await makeRelease(plain, text, { "evals/smoke.yaml": suite });
  const seen: (Environment | undefined)[] = [];
  const openEmbedder: TestContext["openEmbedder"] = (reference, secrets) => {
    seen.push(secrets);
    return plain.openEmbedder(reference, secrets);
  };
  return { context: { ...plain, openEmbedder }, seen };
}

it("a release, a promotion, a process and an eval look the embedder's key up in their own environment", async () => {
  const { context, seen } = await app();
  await releaseCommand.run(releaseCommand.input.parse({ env: "staging", set: ["TOP_K=1"] }), context);
  await promoteCommand.run({ from: "staging", to: "production", allowDirty: false }, context);
  const { activation, ...release } = await readActive(await context.store(), "handbook", "production");
  const runtime = await openRuntime(context, { release, environment: "production", attachments: activation.attachments, emit: () => {} });
  await runtime.close();
  expect(seen.splice(0)).toEqual(["staging", "production", "production"].map((name) => ({ API_KEY: `hush-${name}` })));
  await evalCommand.run(evalCommand.input.parse({ env: "staging" }), context);
  // Once to search, once to compare.
  expect(seen.splice(0)).toEqual(["staging", "staging"].map((name) => ({ API_KEY: `hush-${name}` })));
});

it("outside every environment there are no secrets but those of the process", async () => {
  const { context, seen } = await app();
  const release = await readRelease(await context.store(), "handbook", "v1");
  const runtime = await openRuntime(context, { release, environment: null, emit: () => {} });
  await runtime.close();
  expect(seen).toEqual([{}]);
});

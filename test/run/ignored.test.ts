import { expect, it, onTestFinished } from "vitest";
import { readActive } from "../../src/release/read.ts";
import { openRuntime } from "../../src/run/apply.ts";
import type { ModelCallEvent } from "../../src/run/schema.ts";
import { startChatServer } from "../helpers/chat-server.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { makeRelease, manifest } from "./release.ts";

it("asks a model that takes no temperature without it, warns of that at the start, and logs what was really sent", async () => {
  const server = await startChatServer({ dialect: "anthropic", key: "sk-ant-0123456789" });
  onTestFinished(() => server.close());
  const env = { ANTHROPIC_BASE_URL: server.url, ANTHROPIC_API_KEY: "sk-ant-0123456789", CHAT_MODEL: "anthropic:claude-5" };
  const context = await testContext({ dir: await temporaryFolder(), env });
  await makeRelease(context, manifest.replace('model: "${CHAT_MODEL}",', 'model: "${CHAT_MODEL}", temperature: 0.2,'));
  const { activation, ...release } = await readActive(await context.store(), "handbook", "staging");
  const events: ModelCallEvent[] = [];
  const warned = context.told.length;
  const runtime = await openRuntime(context, { release, environment: "staging", attachments: activation.attachments, agents: ["support"], emit: (event) => events.push(event) });
  onTestFinished(() => runtime.close());
  expect(context.told.slice(warned)).toEqual(["warn Agent support: anthropic:claude-5 takes no temperature; temperature 0.2 is left out when it is asked"]);
  const parts = await Array.fromAsync(runtime.answer({ agent: "support", messages: [{ role: "user", content: "How large?" }], variables: {}, isStream: false, traceId: "0".repeat(32), signal: context.signal, temperature: 0.7 }));
  expect(parts.at(-1)).toMatchObject({ type: "end", answer: { text: "A body may be one mebibyte large." } });
  expect(server.requests[0]?.body).not.toHaveProperty("temperature");
  expect(events).toMatchObject([{ "gen_ai.request.temperature": null, "gen_ai.request.model": "claude-5" }]);
});

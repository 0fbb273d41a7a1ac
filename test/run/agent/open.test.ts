import { expect, it } from "vitest";
import { chat, newKind, startServer } from "../http/runs-fixture.ts";
import { fakeTool, replies } from "./fixture.ts";

it("counts the runs that no request waits for", async () => {
  const gate = Promise.withResolvers<void>();
  const look = fakeTool("look_up", () => gate.promise.then(() => ({ content: "found", isError: false })));
  const server = await startServer(replies({ call: [["look_up", "{}"]] }, "Done."), { kind: newKind(), tools: [look], startMs: 60_000 });
  const answered = chat(server.url, false);
  await expect.poll(() => look.calls.length, { timeout: 60_000 }).toBe(1);
  expect(server.agents.running()).toBe(0);
  await server.post("", { input: "go", id: "r" });
  await expect.poll(() => look.calls.length, { timeout: 60_000 }).toBe(2);
  expect(server.agents.running()).toBe(1);
  gate.resolve();
  expect((await answered).status).toBe(200);
  await server.when("r", "completed");
  await expect.poll(() => server.agents.running()).toBe(0);
});

import { expect, it, onTestFinished } from "vitest";
import { TwelveError } from "../../../src/core/errors.ts";
import { workInBackground } from "../../../src/run/agent/work.ts";
import type { RunEngine } from "../../../src/ports/runs.ts";
import { chat, newKind, startServer } from "../http/runs-fixture.ts";
import { fakeTool, replies } from "./fixture.ts";

it("tells whoever asks an agent whose tool is away, and lets its runs wait for it", async () => {
  let missing: TwelveError | undefined = new TwelveError("PROCESS_NOT_READY", "The agent support cannot answer yet: its tool orders is away", { retry: { afterMs: null } });
  const server = await startServer(replies({ call: [["orders", "{}"]] }, "Done."), { tools: [fakeTool("orders", () => "ok")], away: () => missing });
  const refused = await chat(server.url, false);
  expect([refused.status, refused.headers.get("retry-after"), await refused.json()]).toMatchObject([503, "1", { error: { code: "not_ready", message: expect.stringContaining("its tool orders is away") } }]);
  expect((await server.get("")).body.data).toEqual([]);
  await server.post("", { input: "go", id: "r" });
  await expect.poll(async () => (await server.get("/r")).body.status, { timeout: 20_000 }).toBe("running");
  expect(server.agents.asked).toHaveLength(0);
  missing = undefined;
  expect(await server.when("r", "completed")).toMatchObject({ output: "Done." });
  expect((await chat(server.url, false)).status).toBe(200);
});

it("lets nobody wait for a run that a worker has given back", async () => {
  const kind = newKind();
  const tools = [fakeTool("orders", () => "ok")];
  const [worker, web] = [await startServer(replies("Done."), { kind, tools, away: () => new TwelveError("PROCESS_NOT_READY", "away") }), await startServer(replies(), { kind, tools, works: false })];
  const refused = await chat(web.url, false);
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: "run_not_taken", message: "No process can go on with this run for now, so it was cancelled" } }]);
  expect((await web.get(`/${refused.headers.get("x-run-id")}`)).body).toMatchObject({ status: "cancelled" });
  expect(worker.agents.asked).toHaveLength(0);
});

it("says that a run is over, also where the last that it told is that a worker gave it back", async () => {
  const kind = newKind();
  const tools = [fakeTool("orders", () => "ok")];
  await startServer(replies("Done."), { kind, tools, away: () => new TwelveError("PROCESS_NOT_READY", "away") });
  const web = await startServer(replies(), { kind, tools, works: false });
  const ask = (): Promise<Response> => fetch(`${web.url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", "idempotency-key": "k-1" }, body: JSON.stringify({ model: "support", messages: [{ role: "user", content: "Hi" }] }) });
  const refused = await ask();
  expect([refused.status, await refused.json()]).toMatchObject([503, { error: { code: "run_not_taken", message: expect.stringContaining("still waits") } }]);
  await web.post(`/${refused.headers.get("x-run-id")}/cancel`, {});
  const over = await ask();
  expect([over.status, await over.json()]).toMatchObject([409, { error: { code: "run_cancelled" } }]);
});

it("is ready when runs can be begun", async () => {
  const { promise: prepared, resolve: prepare } = Promise.withResolvers<void>();
  const engine = {
    url: "postgres://state",
    async work(_: unknown, { onReady, signal }: Parameters<RunEngine["work"]>[1]) {
      await prepared;
      onReady();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
  } as RunEngine;
  const work = workInBackground(engine, { kind: "k", handler: () => Promise.resolve(null), concurrency: 3, story: { note: () => {}, warn: () => {} } });
  onTestFinished(() => work.stop());
  await expect(work.check(AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
  prepare();
  expect(await work.check()).toEqual({ version: null, detail: "3 from the queue at a time" });
});

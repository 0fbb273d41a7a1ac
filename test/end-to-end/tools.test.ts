import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { expect, it, onTestFinished } from "vitest";
import { binary, twelve } from "../helpers/binary.ts";
import { gitApp } from "../helpers/git-app.ts";
import { listening } from "../helpers/listen.ts";
import { shopHttp } from "../helpers/mcp-server.ts";

it("asks an MCP server whether it is there, and refuses the address of a cloud's metadata", async () => {
  const url = `http://127.0.0.1:${await listening(shopHttp().server)}/mcp`;
  const cwd = await gitApp({
    "twelve.yaml": `name: shop\nagents:\n  support: { prompt: answer, model: "mock:echo", tools: [server, metadata] }\ntools:\n  server: { mcp: "${url}" }\n  metadata: { http: "http://169.254.169.254/latest/meta-data", description: Metadata }\n`,
    "prompts/answer.prompt": "{{question}}\n",
  });
  const { exitCode, stdout } = await twelve(["services", "check", "--json"], { cwd });
  const { services } = JSON.parse(stdout) as { readonly services: readonly { readonly service: string; readonly version: string | null; readonly problem: { readonly code: string } | null }[] };
  expect(services.filter(({ service }) => service.includes("tool")).map(({ service, version, problem }) => [service, version, problem?.code])).toEqual([
    ["address of tool server", "shop 1.2.3", undefined],
    ["address of tool metadata", null, "ADDRESS_REFUSED"],
  ]);
  expect(exitCode).toBe(6);
});

it("packs the thread that loads a module of the application, with its types stripped by Node", async () => {
  const dir = await gitApp({ "order.ts": 'export default { description: "Finds", parameters: { type: "object" }, execute: ({ id }: { readonly id: string }): object => ({ id, key: process.env["KEY"] }) };\n' });
  const worker = new Worker(join(binary, "../../dist/tool-module.worker.js"), { workerData: { file: join(dir, "order.ts") }, env: { KEY: "k" } });
  onTestFinished(async () => void (await worker.terminate()));
  expect(await once(worker, "message")).toEqual([{ type: "loaded", tool: { description: "Finds", parameters: { type: "object" } } }]);
  worker.postMessage({ type: "call", id: 1, given: { id: "A-1" }, facts: {} }, []);
  expect(await once(worker, "message")).toEqual([{ type: "result", id: 1, result: { content: '{"id":"A-1","key":"k"}', isError: false } }]);
});

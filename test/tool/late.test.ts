import { expect, it, vi } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { parseManifest } from "../../src/manifest/read.ts";
import type { SourceTool, ToolPlace, ToolSource } from "../../src/ports/tool.ts";
import { openTools } from "../../src/tool/read.ts";

const manifest = parseManifest('name: shop\ntools:\n  here: { command: here }\n  orders: { mcp: "http://shop/mcp" }\n');
const away = (message: string): TwelveError => new TwelveError("SERVICE_UNAVAILABLE", message, { retry: { afterMs: null } });
const source = (name: string, log: string[]): ToolSource => {
  const tools: readonly SourceTool[] = [{ ...(name === "orders" ? { name: "find" } : {}), call: () => Promise.resolve({ content: "", isError: false }) }];
  return { tools: () => tools, check: () => Promise.resolve({ version: "shop 1" }), close: () => Promise.resolve(void log.push(`close ${name}`)) };
};

/** With one server of tools that fails so often, and then is there. */
function opening(failures: readonly Error[]) {
  const log: string[] = [];
  const left = [...failures];
  const openTool = ({ name }: ToolPlace): Promise<ToolSource> => {
    const failure = name === "orders" ? left.shift() : undefined;
    return failure === undefined ? Promise.resolve(source(name, log)) : Promise.reject(failure);
  };
  const later = { story: { note: (message: string) => void log.push(message), warn: (message: string) => void log.push(message) }, firstPauseMs: 1 };
  return { log, open: () => openTools({ env: {}, openTool }, { manifest, names: ["here", "orders"], folder: "/code", values: {}, later }) };
}

it("goes on without a server that is away, opens it later and later, and tells each change once", async () => {
  const { log, open } = opening([away("No answer"), away("No answer"), away("Still starting")]);
  const tools = await open();
  expect(tools.of(["here", "orders"]).map(({ name }) => name)).toEqual(["here"]);
  expect(tools.away(["orders"])).toMatchObject({ name: "orders", failure: { message: "No answer" } });
  expect(tools.away(["here"])).toBeUndefined();
  await expect(tools.sources[1]?.service.check()).rejects.toThrow("No answer");
  await vi.waitFor(() => expect(tools.away(["orders"])).toBeUndefined(), { timeout: 10_000, interval: 5 });
  expect(tools.of(["here", "orders"]).map(({ name }) => name)).toEqual(["here", "orders_find"]);
  expect(await tools.sources[1]?.service.check()).toEqual({ version: "shop 1" });
  const told = (why: string): string => `The tool orders is away, and agents that use it cannot answer until it is there: ${why}`;
  expect(log).toEqual([told("No answer"), told("Still starting"), "The tool orders is there"]);
  await tools.close();
  expect(log.slice(3).toSorted()).toEqual(["close here", "close orders"]);
});

it("is closed while it waits", async () => {
  const { log, open } = opening([away("No answer")]);
  const tools = await open();
  await tools.close();
  expect(log.slice(1)).toEqual(["close here"]);
});

it("does not wait for what is wrong", async () => {
  const { open } = opening([new TwelveError("TOOL_INVALID", "There is no such program")]);
  await expect(open()).rejects.toThrow("There is no such program");
});

import { describe, expect, it } from "vitest";
import { TwelveError } from "../../src/core/errors.ts";
import { parseManifest } from "../../src/manifest/read.ts";
import type { SourceTool, ToolPlace, ToolSource } from "../../src/ports/tool.ts";
import { openTools } from "../../src/tool/read.ts";
import { callOptions } from "../helpers/tools.ts";

const manifest = parseManifest('name: shop\ntools:\n  one: { command: one }\n  two: { command: two, parameters: { type: object, properties: { n: { type: integer } } } }\n  three: { mcp: "http://shop/mcp" }\n');

/** Opens what it is told, and notes what happens. */
function opening(failures: Readonly<Record<string, Error>> = {}) {
  const seen: string[] = [];
  const openTool = ({ name }: ToolPlace): Promise<ToolSource> => {
    seen.push(`open ${name}`);
    const failure = failures[name];
    if (failure !== undefined) return Promise.reject(failure);
    const tools: readonly SourceTool[] = [{ ...(name === "three" ? { name: "a" } : {}), call: (given) => Promise.resolve({ content: JSON.stringify(given), isError: false }) }];
    return Promise.resolve({
      tools: () => tools,
      check: () => Promise.resolve({ version: null }),
      close: () => Promise.resolve(void seen.push(`close ${name}`)),
    });
  };
  return { seen, open: (names: readonly string[]) => openTools({ env: {}, openTool }, { manifest, names, folder: "/code", values: {} }) };
}

describe("the tools of a process", () => {
  it("are opened once each, and given to every agent that names them", async () => {
    const { seen, open } = opening();
    const opened = await open(["one", "three", "one"]);
    expect(seen).toEqual(["open one", "open three"]);
    expect([opened.of(["three"]), opened.of(["one", "three"]), opened.of(["two"])].map((tools) => tools.map(({ name }) => name))).toEqual([["three_a"], ["one", "three_a"], []]);
    expect(opened.of(["one"])[0]).toBe(opened.of(["one", "three"])[0]);
    await opened.close();
    expect(seen.slice(2)).toEqual(["close one", "close three"]);
  });

  it("are all closed where one cannot be opened, and what stays wrong is told before what may pass", async () => {
    const away = new TwelveError("SERVICE_UNAVAILABLE", "away", { retry: { afterMs: null } });
    const wrong = new TwelveError("TOOL_INVALID", "wrong");
    const { seen, open } = opening({ one: away, two: wrong });
    await expect(open(["one", "two", "three"])).rejects.toBe(wrong);
    expect(seen).toEqual(["open one", "open two", "open three", "close three"]);
    await expect(opening({ one: away }).open(["one"])).rejects.toBe(away);
  });

  it("are not called with arguments that do not fit, nor after the caller has left", async () => {
    const [tool] = (await opening().open(["two"])).of(["two"]);
    expect(await tool?.call({ n: 1, other: true }, callOptions)).toEqual({ content: '{"n":1,"other":true}', isError: false });
    for (const [given, why] of [[{ n: "1" }, "n: Expected integer"], [null, "Expected object"], [[], "Expected object"]] as const) expect(await tool?.call(given, callOptions)).toEqual({ content: `The arguments do not fit: ${why}`, isError: true });
    await expect(tool?.call({}, { ...callOptions, signal: AbortSignal.abort(new Error("gone")) })).rejects.toThrow("gone");
  });

  it("are those that the manifest declares", async () => {
    await expect(opening().open(["tow"])).rejects.toMatchObject({ code: "TOOL_INVALID", message: 'There is no tool "tow". Did you mean "two"?' });
  });

  it.each([
    [{ type: "strin" }, /^The `parameters` of own.ts, the module of tool own, cannot be used. Expected the JSON Schema of an object/],
    [{ type: "object", properties: { n: { type: "intger" } } }, /Not valid JSON Schema: type must be .*intger/],
  ])("have no schema that nothing can be checked by, where a module wrote it: %j", async (parameters, message) => {
    const { tools } = parseManifest("name: shop\ntools: { own: { module: own.ts } }\n");
    const openTool = (): Promise<ToolSource> => Promise.resolve({ tools: () => [{ parameters, call: () => Promise.reject(new Error("called")) }], check: () => Promise.resolve({ version: null }), close: () => Promise.resolve() });
    await expect(openTools({ env: {}, openTool }, { manifest: { ...manifest, tools }, names: ["own"], folder: "/code", values: {} })).rejects.toMatchObject({ code: "TOOL_INVALID", message: expect.stringMatching(message) });
  });
});

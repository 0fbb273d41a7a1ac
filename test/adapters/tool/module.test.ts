import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it, vi } from "vitest";
import { openModule } from "../../../src/adapters/tool/module/adapter.ts";
import { writeFiles } from "../../helpers/git-app.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { callOptions, sourceOptions, openedTool, type ToolApp } from "../../helpers/tools.ts";

const order = `
import { z } from "zod";

interface Order { readonly id: string; readonly total: number }
const orders: Record<string, Order> = { "A-1": { id: "A-1", total: 12 } };

export default {
  description: "Looks an order up",
  parameters: z.object({ id: z.string().regex(/^[A-Z]-[0-9]+$/).describe("Order number"), currency: z.enum(["EUR", "USD"]).default("EUR"), not: z.string().transform((text) => text.length).optional() }).refine(({ id }) => id !== "X-0", { path: ["id"], error: "X-0 is for tests" }),
  execute({ id, currency, not }: { id: string; currency: string; not?: number }): object {
    const found = orders[id];
    if (found === undefined) throw new Error(\`There is no order \${id}\`);
    return { ...found, currency, ...(not === undefined ? {} : { not }) };
  },
};
`;

const declared = "order: { module: tools/order.ts }";
const withOrder: ToolApp = { files: { "tools/order.ts": order } };
const plain = (body: string): string => `export default { description: "Does it", parameters: { type: "object", properties: { what: { type: "string" } } }, async execute(given, context) { ${body} } };`;
const moduleTool = (body: string, app: ToolApp = {}, more = "") => openedTool(`own: { module: own.js${more} }`, { ...app, files: { "own.js": plain(body), ...app.files } });

async function limited(body: string, timeoutMs: number) {
  const folder = await temporaryFolder();
  writeFiles(folder, { "own.js": plain(body) });
  const source = await openModule({ kind: "module", name: "own", file: "own.js", folder, env: {}, timeoutMs }, { loadMs: 30_000, deafMs: 50, memoryMb: 32 });
  return { source, tool: source.tools()[0] };
}

describe("a tool that is a module", () => {
  it("is a TypeScript file with a Zod schema of the application's own, whose arguments it parses", async () => {
    const tool = await openedTool(declared, withOrder);
    expect(tool).toMatchObject({ name: "order", description: "Looks an order up", isIdempotent: true, needsApproval: false });
    expect(tool.parameters).toMatchObject({ type: "object", properties: { id: { type: "string", description: "Order number" }, currency: { default: "EUR", enum: ["EUR", "USD"] } }, required: ["id"] });
    expect(await tool.call({ id: "A-1", not: "three" }, callOptions)).toEqual({ content: '{"id":"A-1","total":12,"currency":"EUR","not":5}', isError: false });
  });

  it("tells the model which field is wrong, by the JSON Schema and by what only Zod can check", async () => {
    const tool = await openedTool(declared, withOrder);
    expect(await tool.call({ id: 1, currency: "CHF" }, callOptions)).toEqual({ content: 'The arguments do not fit: id: Expected string; currency: Expected one of "EUR", "USD"', isError: true });
    expect(await tool.call({}, callOptions)).toEqual({ content: "The arguments do not fit: id: Missing; the schema requires it", isError: true });
    expect(await tool.call({ id: "X-0" }, callOptions)).toEqual({ content: "id: X-0 is for tests", isError: true });
  });

  it("gives what the module throws to the model, without a stack", async () => {
    const tool = await openedTool(declared, withOrder);
    expect(await tool.call({ id: "B-2" }, callOptions)).toEqual({ content: "There is no order B-2", isError: true });
  });

  it("takes JavaScript with a JSON Schema, and the manifest's word before the module's", async () => {
    const files = { "own.js": plain("return `${given.what} by ${context.agent} for ${context.user}, ${context.callId}, ${context.run}, ${context.traceparent}, ${context.signal.aborted}`;") };
    const tool = await openedTool('own: { module: own.js, description: "Better", approve: true, idempotent: false, parameters: { type: object, properties: { what: { type: string, maxLength: 3 } } } }', { files });
    expect(tool).toMatchObject({ description: "Better", needsApproval: true, isIdempotent: false });
    expect(await tool.call({ what: "ask" }, callOptions)).toEqual({ content: `ask by support for ann, run-1/step-2, run-1, ${callOptions.traceparent}, false`, isError: false });
    expect(await tool.call({ what: "long" }, callOptions)).toMatchObject({ isError: true, content: expect.stringContaining("what: ") });
  });

  it("has the secrets and the configuration in its environment, apart from that of the server, and repeats none in an error", async () => {
    const values = { SHOP_KEY: "s3cret-value", TOP: "5", UNSET: undefined };
    const tool = await moduleTool("process.env.LEAK = '1'; if (given.what) throw new Error(`with ${process.env.SHOP_KEY}`); return [process.env.SHOP_KEY, process.env.TOP, process.env.OUTER, 'UNSET' in process.env];", { values, env: { OUTER: "yes", UNSET: "set outside" }, config: "config: { SHOP_KEY: { kind: secret } }" });
    expect(await tool.call({}, callOptions)).toEqual({ content: '["s3cret-value","5","yes",false]', isError: false });
    expect(await tool.call({ what: "fail" }, callOptions)).toEqual({ content: "with [secret]", isError: true });
    expect(process.env["LEAK"]).toBeUndefined();
  });

  it("writes to stderr, and not into the log, which is stdout", async () => {
    const written: string[] = [];
    const [out, error] = [vi.spyOn(process.stdout, "write"), vi.spyOn(process.stderr, "write").mockImplementation((text) => written.push(String(text)) > 0)];
    const tool = await moduleTool("console.log('from the console'); process.stdout.write('from the module'); return 'done';");
    await tool.call({}, callOptions);
    while (!/from the console[^]*from the module/.test(written.join(""))) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(out.mock.calls.flat().join("")).not.toContain("from the");
    out.mockRestore();
    error.mockRestore();
  });

  it("keeps no process alive that has nothing else to do", async () => {
    const folder = await temporaryFolder();
    const adapter = join(import.meta.dirname, "../../../src/adapters/tool/module/adapter.ts");
    const place = { kind: "module", name: "own", file: "own.js", folder, env: {}, timeoutMs: 60_000 };
    writeFiles(folder, { "own.js": plain("return 'done';"), "main.mjs": `import { openModule } from ${JSON.stringify(adapter)};\nconst source = await openModule(${JSON.stringify(place)});\nprocess.stdout.write((await source.tools()[0].call({}, { signal: new AbortController().signal })).content);\n` });
    expect(await execa(process.execPath, [join(folder, "main.mjs")], { timeout: 30_000 })).toMatchObject({ exitCode: 0, stdout: "done" });
  });

  it("answers many calls at the same time in one thread", async () => {
    const tool = await moduleTool("globalThis.now = (globalThis.now ?? 0) + 1; await new Promise((resolve) => { (globalThis.all ??= []).push(resolve); if (globalThis.now === 5) globalThis.all.forEach((each) => each()); }); return globalThis.now;");
    const results = await Promise.all([1, 2, 3, 4, 5].map(() => tool.call({}, callOptions)));
    expect(results.map(({ content }) => content)).toEqual(["5", "5", "5", "5", "5"]);
  });

  it("is stopped in a loop without an end, and loaded anew for the next call", async () => {
    const { source, tool } = await limited("if (given.what === 'loop') for (;;); return 'fine';", 300);
    expect(await tool?.call({ what: "loop" }, sourceOptions)).toEqual({ content: "The tool was stopped: it did not finish within 0.3 s. What it has done by then is unknown", isError: true, isUnknown: true });
    const next = async (): Promise<string> => (await tool?.call({}, sourceOptions))?.content ?? "";
    let content = await next();
    while (content !== "fine") content = await next();
    await source.close();
  });

  it("is ended where it takes more memory than it may", async () => {
    const { source, tool } = await limited("const all = []; for (;;) all.push(new Array(1e5).fill(all.length));", 60_000);
    expect(await tool?.call({}, sourceOptions)).toMatchObject({ isError: true, content: expect.stringContaining("memory") });
    await source.close();
  });

  it("ends with the caller's reason, and the module hears of it", async () => {
    const tool = await moduleTool("if (given.what) return globalThis.heard ?? 'nothing'; globalThis.heard = 'called'; await new Promise((resolve) => context.signal.addEventListener('abort', () => { globalThis.heard = 'aborted'; resolve(); }));");
    const controller = new AbortController();
    const call = tool.call({}, { ...callOptions, signal: controller.signal });
    while ((await tool.call({ what: "now" }, callOptions)).content !== "called");
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
    expect(await tool.call({ what: "now" }, callOptions)).toEqual({ content: "aborted", isError: false });
  });

  it.each([
    ["process.exit(3)", "it ended its thread with exit code 3"],
    ["setTimeout(() => { throw new Error('thrown later'); }); await new Promise(() => {});", "thrown later"],
    ["Promise.reject(new Error('rejected later')); await new Promise(() => {});", "rejected later"],
  ])("may end by itself, %s, and the server goes on", async (body, why) => {
    const tool = await moduleTool(`if (given.what) return 'fine'; ${body}`);
    expect(await tool.call({}, callOptions)).toMatchObject({ isError: true, isUnknown: true, content: expect.stringContaining(why) });
    expect(await tool.call({ what: "again" }, callOptions)).toEqual({ content: "fine", isError: false });
  });

  it.each([
    ["text", "return 'as it is';", "as it is"],
    ["nothing", "", "null"],
    ["what JSON has no form for", "return 1n;", "BigInt"],
    ["far too much", "return 'x'.repeat(2 ** 21);", "larger than 1024 KiB"],
  ])("may give %s", async (_, body, content) => {
    expect((await (await moduleTool(body)).call({}, callOptions)).content).toContain(content);
  });

  it.each([
    ["is not there", {}, /^The module own\.js of tool own does not exist/],
    ["does not parse", { "own.js": "export default {" }, /of tool own cannot be used: Unexpected/],
    ["is TypeScript that is more than types", { "own.js": 'export { default } from "./other.ts";', "other.ts": "enum Colour { Red }\nexport default { execute() { return Colour.Red; } };" }, /enum is not supported in strip-only mode \(other\.ts:1\)$/],
    ["has no tool as its default export", { "own.js": "export const x = 1;" }, /no default export that is a tool/],
    ["has nothing to execute", { "own.js": "export default { run() {} };" }, /`execute` of its default export is no function/],
    ["throws", { "own.js": "throw new Error('no database');" }, /^The module own\.js of tool own cannot be used: no database \(own\.js:1\)$/],
    ["wants a package that is not installed", { "own.js": 'import "not-installed-here";' }, /Cannot find package 'not-installed-here' imported from own\.js$/],
  ])("is refused where it %s", async (_, files, message) => {
    const app = files as Readonly<Record<string, string>>;
    await expect(openedTool("own: { module: own.js }", { files: app })).rejects.toMatchObject({ code: "TOOL_INVALID", message: expect.stringMatching(message) });
  });
});

it.each([
  ["npm install", { "own.js": 'import "not-installed-here";' }, "Run `npm install not-installed-here` in the application's folder"],
  ["npm install, for a part of a scoped package", { "own.js": 'import "@acme/tools/order.js";' }, "Run `npm install @acme/tools` in the application's folder"],
  ["the kind of its package, where a folder above says another", { "own.js": 'import "node:fs";', "package.json": '{ "type": "commonjs" }' }, 'Add `"type": "module"` to the package.json of the application'],
])("that cannot be loaded says how to mend it: %s", async (_, files, fix) => {
  const folder = await temporaryFolder();
  writeFiles(folder, files);
  await expect(openModule({ kind: "module", name: "own", file: "own.js", folder, env: {}, timeoutMs: 1000 })).rejects.toMatchObject({ code: "TOOL_INVALID", fix });
});

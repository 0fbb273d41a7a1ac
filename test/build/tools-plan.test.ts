import { describe, expect, it } from "vitest";
import command from "../../src/build/check-command.ts";
import { checkPrograms, checkTools } from "../../src/build/tools-plan.ts";
import { parseManifest } from "../../src/manifest/read.ts";
import { testContext } from "../helpers/context.ts";
import { gitApp, smallApp } from "../helpers/git-app.ts";

const manifest = (tool: string) => parseManifest(`name: shop\nconfig: { SHOP: { kind: attachment } }\ntools: { own: ${tool} }\n`);
const id = "parameters: { type: object, properties: { id: { type: string } }, required: [id] }";
const packaged = ["tools/order.ts", "twelve.yaml"];

const problems: readonly (readonly [string, string, readonly string[]])[] = [
  ["a module that is packaged", "{ module: ./tools/order.ts }", []],
  ["a module that is not", "{ module: tools/oder.ts }", ['tools.own.module A build would package no tools/oder.ts, and a release has only what its build packaged. Did you mean "tools/order.ts"? Write the file and run `git add tools/oder.ts`; `code:` must not leave it out']],
  ["a module outside of the code", "{ module: ../order.ts }", [expect.stringContaining("A build would package no ../order.ts")]],
  ["a module in another language", "{ module: tools/order.py }", ["tools.own.module Expected a .ts or .js file, found tools/order.py"]],
  ["a command whose file is packaged", "{ command: node tools/order.ts --fast }", []],
  ["a command whose file is not", "{ command: node tools/oder.ts }", [expect.stringContaining('tools.own.command A build would package no tools/oder.ts, and a release has only what its build packaged. Did you mean "tools/order.ts"?')]],
  ["an MCP server whose file is not packaged", '{ mcp: "stdio:python3 tools/notes.py" }', [expect.stringContaining("tools.own.mcp A build would package no tools/notes.py")]],
  ["an MCP server at an address", '{ mcp: "https://host/tools/notes.py" }', []],
  ["a good schema", `{ command: x, ${id} }`, []],
  ["a schema of something else than an object", "{ command: x, parameters: { type: string } }", ["tools.own.parameters Expected the JSON Schema of an object: arguments have names. Begin with `type: object`"]],
  ["a schema that is none", "{ command: x, parameters: { type: object, properties: { id: { type: strin } } } }", [expect.stringContaining("tools.own.parameters Not valid JSON Schema")]],
  ["a schema with a slip", "{ command: x, parameters: { type: object, propertes: {} } }", ['tools.own.parameters Not valid JSON Schema: unknown keyword "propertes"']],
  ["an address whose argument is declared", `{ http: "\${SHOP}/orders/{id}", ${id} }`, []],
  ["an address without a schema", '{ http: "https://shop/{id}" }', []],
  ["an address whose argument is not declared", `{ http: "https://shop/{idd}", ${id} }`, ['tools.own.http {idd} is no parameter. Did you mean "id"? Declared: id']],
  ["an argument of the address that may be missing", '{ http: "https://shop/{id}", parameters: { type: object, properties: { id: {} } } }', ["tools.own.parameters id is part of the address, so it must be `required`"]],
  ["an argument that would choose the host", '{ http: "https://{id}.shop/" }', ["tools.own.http An argument cannot choose the host: {name} may stand only behind it"]],
];

describe("tools", () => {
  it.each(problems)("are checked against %s", (_, tool, expected) => {
    expect(checkTools(manifest(tool), packaged).problems.map(({ path, message }) => `${path} ${message}`)).toEqual(expected);
  });

  it("are better described", () => {
    expect(checkTools(manifest("{ command: x }"), []).warnings.map(({ path }) => path)).toEqual(["tools.own.command"]);
    expect(checkTools(manifest('{ http: "https://shop", description: Shops }'), []).warnings).toEqual([]);
  });

  it("are looked at by a check, which names the line", async () => {
    const context = await testContext({ dir: await gitApp({ ...smallApp, "twelve.yaml": `${String(smallApp["twelve.yaml"])}tools:\n  order: { module: tools/order.ts }\n` }) });
    await expect(command.run({ strict: false }, context)).rejects.toMatchObject({ code: "TOOL_INVALID", problems: [{ file: "twelve.yaml", line: 5, path: "tools.order.module" }] });
  });
});

describe("programs of process types", () => {
  it("are among the packaged files", () => {
    const { processes } = parseManifest("name: shop\nprocesses: { clock: { command: python clok.py }, other: { command: python clock.py } }\n");
    expect(checkPrograms({ processes }, ["clock.py"])).toEqual([{ file: "twelve.yaml", path: "processes.clock.command", message: expect.stringContaining('A build would package no clok.py, and a release has only what its build packaged. Did you mean "clock.py"?') }]);
  });
});

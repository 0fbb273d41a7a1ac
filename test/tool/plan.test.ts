import { describe, expect, it } from "vitest";
import { parseManifest } from "../../src/manifest/read.ts";
import { planTool } from "../../src/tool/plan.ts";

const config = "{ SHOP: { kind: attachment }, KEY: { kind: secret }, NOTE: { optional: true } }";
function planned(tool: string, values: Readonly<Record<string, string>> = {}) {
  const declared = parseManifest(`name: shop\nconfig: ${config}\ntools: { own: ${tool} }\n`).tools["own"];
  if (declared === undefined) throw new Error("No tool");
  return planTool("own", declared, { folder: "/code", values, env: { OUTER: "1", ...values } });
}

describe("where a tool is", () => {
  it("is in the code, in the environment of the release", () => {
    expect(planned("{ module: tools/order.ts, timeoutSeconds: 5 }", { KEY: "k" })).toEqual({ kind: "module", name: "own", timeoutMs: 5000, file: "tools/order.ts", folder: "/code", env: { OUTER: "1", KEY: "k" } });
    expect(planned('{ command: "run \\"$NOTE\\"" }', { NOTE: "$(rm)" })).toMatchObject({ kind: "command", command: 'run "$NOTE"', env: { NOTE: "$(rm)" }, timeoutMs: 60_000 });
  });

  it("is at the address that the environment attaches, with the secrets in its headers", () => {
    expect(planned('{ http: "${SHOP}/{id}", method: GET, headers: { Authorization: "Bearer ${KEY}" } }', { SHOP: "https://shop", KEY: "k" })).toEqual({ kind: "http", name: "own", timeoutMs: 60_000, url: "https://shop/{id}", method: "GET", headers: { Authorization: "Bearer k" }, isPrivateAllowed: false });
    expect(planned('{ mcp: "${SHOP}", allowPrivate: true }', { SHOP: "http://shop/mcp" })).toMatchObject({ kind: "mcp", server: { url: "http://shop/mcp" }, isPrivateAllowed: true });
  });

  it("is a program with words that the environment's values cannot break", () => {
    expect(planned(`{ mcp: "stdio:npx -y 'my server' --dir \${NOTE}" }`, { NOTE: "a b; rm" })).toMatchObject({ server: { command: ["npx", "-y", "my server", "--dir", "a b; rm"] } });
    expect(planned('{ mcp: "${SHOP}" }', { SHOP: "stdio:node server.js" })).toMatchObject({ server: { command: ["node", "server.js"] } });
  });

  it.each([
    ["a key without a value", '{ http: "${SHOP}/x", headers: { A: "${KEY}" } }', {}, { problems: [{ path: "tools.own.http", message: "SHOP is not set" }, { path: "tools.own.headers.A", message: "KEY is not set" }], fix: expect.stringContaining("Set SHOP, KEY") }],
    ["a value that is no address", '{ mcp: "${SHOP}" }', { SHOP: "postgres://ann:secret@shop" }, { message: "The tool own has an address that is none" }],
    ["a value that leaves the host open", '{ http: "${SHOP}{id}/x" }', { SHOP: "https://" }, { message: "The tool own has an address that is none" }],
    ["a command of nothing", '{ mcp: "stdio: " }', {}, { message: "The tool own has no command behind stdio:" }],
  ])("is not known with %s", (_, tool, values, failure) => {
    expect(() => planned(tool, values as Readonly<Record<string, string>>)).toThrow(expect.objectContaining({ code: "CONFIG_INVALID", ...failure }));
  });
});

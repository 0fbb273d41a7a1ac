import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.ts";
import { ConfigDeclaration } from "../../src/manifest/schema.ts";

type Sources = Partial<Parameters<typeof resolveConfig>[1]>;

function resolve(declaration: object, sources: Sources = {}) {
  const { values, problems } = resolveConfig({ KEY: ConfigDeclaration.parse(declaration) }, { sets: {}, env: {}, ...sources });
  return { ...values["KEY"], problem: problems[0]?.message };
}
const provider = (values: Record<string, string>, ignored: readonly string[] = []) => ({
  provider: { reference: "dotenv:.env", values: Object.fromEntries(Object.entries(values).map(([key, text]) => [key, { text, source: "dotenv:.env" }])), ignored, places: Object.fromEntries(ignored.map((name) => [name, "dotenv:.env"])) },
});

describe("resolveConfig", () => {
  it("takes --set before the environment before the provider before the default", () => {
    const declaration = { default: "d" };
    const all = { sets: { KEY: "s" }, env: { KEY: "e" }, ...provider({ KEY: "p" }) };
    expect(resolve(declaration, all)).toEqual({ kind: "frozen", value: "s", source: "--set", problem: undefined });
    expect(resolve(declaration, { ...all, sets: {} })).toMatchObject({ value: "e", source: "environment" });
    expect(resolve(declaration, { ...all, sets: {}, env: {} })).toMatchObject({ value: "p", source: "dotenv:.env" });
    expect(resolve(declaration)).toMatchObject({ value: "d", source: "default" });
  });

  it.each([
    [{ type: "integer" }, "8", 8],
    [{ type: "number" }, "0.5", 0.5],
    [{ type: "number" }, "1e-3", 0.001],
    [{ type: "boolean" }, "false", false],
    [{ type: "string" }, "8", "8"],
    [{ type: "string" }, "", ""],
  ])("gives %j the text %j as %j", (declaration, text, value) => {
    expect(resolve(declaration, { env: { KEY: text } })).toEqual({ kind: "frozen", value, source: "environment", problem: undefined });
  });

  it.each([
    [{ type: "integer", default: 1 }, "1.5", 'Expected an integer, found 1.5 (from environment)'],
    [{ type: "integer", default: 1 }, "", 'Expected an integer, found "" (from environment)'],
    [{ type: "number", default: 1 }, "warm", 'Expected a number, found "warm" (from environment)'],
    [{ type: "number", default: 1, max: 2 }, "3", "Expected at most 2, found 3 (from environment)"],
    [{ type: "boolean", default: true }, "yes", 'Expected true or false, found "yes" (from environment)'],
    [{ enum: ["a", "b"], default: "a" }, "c", 'Expected one of a, b, found "c" (from environment)'],
  ])("refuses for %j the text %j instead of taking the default", (declaration, text, problem) => {
    expect(resolve(declaration, { env: { KEY: text } })).toEqual({ kind: "frozen", value: null, source: "environment", problem });
  });

  it("says where it looked for a required key", () => {
    expect(resolve({}, provider({})).problem).toBe("Required, but nothing sets it. Looked in --set, the process environment, dotenv:.env; it has no default");
    expect(resolve({}, provider({}, ["db/KEY", "b", "c", "d", "e"])).problem).toContain("dotenv:.env (what it holds as db/KEY, b, c and 2 more is no key: keys stand at its top, with a single value)");
    expect(resolve({ kind: "secret" }).problem).toBe("Required, but nothing sets it. Looked in the process environment");
  });

  it.each([{ default: "a" }, { optional: true }, { kind: "attachment", optional: true }])("refuses a list in the source for %j instead of passing over it", (declaration) => {
    const problem = "Expected a single value, a text, a number or true or false; it is a list, an object or null (from dotenv:.env)";
    expect(resolve(declaration, provider({}, ["KEY"])).problem).toBe(problem);
    expect(resolve(declaration, { env: { KEY: "redis://cache" }, ...provider({}, ["KEY"]) }).problem).toBeUndefined();
  });

  it("leaves an optional key without a value and without a source", () => {
    expect(resolve({ optional: true })).toEqual({ kind: "frozen", value: null, source: null, problem: undefined });
  });

  it("gives a secret's source and nowhere its value", () => {
    const secret = { kind: "secret", enum: ["a"], min: 3 };
    const resolved = resolve(secret, { env: { KEY: "sk-hush" } });
    expect(resolved).toEqual({ kind: "secret", value: null, source: "environment", problem: "Expected one of a (from environment)" });
    expect(JSON.stringify([resolved, resolve(secret, { sets: { KEY: "sk-hush" } })])).not.toContain("hush");
  });

  it("refuses a secret on the command line", () => {
    expect(resolve({ kind: "secret" }, { sets: { KEY: "sk-hush" } }).problem).toContain("A secret cannot be given with --set");
  });

  it.each(["secret", "attachment"])("looks further when a %s is set to nothing", (kind) => {
    const found = resolve({ kind }, { env: { KEY: "" }, ...provider({ KEY: "redis://cache" }) });
    expect(found).toMatchObject({ source: "dotenv:.env", problem: undefined });
  });

  it("wants a service URL for an attachment and does not repeat what it found", () => {
    expect(resolve({ kind: "attachment" }, { env: { KEY: "host=db password=pa55" } }).problem).toBe("Expected a service URL such as postgres://host/database (from environment)");
  });

  it("refuses to freeze a URL with credentials and does not repeat it", () => {
    const resolved = resolve({}, { env: { KEY: "https://me:pa55@host/v1#model" } });
    expect(resolved.problem).toContain("The URL holds credentials");
    expect(JSON.stringify(resolved)).not.toContain("pa55");
  });
});

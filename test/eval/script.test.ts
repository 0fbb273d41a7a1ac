import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { compileScript } from "../../src/eval/compile.ts";
import { openScripts } from "../../src/eval/script.ts";
import { temporaryFolder } from "../helpers/context.ts";

const context = { vars: { city: "Rome" }, metadata: { topic: "a" }, latencyMs: 5, cost: null, retrieved: [{ id: "c", document: "d.md", score: 1 }] };

async function runner(options: Parameters<typeof openScripts>[1] = {}) {
  const dir = await temporaryFolder();
  const scripts = openScripts(dir, options);
  onTestFinished(() => scripts.close());
  return { dir, run: (code: string, output = "Hello") => scripts.run({ code: compileScript(code) }, output, context), runFile: (path: string) => scripts.run({ path }, "Hello", context) };
}

describe("scripts", () => {
  it.each([
    ["output.length", { value: 5 }],
    ["output.length > 3;", { value: true }],
    ["// a comment\noutput.includes('H') &&\noutput.includes('o')", { value: true }],
    ["const n = output.length; return n / 10;", { value: 0.5 }],
    ["context.vars.city + context.metadata.topic + context.retrieved[0].document", { value: "Romead.md" }],
    ["({ pass: true, score: 0.5, reason: 'ok' })", { value: { pass: true, score: 0.5, reason: "ok" } }],
    ["await Promise.resolve(output === 'Hello')", { value: true }],
    ["missing.length", { error: "missing is not defined" }],
    ["0 / 0", { value: "NaN" }],
    ["undefined", { value: null }],
  ])("run %j", async (code, answer) => {
    const { run } = await runner();
    expect(await run(code)).toEqual(answer);
  });

  it("may be files, as modules and as CommonJS", async () => {
    const { dir, runFile } = await runner();
    await writeFile(join(dir, "a.mjs"), "export default (output, { vars }) => output + vars.city;");
    await writeFile(join(dir, "b.cjs"), "module.exports = (output) => ({ pass: output === 'Hello' });");
    await writeFile(join(dir, "c.mjs"), "export const named = 1;");
    expect(await runFile(join(dir, "a.mjs"))).toEqual({ value: "HelloRome" });
    expect(await runFile(join(dir, "b.cjs"))).toEqual({ value: { pass: true } });
    expect(await runFile(join(dir, "c.mjs"))).toEqual({ error: "The file exports no function by default" });
  });

  it("end at the time limit, and the next one runs", async () => {
    const { run } = await runner({ timeLimitMs: 300 });
    expect(await run("for (;;) {} return 1")).toEqual({ error: "The script took longer than 0.3 s" });
    const patient = await runner();
    expect(await patient.run("process.exit(3)")).toEqual({ error: "The script ended its process with exit code 3" });
    expect(await patient.run("output")).toEqual({ value: "Hello" });
  });

  it("see nothing of the caller's environment", async () => {
    process.env["TWELVE_TEST_SECRET"] = "s3cret";
    onTestFinished(() => void delete process.env["TWELVE_TEST_SECRET"]);
    const { run } = await runner();
    expect(await run("Object.keys(process.env).filter((key) => key.startsWith('TWELVE'))")).toEqual({ value: [] });
  });

  it("stop when the command is interrupted", async () => {
    const abort = new AbortController();
    const { run } = await runner({ signal: abort.signal });
    await run("1");
    const running = run("for (;;) {} return 1");
    abort.abort(new Error("Interrupted"));
    await expect(running).rejects.toThrow("Interrupted");
  });
});

import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const run = promisify(execFile);
const module = new URL("../../src/cli/line.ts", import.meta.url).href;

async function linesOf(script: string): Promise<readonly string[]> {
  const { stdout } = await run(process.execPath, ["--input-type=module", "--eval", `const { writeLine } = await import(${JSON.stringify(module)}); ${script}`]);
  return stdout.split("\n").slice(0, -1);
}

describe("writeLine", () => {
  it("writes the lines of one turn of the event loop at once", async () => {
    const counting = "const { write } = process.stdout; let writes = 0; process.stdout.write = (...given) => { writes++; return write.apply(process.stdout, given); };";
    expect(await linesOf(`${counting} writeLine("one"); writeLine("two"); setTimeout(() => { writeLine("three"); setImmediate(() => writeLine(String(writes))); }, 5);`)).toEqual(["one", "two", "three", "2"]);
  });

  it("has written every line when the process is ended in the same turn", async () => {
    const lines = Array.from({ length: 2000 }, (_, number) => `line ${number}`);
    expect(await linesOf("for (let i = 0; i < 2000; i++) writeLine('line ' + i); process.exit();")).toEqual(lines);
  });
});

describe("the log of a command", () => {
  const event = JSON.stringify({ event: "server-stopped", time: "2026-11-25T18:44:12.345Z", "twelve.environment": null, requests: 3 });
  const opened = (flags: object, env: object, isTerminal: boolean): string => `process.stdout.isTTY = ${isTerminal}; const { openWriteLine } = await import(${JSON.stringify(module)}); openWriteLine(${JSON.stringify(flags)}, ${JSON.stringify(env)})(${JSON.stringify(event)});`;

  it.each([
    ["is in words and colours on a terminal", {}, {}, true, "\u001b[2m18:44:12\u001b[22m  \u001b[33mserver-stopped\u001b[39m  requests=3"],
    ["has no colour with NO_COLOR", {}, { NO_COLOR: "1" }, true, "18:44:12  server-stopped  requests=3"],
    ["is JSON on a terminal with --json", { json: true }, {}, true, event],
    ["is JSON where a program reads it", {}, {}, false, event],
  ] as const)("%s", async (_, flags, env, isTerminal, expected) => {
    expect(await linesOf(opened(flags, env, isTerminal))).toEqual([expected]);
  });
});

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

import { spawn, spawnSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleanEnv, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";

const binary = join(import.meta.dirname, "../../bin/twelve.js");
const hasTerminal = spawnSync("script", ["--version"]).status === 0;

/** An application whose documents take long enough to cut and embed that something can be seen of it. */
async function largeApp(): Promise<string> {
  const { folder } = await twelveJson<{ folder: string }>(["init", "app"], { cwd: await temporaryFolder() });
  await mkdir(join(folder, "docs/many"));
  const paragraph = "The sensor reports temperature, humidity and pressure to its base every minute. ".repeat(20);
  const page = (number: number): string => Array.from({ length: 20 }, (_, part) => `# Part ${number}.${part}\n\n${paragraph}${number}\n`).join("\n");
  await Promise.all(Array.from({ length: 300 }, (_, number) => writeFile(join(folder, `docs/many/${number}.md`), page(number))));
  return folder;
}

/** Runs a command line in a terminal of its own; `type` is typed as soon as `when` has been shown. */
async function inTerminal(line: string, { cwd, columns, type, when }: { cwd: string; columns: number; type?: string; when?: RegExp }): Promise<{ code: number | null; shown: string }> {
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", `stty cols ${columns}; ${line}`, "/dev/null"], { cwd, env: cleanEnv({ TERM: "xterm" }), stdio: ["pipe", "pipe", "pipe"] });
  let shown = "";
  let isTyped = type === undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (isTyped || when?.test(shown) !== true) return;
    isTyped = true;
    child.stdin.write(type ?? "");
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, shown };
}

describe.skipIf(!hasTerminal)("in a terminal (skipped where the program `script` is not installed)", () => {
  it("shows progress as a moving line, and ends with 130 at Ctrl-C", async () => {
    const { code, shown } = await inTerminal(`"${process.execPath}" "${binary}" index`, { cwd: await largeApp(), columns: 80, type: "\u0003", when: /Indexing documents/ });
    expect(shown).toContain("\u001b[");
    expect(shown).toContain("Interrupted.");
    expect(code).toBe(130);
  });

  it("shows plain lines on a terminal that says it has no width", async () => {
    const { code, shown } = await inTerminal(`"${process.execPath}" "${binary}" --no-color index`, { cwd: await largeApp(), columns: 0 });
    expect(shown).not.toContain("\u001b[");
    expect(code).toBe(0);
  });
});

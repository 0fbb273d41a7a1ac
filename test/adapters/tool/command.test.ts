import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../../helpers/context.ts";
import { callOptions, openedTool, type ToolApp } from "../../helpers/tools.ts";

const commandTool = (command: string, app: ToolApp = {}, more = "") => openedTool(`run: { command: ${JSON.stringify(command)}, description: Runs it, parameters: { type: object, additionalProperties: true }${more} }`, app);

async function until(isThere: () => boolean): Promise<void> {
  while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 5));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe("a tool that is a command", () => {
  it("takes its arguments as JSON on standard input, never in the command line, and runs in the code", async () => {
    const given = { text: "$(touch broken); `touch broken` \"ü\"\n", list: [1, null] };
    const tool = await commandTool('node read.mjs "$1" && ls', { files: { "read.mjs": "process.stdin.pipe(process.stdout);" } });
    expect(tool).toMatchObject({ name: "run", description: "Runs it" });
    expect(await tool.call(given, callOptions)).toEqual({ content: `${JSON.stringify(given)}read.mjs\ntwelve.yaml`, isError: false });
  });

  it("has configuration, secrets and the facts of the call in its environment", async () => {
    const tool = await commandTool('printf "%s|%s|%s|%s|%s|%s" "$TOP" "$SHOP_KEY" "$OUTER" "$TWELVE_CALL_ID" "$TWELVE_USER" "$TRACEPARENT"', { values: { TOP: "5", SHOP_KEY: "s3cret-value" }, env: { OUTER: "yes" } });
    expect((await tool.call({}, callOptions)).content).toBe(`5|s3cret-value|yes|run-1/step-2|ann|${callOptions.traceparent}`);
  });

  it("tells the model its exit code and the end of stderr, without keys, addresses and secrets", async () => {
    const app = { values: { SHOP_KEY: "s3cret-value" }, config: "config: { SHOP_KEY: { kind: secret } }" };
    const tool = await commandTool('echo half; echo "refused $SHOP_KEY sk-abcdefghijklmnopqrstuv ann@example.com" >&2; exit 3', app);
    expect(await tool.call({}, callOptions)).toEqual({ content: "The command ended with exit code 3: refused [secret] [key] [email]", isError: true });
    expect(await (await commandTool("echo only this; exit 1")).call({}, callOptions)).toEqual({ content: "The command ended with exit code 1: only this", isError: true });
    expect(await (await commandTool("no-such-program-here")).call({}, callOptions)).toMatchObject({ isError: true, content: expect.stringContaining("exit code 127") });
  });

  it("may read nothing", async () => {
    expect(await (await commandTool("exec 0<&-; echo done")).call({ text: "x".repeat(1_000_000) }, callOptions)).toEqual({ content: "done", isError: false });
  });

  it("is killed with all that it started when its time is up, or when nobody waits any more", async () => {
    const folder = await temporaryFolder();
    const line = `sleep 600 & echo $! > ${join(folder, "pid")}; wait`;
    const startedPid = async (): Promise<number> => {
      await until(() => existsSync(join(folder, "pid")));
      return Number(await readFile(join(folder, "pid"), "utf8"));
    };
    expect(await (await commandTool(line, {}, ", timeoutSeconds: 0.5")).call({}, callOptions)).toEqual({ content: "The tool was stopped: it did not finish within 0.5 s. What it has done by then is unknown", isError: true, isUnknown: true });
    const late = await startedPid();
    await until(() => !isAlive(late));

    const controller = new AbortController();
    const call = (await commandTool(line.replace("pid", "next"))).call({}, { ...callOptions, signal: controller.signal });
    await until(() => existsSync(join(folder, "next")));
    controller.abort(new Error("enough"));
    await expect(call).rejects.toThrow("enough");
  });

  it("leaves nothing behind that it started and did not wait for", async () => {
    const content = Number((await (await commandTool("sleep 600 & echo $!")).call({}, callOptions)).content);
    await until(() => !isAlive(content));
    expect(content).toBeGreaterThan(0);
  });

  it("is killed where it writes more than a model can read", async () => {
    expect(await (await commandTool("yes")).call({}, callOptions)).toMatchObject({ isError: true, isUnknown: true, content: expect.stringContaining("larger than 1024 KiB") });
  });
});

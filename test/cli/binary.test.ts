import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, it } from "vitest";
import { temporaryFolder } from "../helpers/context.ts";
import { cleanEnv, twelve } from "../helpers/binary.ts";

const binary = join(import.meta.dirname, "../../bin/twelve.js");

describe("the program", () => {
  it("prints its version as package.json has it", async () => {
    const { version } = JSON.parse(await readFile(join(import.meta.dirname, "../../package.json"), "utf8")) as { version: string };
    expect(await twelve(["--version"], { cwd: "." })).toEqual({ exitCode: 0, stdout: version, stderr: "" });
  });

  it("shows help on stdout, for itself and for a command, in both spellings", async () => {
    const whole = await twelve(["--help"], { cwd: "." });
    expect(whole.stdout).toContain("Usage: twelve");
    expect(await twelve([], { cwd: "." })).toEqual(whole);
    const build = await twelve(["build", "--help"], { cwd: "." });
    expect(build.stdout).toContain("--strict");
    expect(await twelve(["help", "build"], { cwd: "." })).toEqual(build);
  });

  it("loads no command, schema library or SDK to show its help", async () => {
    const { stdout } = await execa(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(listLoaded)}`, binary, "--help"], { env: cleanEnv(), extendEnv: false });
    const loaded = stdout.split("\n").filter((line) => line.startsWith("loaded "));
    expect(loaded.length).toBeGreaterThan(0);
    const sizes = await Promise.all(loaded.map(async (line) => (await readFile(new URL(line.slice("loaded ".length)))).length));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000);
  });

  it("does not answer a typo with help", async () => {
    expect((await twelve(["biuld", "--help"], { cwd: "." })).exitCode).toBe(2);
    expect((await twelve(["help", "biuld"], { cwd: "." })).exitCode).toBe(2);
  });

  it("names the nearest command for a typo and ends with 2", async () => {
    const { exitCode, stdout, stderr } = await twelve(["biuld"], { cwd: "." });
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(stderr).toBe("Error: Unknown command 'biuld' (Did you mean build?)\nFix: Run `twelve --help`, or the command with `--help`  [USAGE_INVALID]");
  });

  it("leads from a flag that is missing to the help of the very command", async () => {
    const { exitCode, stderr } = await twelve(["admin", "key"], { cwd: "." });
    expect([exitCode, stderr]).toEqual([2, "Error: Required option '--name <name>' not specified\nFix: Run `twelve admin key --help`  [USAGE_INVALID]"]);
  });

  it("gives a subcommand the flags that its parent has, too, and refuses those that stand before its name", async () => {
    const cwd = await temporaryFolder();
    await writeFile(join(cwd, "twelve.yaml"), "name: app\n");
    const behind = await twelve(["index", "status", "--env", "nowhere"], { cwd });
    expect([behind.exitCode, behind.stderr]).toEqual([2, expect.stringContaining('no environment "nowhere"')]);
    const before = await twelve(["index", "--env", "nowhere", "status"], { cwd });
    expect([before.exitCode, before.stderr]).toEqual([2, "Error: --env stands before the name of the command\nFix: Put it behind `twelve index status`  [USAGE_INVALID]"]);
    expect((await twelve(["--dir", cwd, "index", "--json", "status"], { cwd: ".", env: { STATE_URL: "postgres://127.0.0.1:9/db" } })).exitCode).toBe(6);
  });

  it("prints a failure as one JSON object on stderr with --json", async () => {
    const { exitCode, stdout, stderr } = await twelve(["build", "--json"], { cwd: await temporaryFolder() });
    expect([exitCode, stdout]).toEqual([2, ""]);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "MANIFEST_NOT_FOUND", exit: 2 } });
  });

  it("ends quietly when its reader has gone away", async () => {
    const shell = await execa("sh", ["-c", `"${process.execPath}" "${binary}" --help | true; exit 0`], { env: cleanEnv(), extendEnv: false });
    expect(shell.stderr).toBe("");
  });

  it("does its work to the end when nobody reads its story", async () => {
    const cwd = await temporaryFolder();
    await twelve(["init", "support"], { cwd });
    const script = `("${process.execPath}" "${binary}" index; echo "exit $?") 2>&1 >answer | true`;
    await execa("sh", ["-c", script], { cwd: join(cwd, "support"), env: cleanEnv(), extendEnv: false });
    expect(await readFile(join(cwd, "support", "answer"), "utf8")).toMatch(/^Index docs [0-9a-f]{12}\n[\s\S]*exit 0\n$/);
  });

  it("stops a server in good order when nobody reads its log any more", async () => {
    const cwd = await temporaryFolder();
    await twelve(["init", "chat", "--template", "chat"], { cwd });
    const app = join(cwd, "chat");
    for (const args of [["build"], ["release", "--env", "staging"]]) await twelve(args, { cwd: app });
    const script = `("${process.execPath}" "${binary}" run --env staging --port 0; echo "exit $?") 2>story | true`;
    await execa("sh", ["-c", `${script}; sleep 0`], { cwd: app, env: cleanEnv(), extendEnv: false });
    expect(await readFile(join(app, "story"), "utf8")).toContain("Stopping: no request is open\nStopped\n");
  });

  it("counts a signal while a server starts as a stop, not as a bug", async () => {
    const cwd = await temporaryFolder();
    await twelve(["init", "support"], { cwd });
    const app = join(cwd, "support");
    for (const args of [["build"], ["index"], ["release", "--env", "staging"]]) await twelve(args, { cwd: app });
    const server = execa(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(stopAtStart)}`, binary, "run", "--env", "staging", "--port", "0"], { cwd: app, env: cleanEnv(), extendEnv: false, reject: false });
    expect(await server).toMatchObject({ exitCode: 0, stdout: "", stderr: "Stopped before it was ready" });
  });

  it.skipIf(process.platform !== "linux")("does not call it done when its answer cannot be written", async () => {
    const full = await execa("sh", ["-c", `"${process.execPath}" "${binary}" --version > /dev/full`], { env: cleanEnv(), extendEnv: false, reject: false });
    expect(full.exitCode).toBe(6);
  });

  it("writes no escape codes when stderr is not a terminal", async () => {
    const { stderr } = await twelve(["init", "support"], { cwd: await temporaryFolder(), env: { FORCE_COLOR: "1" } });
    expect(stderr).not.toContain("\u001b");
  });

  it("says in plain words that an old Node will not do", async () => {
    const oldNode = `Object.defineProperty(process.versions, "node", { value: "20.19.0" }); Object.defineProperty(process, "version", { value: "v20.19.0" });`;
    const result = await execa(process.execPath, ["--import", `data:text/javascript,${encodeURIComponent(oldNode)}`, binary, "--version"], { reject: false });
    expect(result.exitCode).toBe(2);
    expect(result.stderr).toBe("twelve needs Node 22.18 or newer; this is v20.19.0. Install a newer Node and try again.");
  });
});

/** Prints the URL of every file of ours that gets loaded. */
const listLoaded = `
import { registerHooks } from "node:module";
registerHooks({ load(url, context, next) { if (url.includes("/dist/")) console.log("loaded " + url); return next(url, context); } });
`;

/** Sends the program SIGTERM as soon as it listens for it. */
const stopAtStart = `process.on("newListener", (name) => name === "SIGTERM" && setImmediate(() => process.kill(process.pid, "SIGTERM")));`;

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, cp, mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { openDatabase } from "../../../src/adapters/state/database.ts";
import { openStateFolder } from "../../../src/adapters/state/folder.ts";
import { findSocket } from "../../../src/adapters/state/note.ts";
import { tryLock } from "../../../src/adapters/state/lock.ts";
import { temporaryFolder } from "../../helpers/context.ts";

const run = promisify(execFile);
const clientFile = join(import.meta.dirname, "client.ts");
const serverFile = join(import.meta.dirname, "../../../src/adapters/state/state-server.worker.ts");

/** Asks in a process of its own. */
async function ask(folder: string, text: string, env: NodeJS.ProcessEnv = {}): Promise<unknown> {
  const { stdout } = await run(process.execPath, [clientFile, `pglite:${folder}`, text], { env: { ...process.env, ...env } });
  return JSON.parse(stdout) as unknown;
}

async function askHere(folder: string, text: string): Promise<unknown> {
  const { pool } = await openDatabase(`pglite:${folder}`, "/");
  onTestFinished(() => pool.end());
  return (await pool.query<Record<string, unknown>>(text)).rows;
}

const serverOf = async (folder: string): Promise<number> => Number(await readFile(join(folder, "server.pid"), "utf8"));

/** Whether no server has the folder. */
function isFree(folder: string): boolean {
  const lock = tryLock(join(folder, "server.lock"));
  lock?.release();
  return lock !== undefined;
}

/** A database that was made once, for tests that don't look at how it is made. */
let template = "";
beforeAll(async () => {
  template = await mkdtemp(join(tmpdir(), "twelve-state-"));
  await ask(template, "CREATE TABLE word (text text)");
  process.kill(await serverOf(template), "SIGTERM");
  await vi.waitUntil(() => isFree(template), { timeout: 20_000 });
}, 120_000);
afterAll(() => rm(template, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 }));

async function stateFolder(): Promise<string> {
  const folder = join(await temporaryFolder(), "state");
  await mkdir(folder);
  await cp(join(template, "data"), join(folder, "data"), { recursive: true });
  return folder;
}

describe("an embedded database", { timeout: 120_000 }, () => {
  it("is made once by processes that start at the same moment, and so are the queue's tables", async () => {
    const folder = join(await temporaryFolder(), "new", "state");
    expect(await Promise.all([1, 2, 3].map(() => ask(folder, "prepare")))).toEqual([null, null, null]);
    expect(await askHere(folder, "SELECT count(*)::int FROM twelve.workflow_status")).toEqual([{ count: 0 }]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(await readFile(join(folder, "server.log"), "utf8")).toBe("");
  });

  it("is shared by processes", async () => {
    const folder = await stateFolder();
    await Promise.all(["a", "b", "c", "d"].map((text) => ask(folder, `INSERT INTO word VALUES ('${text}')`)));
    const server = await serverOf(folder);
    expect(await askHere(folder, "SELECT text FROM word ORDER BY text")).toEqual(["a", "b", "c", "d"].map((text) => ({ text })));
    expect(await serverOf(folder)).toBe(server);
    expect(isFree(folder)).toBe(false);
  });

  it.skipIf(process.platform === "win32")("is one for processes that keep temporary files in different folders", async () => {
    const folder = await stateFolder();
    const [first, second] = [await temporaryFolder(), await temporaryFolder()];
    await ask(folder, "INSERT INTO word VALUES ('a')", { TMPDIR: first });
    const server = await serverOf(folder);
    expect(await ask(folder, "SELECT text FROM word", { TMPDIR: second })).toEqual([{ text: "a" }]);
    expect(await serverOf(folder)).toBe(server);
    expect((await stat(join(folder, "server.socket"))).mode & 0o777).toBe(0o600);
    process.kill(server, "SIGKILL");
    await vi.waitUntil(() => isFree(folder), { timeout: 20_000 });
    // What the dead server noted leads nowhere; the next one notes its own.
    expect(await ask(folder, "SELECT text FROM word", { TMPDIR: second })).toEqual([{ text: "a" }]);
    expect(await ask(folder, "SELECT text FROM word", { TMPDIR: first })).toEqual([{ text: "a" }]);
  });

  it.skipIf(process.platform === "win32")("is not looked for where others can come, nor where a copied note says", async () => {
    const folder = await stateFolder();
    const [others, own] = [await temporaryFolder(), await temporaryFolder()];
    await chmod(others, 0o755);
    const opened = await openStateFolder(`pglite:${folder}`, "/");
    const noted = async (text: string, mode = 0o600): Promise<string> => {
      await writeFile(opened.note, text);
      await chmod(opened.note, mode);
      return findSocket(opened);
    };
    expect(await noted(`${opened.id} ${join(own, "x.sock")}`)).toBe(join(own, "x.sock"));
    expect(await noted(`${opened.id} ${join(own, "x.sock")}`, 0o666)).toBe(opened.socket);
    expect(await noted(`${opened.id} ${join(others, "x.sock")}`)).toBe(opened.socket);
    expect(await noted(`${"0".repeat(24)} ${join(own, "x.sock")}`)).toBe(opened.socket);
    expect(await noted("")).toBe(opened.socket);
  });

  it("comes back after its server was killed, with all that was said to be kept", async () => {
    const folder = await stateFolder();
    const { pool } = await openDatabase(`pglite:${folder}`, "/");
    onTestFinished(() => pool.end());
    for (let count = 1; count <= 5; count += 1) {
      await pool.query("INSERT INTO word VALUES ($1)", [String(count)]);
      process.kill(await serverOf(folder), "SIGKILL");
      // What a pool still holds of the dead server fails once; the next connection starts another.
      await vi.waitFor(async () => expect((await pool.query("SELECT text FROM word")).rows).toHaveLength(count), { timeout: 20_000 });
    }
  });

  it("ends its server when nobody has used it for a while, and is whole then", async () => {
    const folder = await stateFolder();
    const server = spawn(process.execPath, [serverFile, folder, "300"], { stdio: "ignore" });
    expect(await once(server, "exit")).toEqual([0, null]);
    expect(isFree(folder)).toBe(true);
    expect(await ask(folder, "SELECT * FROM word")).toEqual([]);
  });

  it("ends its server when its folder is deleted; a new folder of the name is a new database", async () => {
    const folder = await stateFolder();
    await askHere(folder, "INSERT INTO word VALUES ('old')");
    const { socket } = await openStateFolder(`pglite:${folder}`, "/");
    await rm(folder, { recursive: true, maxRetries: 10, retryDelay: 100 });
    await mkdir(folder);
    await cp(join(template, "data"), join(folder, "data"), { recursive: true });
    expect((await openStateFolder(`pglite:${folder}`, "/")).socket).not.toBe(socket);
    expect(await ask(folder, "SELECT * FROM word")).toEqual([]);
  });

  it("is another one in a copy of its folder", async () => {
    const folder = await stateFolder();
    const { socket } = await openStateFolder(`pglite:${folder}`, "/");
    await cp(folder, `${folder}-copy`, { recursive: true });
    expect((await openStateFolder(`pglite:${folder}-copy`, "/")).socket).not.toBe(socket);
    expect((await openStateFolder("pglite:state", join(folder, ".."))).socket).toBe(socket);
  });

  it("starts anew where its making was broken off", async () => {
    const folder = join(await temporaryFolder(), "state");
    await mkdir(join(folder, "data.new"), { recursive: true });
    await writeFile(join(folder, "data.new", "PG_VERSION"), "18");
    expect(await ask(folder, "SELECT 1 AS one")).toEqual([{ one: 1 }]);
    expect(await readdir(folder)).not.toContain("data.new");
  });

  it("says where to look when it cannot be opened", async () => {
    const folder = join(await temporaryFolder(), "state");
    await mkdir(join(folder, "data"), { recursive: true });
    await writeFile(join(folder, "data", "PG_VERSION"), "12\n");
    await expect(askHere(folder, "SELECT 1")).rejects.toMatchObject({
      code: "SERVICE_FAILED", message: expect.stringContaining(`The embedded database in ${folder} cannot be opened: `), fix: expect.stringContaining(join(folder, "server.log")),
    });
  });

  it("needs a folder that can be one", async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, "file"), "");
    await expect(openDatabase(`pglite:${join(folder, "file")}`, "/")).rejects.toMatchObject({ code: "FOLDER_UNUSABLE", message: expect.stringContaining(join(folder, "file")) });
    await expect(openDatabase("pglite:", "/")).rejects.toMatchObject({ code: "CONFIG_INVALID" });
  });

  // Node's own way of making a folder with those above it never ends there.
  it.skipIf(process.platform !== "linux")("says at once that a folder cannot be made", async () => {
    for (const path of ["/proc/x", "/proc/x/y"]) {
      await expect(openDatabase(`pglite:${path}`, "/")).rejects.toMatchObject({ code: "FOLDER_UNUSABLE", message: expect.stringContaining(`The state folder ${path} cannot be used: ENOENT`) });
    }
  });

  it.skipIf(process.platform === "win32")("listens only where nobody else can come", async () => {
    const folder = await temporaryFolder();
    vi.stubEnv("TMPDIR", folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const { socket } = await openStateFolder(`pglite:${join(folder, "state")}`, "/");
    const place = join(socket, "..");
    expect(socket.startsWith(folder)).toBe(true);
    expect((await stat(place)).mode & 0o777).toBe(0o700);
    await chmod(place, 0o755);
    await expect(openStateFolder(`pglite:${join(folder, "state")}`, "/")).rejects.toMatchObject({ code: "FOLDER_UNUSABLE", message: expect.stringContaining(place) });
  });
});

import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { tryLock, withLock } from "../../../src/adapters/state/lock.ts";
import { temporaryFolder } from "../../helpers/context.ts";

const holder = `
  import { tryLock } from ${JSON.stringify(join(import.meta.dirname, "../../../src/adapters/state/lock.ts"))};
  process.stdout.write(tryLock(process.argv[1]) === undefined ? "busy" : "held");
  setInterval(() => {}, 1000);
`;

describe("a lock", () => {
  it("has one holder, and ends with its process, however that ends", async () => {
    const path = join(await temporaryFolder(), "lock");
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", holder, path], { stdio: ["ignore", "pipe", "pipe"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const said: string[] = [];
    child.stderr.on("data", (bytes) => said.push(String(bytes)));
    expect(String((await once(child.stdout, "data"))[0])).toBe("held");
    expect(tryLock(path)).toBeUndefined();
    child.kill("SIGKILL");
    await once(child, "exit");
    const lock = tryLock(path);
    expect(lock).toBeDefined();
    expect(tryLock(path)).toBeUndefined();
    lock?.release();
    // No warning that Node's SQLite is experimental.
    expect(said).toEqual([]);
  });

  it("lets one piece of work follow the other", async () => {
    const path = join(await temporaryFolder(), "lock");
    const steps: string[] = [];
    const step = (name: string): Promise<void> =>
      withLock(path, async () => {
        steps.push(`begin ${name}`);
        await new Promise((resolve) => setImmediate(resolve));
        steps.push(`end ${name}`);
      }, { url: "pglite:state" });
    await Promise.all([step("a"), step("b"), step("c")]);
    expect(steps).toHaveLength(6);
    for (let index = 0; index < steps.length; index += 2) expect(steps[index]?.slice(-1)).toBe(steps[index + 1]?.slice(-1));
  });

  it("is not waited for without end where the work may not take so long", async () => {
    const path = join(await temporaryFolder(), "lock");
    const lock = tryLock(path);
    const wait = { url: "pglite:state", limitMs: 20 };
    await expect(withLock(path, () => Promise.resolve("done"), wait)).rejects.toMatchObject({ code: "SERVICE_TIMEOUT", retry: { afterMs: null }, message: expect.stringMatching(/^pglite:state cannot be prepared: for 20 ms another process/) });
    lock?.release();
    expect(await withLock(path, () => Promise.resolve("done"), wait)).toBe("done");
  });

  it("says why a file cannot stand for a lock", async () => {
    const folder = await temporaryFolder();
    expect(() => tryLock(join(folder, "missing", "lock"))).toThrow(/unable to open/);
  });
});

import { type ExecFileException, execFile } from "node:child_process";
import { readdir, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";
import type { Store } from "../../../../src/ports/store.ts";
import { temporaryFolder } from "../../../helpers/context.ts";
import { blobs, values, writeScript } from "./script.ts";

it("is whole wherever a process was killed, keeps what was done, and the next process goes on without repair", async () => {
  const folder = await temporaryFolder();
  let step = 1;
  for (let isFinished = false; !isFinished; step += 1) {
    const store = openStore(`file:store-${step}`, folder);
    const done = await runAndDie(store.url, folder, step);
    isFinished = done.includes("finished");
    await expectWhole(store, done);
    await writeScript(store, folder, () => {});
    await expectWhole(store, ["bytes", "file", "created", "replaced"]);
  }
  // Fewer would mean that the process did not die at each of its changes.
  expect(step).toBeGreaterThan(20);
});

/** What the process said was done before it was killed. */
async function runAndDie(url: string, folder: string, step: number): Promise<readonly string[]> {
  const argv = [join(import.meta.dirname, "mortal.ts"), url, folder, String(step)];
  const { stdout, error } = await new Promise<{ stdout: string; error: ExecFileException | null }>((resolve) => {
    execFile(process.execPath, argv, (error, stdout) => resolve({ stdout, error }));
  });
  const done = stdout.trimEnd().split("\n");
  expect(error?.signal).toBe(done.includes("finished") ? undefined : "SIGKILL");
  return done;
}

async function expectWhole(store: Store, done: readonly string[]): Promise<void> {
  for await (const digest of store.blobs.list()) await store.blobs.check(digest);
  for (const [name, blob] of Object.entries(blobs)) if (done.includes(name)) await store.blobs.read(blob);
  const value = (await store.refs.read("ref"))?.value;
  const possible = done.includes("replaced") ? [values[1]] : done.includes("created") ? values : [undefined, ...values];
  expect(possible).toContain(value);
}

it("does not mind temporary files that were left, and removes those that are a day old", async () => {
  const folder = await temporaryFolder();
  const first = openStore("file:store", folder);
  const blob = await first.blobs.write(Buffer.from("kept"), "text/plain");
  await first.refs.create("kept", "value");
  const yesterday = new Date(Date.now() - 25 * 60 * 60 * 1000);
  for (const area of ["blobs", "refs"]) {
    for (const name of ["old", "new"]) await writeFile(join(folder, "store", area, ".tmp", name), "half a");
    await utimes(join(folder, "store", area, ".tmp", "old"), yesterday, yesterday);
  }

  const next = openStore("file:store", folder);
  const digests: string[] = [];
  for await (const digest of next.blobs.list()) digests.push(digest);
  expect(digests).toEqual([blob.digest]);
  expect(await next.refs.list("")).toEqual(["kept"]);
  await next.blobs.write(Buffer.from("more"), "text/plain");
  await next.refs.create("more", "value");
  for (const area of ["blobs", "refs"]) expect(await readdir(join(folder, "store", area, ".tmp"))).toEqual(["new"]);
});

import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { expect, it, vi } from "vitest";
import { openStore } from "../../../../src/adapters/store/fs/adapter.ts";
import { temporaryFolder } from "../../../helpers/context.ts";

/** What was done to the disk, in order: a sync names what was synced, the others where their new name is. */
const steps = vi.hoisted((): string[] => []);

vi.mock("node:fs/promises", async (importOriginal) => {
  const actual = await importOriginal<typeof import("node:fs/promises")>();
  return {
    ...actual,
    async open(...given: Parameters<typeof actual.open>) {
      const handle = await actual.open(...given);
      const sync = handle.sync.bind(handle);
      handle.sync = () => sync().then(() => void steps.push(`sync ${String(given[0])}`));
      return handle;
    },
    rename: (from: string, to: string) => actual.rename(from, to).then(() => void steps.push(`rename ${from} ${to}`)),
    link: (from: string, to: string) => actual.link(from, to).then(() => void steps.push(`link ${from} ${to}`)),
    mkdir: (path: string) => actual.mkdir(path).then(() => void steps.push(`mkdir ${path}`)),
  };
});

/** The steps of one operation on a store that has been used before. */
async function stepsOf(operation: () => Promise<unknown>): Promise<readonly string[]> {
  steps.length = 0;
  await operation();
  return [...steps];
}

it("has the bytes on the disk before they get their name, and the name before it returns", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  await store.refs.create("a", "1");
  for (const operation of [() => store.refs.create("b", "1"), () => store.refs.replace("b", "2", "1"), () => store.blobs.write(Buffer.from("content"), "text/plain")]) {
    const done = await stepsOf(operation);
    const naming = done.findIndex((step) => /^(rename|link) /.test(step));
    const [, temporary = "", target = ""] = done[naming]?.split(" ") ?? [];
    expect(basename(dirname(temporary))).toBe(".tmp");
    expect(done.slice(0, naming)).toContain(`sync ${temporary}`);
    expect(done.slice(naming + 1)).toEqual([`sync ${dirname(target)}`]);
  }
});

it("has a file that it moves on the disk before it gets its name, and the name before it returns", async () => {
  const folder = await temporaryFolder();
  const store = openStore("file:store", folder);
  const given = join(folder, "given");
  await writeFile(given, "content");
  const done = await stepsOf(() => store.blobs.writeFile(given, "text/plain"));
  const naming = done.findIndex((step) => step.startsWith(`rename ${given} `));
  const target = done[naming]?.split(" ")[2] ?? "";
  expect(done.slice(0, naming)).toContain(`sync ${given}`);
  expect(done.slice(naming + 1)).toEqual([`sync ${dirname(target)}`]);
});

it("has every folder on the disk that leads to a value", async () => {
  const folder = await temporaryFolder();
  const done = await stepsOf(() => openStore("file:new/store", folder).refs.create("a/b/c", "1"));
  const made = done.filter((step) => step.startsWith("mkdir ")).map((step) => step.slice("mkdir ".length));
  expect(made.map((path) => path.slice(folder.length + 1)).sort()).toEqual(["new", "new/store", "new/store/refs", "new/store/refs/.tmp", "new/store/refs/a", "new/store/refs/a/b"]);
  for (const path of made) expect(done.slice(done.indexOf(`mkdir ${path}`))).toContain(`sync ${dirname(path)}`);
});

it("syncs the folder also for a blob that another process has written but may not have synced", async () => {
  const folder = await temporaryFolder();
  const write = (): Promise<unknown> => openStore("file:store", folder).blobs.write(Buffer.from("content"), "text/plain");
  const first = await stepsOf(write);
  const again = await stepsOf(write);
  expect(again.some((step) => step.startsWith("rename "))).toBe(false);
  expect(again.at(-1)).toBe(first.at(-1));
  expect(again.at(-1)).toMatch(/^sync .*\/sha256\/[0-9a-f]{2}$/);
});

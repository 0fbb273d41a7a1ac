import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { groupedSync } from "../../../../src/adapters/store/fs/sync.ts";
import { temporaryFolder } from "../../../helpers/context.ts";

const begun = vi.hoisted((): string[] => []);

vi.mock("node:fs/promises", async (importOriginal) => {
  const actual = await importOriginal<typeof import("node:fs/promises")>();
  return {
    ...actual,
    open: (...given: Parameters<typeof actual.open>) => {
      begun.push(String(given[0]));
      return actual.open(...given);
    },
  };
});

it("lets all who come while a sync runs share the next one, for each folder by itself", async () => {
  const [one, two] = [await temporaryFolder(), await temporaryFolder()];
  const sync = groupedSync();
  begun.length = 0;
  await Promise.all(Array.from({ length: 50 }, (_, index) => sync(index % 2 === 0 ? one : two)));
  expect(begun.filter((folder) => folder === one)).toHaveLength(2);
  expect(begun.filter((folder) => folder === two)).toHaveLength(2);
  await sync(one);
  expect(begun.filter((folder) => folder === one)).toHaveLength(3);
});

it("fails for all who waited when the folder cannot be synced, and works again later", async () => {
  const folder = await temporaryFolder();
  const sync = groupedSync();
  const gone = join(folder, "gone");
  const results = await Promise.allSettled([sync(gone), sync(gone), sync(gone), sync(folder)]);
  expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected", "fulfilled"]);
  await expect(sync(gone)).rejects.toThrow("ENOENT");
});

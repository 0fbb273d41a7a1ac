import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { openOrigin } from "../../../src/adapters/origin/file/adapter.ts";
import { temporaryFolder } from "../../helpers/context.ts";
import { writeFiles } from "../../models/tiny-model.ts";
import { describeOrigin, originFiles, readAll } from "../../ports/origin.contract.ts";

describeOrigin("file", async () => {
  const dir = await temporaryFolder();
  await writeFiles(join(dir, "models"), originFiles);
  return openOrigin("file:models", dir);
});

it("takes a folder anywhere as a file: URL", async () => {
  const folder = join(await temporaryFolder(), "with space");
  await writeFiles(folder, originFiles);
  const origin = openOrigin(pathToFileURL(folder).href, "/");
  expect(await readAll(await origin.open("config.json"))).toEqual(originFiles["config.json"]);
});

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import command from "../../src/index/command.ts";
import { temporaryFolder, testContext } from "../helpers/context.ts";
import { startS3Server } from "../helpers/s3-server.ts";

it("fetches only the objects of a bucket that changed since the last run", async () => {
  const server = await startS3Server({ objects: { "a.md": "# One\n\nThe first page.", "b.md": "# Two\n\nThe second page.", "c.md": "# Three\n\nThe third page." } });
  const dir = await temporaryFolder();
  await writeFile(join(dir, "twelve.yaml"), "name: app\nindexes:\n  docs: { source: [s3://manuals] }\n");
  const context = await testContext({ dir, env: server.env });
  const index = async (): Promise<{ readonly isChanged: boolean; readonly fetched: readonly string[] }> => {
    const before = server.requests.length;
    const output = await command.run(command.input.parse({}), context);
    return { isChanged: "isChanged" in output && output.isChanged, fetched: server.requests.slice(before).filter((request) => request.includes(".md")).map((request) => /\w\.md/.exec(request)?.[0] ?? "").toSorted() };
  };
  expect(await index()).toEqual({ isChanged: true, fetched: ["a.md", "b.md", "c.md"] });
  expect(await index()).toEqual({ isChanged: false, fetched: [] });
  server.objects.set("b.md", { content: "# Two\n\nThe 2nd page." });
  const changed = await index();
  expect([changed.isChanged, [...new Set(changed.fetched)]]).toEqual([true, ["b.md"]]);
});

import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import command from "../../src/build/check-command.ts";
import { testContext } from "../helpers/context.ts";
import { gitApp, smallApp } from "../helpers/git-app.ts";

const sloppy = { ...smallApp, "package.json": '{"dependencies":{"left":"1.0.0"}}' };

it("says what a build would complain about, and writes nothing", async () => {
  const context = await testContext({ dir: await gitApp(sloppy) });
  const report = await command.run({ strict: false }, context);
  expect(report).toMatchObject({ app: "shop", prompts: 1, files: 4, findings: [{ factor: "II. Dependencies", file: "package.json" }] });
  expect([await (await context.store()).refs.list(""), existsSync(join(context.dir, ".twelve"))]).toEqual([[], false]);
});

it("ends with 100 for findings only with --strict", async () => {
  const verdicts = await Promise.all([
    [sloppy, true], [sloppy, false], [smallApp, true],
  ].map(async ([files, strict]) => command.verdict?.(await command.run({ strict: strict === true }, await testContext({ dir: await gitApp(files as typeof sloppy) })))));
  expect(verdicts.map((verdict) => verdict?.exit)).toEqual([100, undefined, undefined]);
});

it("refuses what a build refuses", async () => {
  const context = await testContext({ dir: await gitApp({ ...smallApp, "prompts/answer.prompt": "{{#if}}" }) });
  await expect(command.run({ strict: false }, context)).rejects.toMatchObject({ code: "PROMPT_INVALID" });
});

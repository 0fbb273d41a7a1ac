import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import command from "../../src/build/check-command.ts";
import { fixedClock, testContext } from "../helpers/context.ts";
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

it("warns of a model that ends within ninety days, and refuses one that has ended, with its line", async () => {
  const app = (model: string): typeof smallApp => ({ ...smallApp, "twelve.yaml": `name: shop\nagents:\n  shop: { prompt: answer, model: ["mock:echo", "${model}"] }\nlifecycle:\n  "openai:soon": { endOfLife: 2026-12-01 }\n  "openai:gone": { endOfLife: 2026-11-01 }\n` });
  const at = async (files: typeof smallApp): Promise<Awaited<ReturnType<typeof command.run>>> => {
    const context = await testContext({ dir: await gitApp(files), clock: { ...fixedClock(), now: () => new Date("2026-11-25T12:00:00Z") } });
    return command.run({ strict: false }, context);
  };
  expect((await at(app("openai:soon"))).warnings).toEqual(["twelve.yaml:3:48 agents.shop.model.1: openai:soon reaches its end of life on 2026-12-01, in 6 days (twelve.yaml)"]);
  expect((await at(app("openai:unheard-of"))).warnings).toEqual([]);
  await expect(at(app("openai:gone"))).rejects.toMatchObject({ code: "MODEL_RETIRED", problems: [{ file: "twelve.yaml", line: 3, path: "agents.shop.model.1", message: "openai:gone reached its end of life on 2026-11-01 (twelve.yaml)" }] });
});

it("looks at the scripts of mock models, which are part of the code", async () => {
  const app = (script: string): typeof smallApp => ({ ...smallApp, "twelve.yaml": 'name: shop\nconfig: { SECOND: { default: "mock:script:models/second.yaml" } }\nagents:\n  shop: { prompt: answer, model: ["mock:script:models/first.yaml", "${SECOND}"] }\n', "models/first.yaml": "replies: [{ say: Yes. }]\n", "models/second.yaml": script });
  const checked = async (script: string, change?: (dir: string) => Promise<void>): Promise<unknown> => {
    const dir = await gitApp(app(script));
    await change?.(dir);
    return command.run({ strict: false }, await testContext({ dir })).then(() => "fine", (error: unknown) => error);
  };
  expect(await checked("replies: [{ say: No. }]\n")).toBe("fine");
  expect(await checked("replies:\n  - fail: { status: 999 }\n    sayy: No.\n")).toMatchObject({ code: "SCRIPT_INVALID", problems: expect.arrayContaining([expect.objectContaining({ file: "models/second.yaml", line: 2 }), expect.objectContaining({ file: "models/second.yaml", line: 3, message: expect.stringContaining("say") })]) });
  expect(await checked("replies: [{ say: No. }]\n", (dir) => rm(join(dir, "models/second.yaml")))).toMatchObject({ code: expect.stringMatching(/^(CODE|SCRIPT)_INVALID$/) });
  const untrack = async (dir: string): Promise<void> => void execFileSync("git", ["rm", "-q", "--cached", "models/second.yaml"], { cwd: dir });
  expect(await checked("replies: [{ say: No. }]\n", untrack)).toMatchObject({ code: "SCRIPT_INVALID", fix: expect.stringContaining("git add models/second.yaml") });
});

it("refuses what a build refuses", async () => {
  const context = await testContext({ dir: await gitApp({ ...smallApp, "prompts/answer.prompt": "{{#if}}" }) });
  await expect(command.run({ strict: false }, context)).rejects.toMatchObject({ code: "PROMPT_INVALID" });
});

describe("with --env", () => {
  const app = { ...smallApp, "twelve.yaml": 'name: shop\nconfig: { STATE_URL: { kind: attachment } }\nagents:\n  shop: { prompt: answer, model: "mock:echo", session: true }\nprocesses: { worker: { work: [runs] } }\nenvironments: { staging: { config: "dotenv:.env" } }\n' };
  const checked = async (url: string, env?: string) => command.run({ strict: false, env }, await testContext({ dir: await gitApp({ ...app, ".env": url === "" ? "" : `STATE_URL=${url}\n` }) }));

  it("says that a state service keeps conversations and no runs, before a release does", async () => {
    await expect(checked("redis://127.0.0.1:1/0", "staging")).rejects.toMatchObject({ code: "SERVICE_UNSUPPORTED", message: expect.stringMatching(/^STATE_URL: This version has no state service for runs for redis:/), fix: expect.stringContaining("both keep conversations, too") });
    await expect(checked("redis://127.0.0.1:1/0")).resolves.toMatchObject({ app: "shop" });
    await expect(checked("postgres://127.0.0.1:1/state", "staging")).resolves.toMatchObject({ app: "shop" });
  });

  it("says which keys are missing", async () => {
    await expect(checked("", "staging")).rejects.toMatchObject({ code: "CONFIG_INVALID", problems: [{ path: "STATE_URL" }] });
  });
});

import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, it } from "vitest";
import { openReranker } from "../../src/adapters/registry.ts";
import { cleanEnv, twelveJson } from "../helpers/binary.ts";
import { temporaryFolder } from "../helpers/context.ts";
import { startRun } from "../helpers/run-process.ts";
import { withoutLibrary } from "../models/library.ts";
import { installModel, tinyCrossEncoder } from "../models/tiny-model.ts";

/** Where the packages that an application brings along are, on a machine that keeps them elsewhere. */
const env = process.env["NODE_PATH"] === undefined ? {} : { NODE_PATH: process.env["NODE_PATH"] };

it.skipIf(withoutLibrary !== undefined)(`serves a pinned cross-encoder from two processes, and stops in good order${withoutLibrary === undefined ? "" : ` (${withoutLibrary})`}`, async () => {
  const cwd = (await twelveJson<{ folder: string }>(["init", "app", "--template", "chat"], { cwd: await temporaryFolder() })).folder;
  const manifest = await readFile(join(cwd, "twelve.yaml"), "utf8");
  await writeFile(join(cwd, "twelve.yaml"), manifest.replace(/^( {2}web: .*\n)/m, '$1  ranker: { rerank: "transformers:models/tiny" }\n'));
  await appendFile(join(cwd, ".gitignore"), "\nmodels/\n");
  await installModel(cwd, tinyCrossEncoder);
  for (const args of [["add", "--all"], ["commit", "--quiet", "--message", "Rerank"]]) await execa("git", args, { cwd, env: cleanEnv() });
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd });

  const run = startRun(["ranker", "--concurrency", "2"], { cwd, env });
  const url = await run.url();
  const reranker = await openReranker(`tei+${url}`, { dir: cwd, env: {} });
  const scores = await reranker.rerank("store configuration", ["parcel", "configuration store", "store"]);
  expect(scores.map((score) => score.toFixed(3))).toEqual(["0.119", "0.500", "0.269"]);
  expect(run.events("server-ready")[0]).toMatchObject({ "twelve.process": "ranker", model: "models/tiny", "model.digest": expect.stringMatching(/^[0-9a-f]{12}$/), "twelve.release.number": 1 });
  expect(await (await fetch(`${url}/metrics`)).text()).toContain("\ntwelve_processes 2\n");
  run.send("SIGTERM");
  expect(await run.ended).toBe(0);
  expect(run.events("server-stopped")).toHaveLength(2);
});

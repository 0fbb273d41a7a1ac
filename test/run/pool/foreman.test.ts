import { beforeEach, describe, expect, it } from "vitest";
import command from "../../../src/run/command.ts";
import type { InstanceOptions } from "../../../src/ports/instance.ts";
import { temporaryFolder, type TestContext, testContext } from "../../helpers/context.ts";
import { makeRelease, manifest } from "../release.ts";
import { type FakeInstance, fakeInstances } from "./fake-instances.ts";

let app: TestContext;
beforeEach(async () => {
  app = await testContext({ dir: await temporaryFolder() });
  await makeRelease(app, manifest.replace("web: { serve: [support, chat] }", "web: { serve: [support, chat], scale: { min: 2 } }"));
});

/** `twelve run` whose processes the test plays. */
async function running(input: object) {
  const stop = new AbortController();
  const own = await testContext({ dir: app.dir, store: await app.store(), signal: stop.signal });
  const instances = fakeInstances();
  const asked: { readonly args: readonly string[]; readonly options: InstanceOptions }[] = [];
  const start = (args: readonly string[], options: InstanceOptions) => {
    asked.push({ args, options });
    return instances.start(options.env["TWELVE_INSTANCE"] ?? "", options.onMessage);
  };
  const ended = command.run(command.input.parse({ env: "staging", port: 0, ...input }), { ...own, instances: { start } });
  const all = async (count: number): Promise<readonly FakeInstance[]> => {
    await expect.poll(() => instances.started.length).toBe(count);
    return instances.started;
  };
  return { asked, all, ended, told: own.told, lines: own.lines, stop: () => stop.abort(new Error("interrupted")) };
}

describe("twelve run with several processes", () => {
  it("starts each type by its name, on a port of its own, with the flags that it was given itself", async () => {
    const run = await running({ release: "v1", drainSeconds: 5, logContent: true });
    const started = await run.all(6);
    expect(started.map(({ name }) => name)).toEqual(["web.1", "web.2", "fail.1", "patient.1", "show.1", "worker.1"]);
    const [web, twin, fail] = run.asked;
    const port = web?.options.env["PORT"];
    expect(web?.args).toEqual(["run", "web", "--env=staging", "--release=v1", `--port=${port}`, "--pre-stop-seconds=0", "--drain-seconds=5", "--log-content"]);
    expect(web?.options.env["TWELVE_INSTANCES"]).toBe("2");
    expect([twin?.options.env["PORT"], fail?.options.env["PORT"] === port]).toEqual([port, false]);
    run.stop();
    await expect.poll(() => started.map(({ stops }) => stops)).toEqual([1, 1, 1, 1, 1, 1]);
    await Promise.all(started.map((instance) => instance.end(0)));
    expect(await run.ended).toMatchObject({ process: "web, fail, patient, show, worker", exitCode: 0 });
  });

  it("relays what they say, and tells of each that is lost and started again", async () => {
    const run = await running({ process: "web", concurrency: 2 });
    const [one, other] = await run.all(2);
    run.asked[0]?.options.onLine("stdout", '{"event":"x"}');
    one?.say({ kind: "ready", notes: ["Ready: http://127.0.0.1:1"] });
    other?.say({ kind: "ready", notes: ["Ready: http://127.0.0.1:1"] });
    await one?.end(null, "SIGKILL");
    await expect.poll(() => run.lines.length).toBe(2);
    expect(run.told.slice(1)).toEqual(['web.1 stdout {"event":"x"}', "note Ready: http://127.0.0.1:1", "note web: 2 processes share the work", expect.stringMatching(/^warn web\.1 \(process 1000\) ended by SIGKILL after [\d.]+ s; it starts again in 1\.\d s$/)]);
    expect(run.lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      { event: "process-type-ready", "twelve.environment": "staging", "twelve.process": "web", processes: 2 },
      { event: "process-exited", "twelve.instance": "web.1", "process.pid": 1000, "process.exit_code": null, "process.signal": "SIGKILL", restart_in_ms: expect.any(Number) },
    ]);
    run.stop();
    await expect.poll(() => other?.stops).toBe(1);
    await other?.end(0);
    expect(await run.ended).toMatchObject({ process: "web", exitCode: 0 });
  });

  it("stops the others when one shows that it cannot be run, and ends as it did", async () => {
    const run = await running({ process: "web", concurrency: 2 });
    const [one, other] = await run.all(2);
    await one?.end(5);
    await expect.poll(() => other?.stops).toBe(1);
    await other?.end(0);
    expect(await run.ended).toMatchObject({ process: "web.1", exitCode: 5 });
    expect(run.told).toContain("warn web.1 ended with exit code 5 before it began its work, and would again: the others are stopped");
  });
});

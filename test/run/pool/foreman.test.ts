import { createServer } from "node:http";
import { beforeEach, describe, expect, it } from "vitest";
import command from "../../../src/run/command.ts";
import type { InstanceOptions } from "../../../src/ports/instance.ts";
import { temporaryFolder, type TestContext, testContext } from "../../helpers/context.ts";
import { listening } from "../../helpers/listen.ts";
import { makeRelease, manifest } from "../release.ts";
import { type FakeInstance, fakeInstances } from "./fake-instances.ts";

let app: TestContext;
beforeEach(async () => {
  app = await testContext({ dir: await temporaryFolder() });
  await makeRelease(app, manifest.replace("web: { serve: [support, chat] }", "web: { serve: [support, chat], scale: { min: 2 } }"));
});

/** `twelve run` whose processes the test plays. */
async function running(input: object, env: Readonly<Record<string, string>> = {}) {
  const stop = new AbortController();
  const own = await testContext({ dir: app.dir, env, store: await app.store(), signal: stop.signal });
  const instances = fakeInstances();
  const asked: { readonly args: readonly string[]; readonly options: InstanceOptions }[] = [];
  const start = (args: readonly string[], options: InstanceOptions) => {
    asked.push({ args, options });
    return instances.start(options.env["TWELVE_INSTANCE"] ?? "", options.onMessage);
  };
  const ended = command.run(command.input.parse({ env: "staging", port: 0, ...input }), { ...own, instances: { start } });
  const all = async (count: number): Promise<readonly FakeInstance[]> => {
    await expect.poll(() => instances.started.length, { timeout: 5000 }).toBe(count);
    return instances.started;
  };
  // A test may look at the failure later.
  ended.catch(() => {});
  return { asked, all, ended, told: own.told, stop: () => stop.abort(new Error("interrupted")) };
}

/** All end as they are asked to: servers first. */
async function endAll(started: readonly FakeInstance[]): Promise<void> {
  const servers = started.filter(({ name }) => name.startsWith("web."));
  for (const some of [servers, started.filter((instance) => !servers.includes(instance))]) {
    await expect.poll(() => some.every(({ stops }) => stops === 1)).toBe(true);
    await Promise.all(some.map((instance) => instance.end(0)));
  }
}

describe("twelve run with several processes", () => {
  it("starts each type by its name, on a port of its own, with the flags that it was given itself", async () => {
    const run = await running({ release: "v1", drainSeconds: 5, logContent: true });
    const started = await run.all(6);
    expect(started.map(({ name }) => name)).toEqual(["web.1", "web.2", "fail.1", "patient.1", "show.1", "worker.1"]);
    const [web, twin, fail] = run.asked;
    const port = web?.options.env["PORT"];
    expect(web?.args).toEqual(["run", "web", "--env=staging", "--release=v1", `--port=${port}`, "--pre-stop-seconds=0", "--drain-seconds=5", "--log-content"]);
    expect(run.told[0]).toMatch(/^note twelve    \| Starting web ×2 /);
    expect([twin?.options.env["PORT"], fail?.options.env["PORT"] === port]).toEqual([port, false]);
    run.stop();
    await endAll(started);
    expect(await run.ended).toMatchObject({ process: "web, fail, patient, show, worker", exitCode: 0 });
  });

  it("relays what they say, and tells of each that is lost and started again", async () => {
    const run = await running({ process: "web", concurrency: 2 });
    const [one, other] = await run.all(2);
    run.asked[0]?.options.onLine("stdout", '{"event":"x"}');
    one?.say({ kind: "ready", notes: ["Ready: http://127.0.0.1:1"] });
    other?.say({ kind: "ready", notes: ["Ready: http://127.0.0.1:1"] });
    await one?.end(null, "SIGKILL");
    const lines = (): readonly string[] => run.told.flatMap((line) => /^twelve stdout (.*)/.exec(line)?.[1] ?? []);
    await expect.poll(() => lines().length).toBe(2);
    expect(run.told.slice(1).filter((line) => !line.startsWith("twelve stdout"))).toEqual(['web.1 stdout {"event":"x"}', "note web    | Ready: http://127.0.0.1:1", "note twelve | web: 2 processes share the work", expect.stringMatching(/^warn twelve \| web\.1 \(process 1000\) ended by SIGKILL after [\d.]+ s; it starts again (?:at once|in [01]\.\d s)$/)]);
    expect(lines().map((line) => JSON.parse(line) as unknown)).toMatchObject([
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
    expect(run.told.flatMap((line) => /^twelve stdout (.*process-type-failed.*)/.exec(line)?.[1] ?? []).map((line) => JSON.parse(line) as unknown)).toMatchObject([{ event: "process-type-failed", "twelve.process": "web", "twelve.instance": "web.1", "process.exit_code": 5 }]);
    expect(run.told).toContain("warn twelve | web.1 cannot begin its work as things are: the others are stopped");
  });

  it("ends those that serve first, and tells the others that their end is near", async () => {
    const run = await running({});
    const started = await run.all(6);
    const stops = (): readonly number[] => started.map((instance) => instance.stops);
    run.stop();
    await expect.poll(stops).toEqual([1, 1, 0, 0, 0, 0]);
    expect(started.map(({ heard }) => heard)).toEqual([[], [], ...Array.from({ length: 4 }, () => [{ kind: "stop-announced" }])]);
    await Promise.all(started.slice(0, 2).map((instance) => instance.end(0)));
    await expect.poll(stops).toEqual([1, 1, 1, 1, 1, 1]);
    await Promise.all(started.slice(2).map((instance) => instance.end(0)));
    expect(await run.ended).toMatchObject({ exitCode: 0 });
  });

  it("kills all when it ends at once, also those that it had not asked before", async () => {
    const before = process.listeners("exit");
    const run = await running({});
    const started = await run.all(6);
    run.stop();
    await expect.poll(() => started[0]?.stops).toBe(1);
    for (const listener of process.listeners("exit")) if (!before.includes(listener)) listener(130);
    expect(started.map(({ stops, isKilled }) => [stops, isKilled])).toEqual([[2, true], [2, true], ...Array.from({ length: 4 }, () => [1, true])]);
    await Promise.all(started.map((instance) => instance.end(null, "SIGKILL")));
    await run.ended;
  });

  it("counts the requests of a limited key for the processes of all types", async () => {
    const run = await running({});
    const [web, , other] = await run.all(6);
    const take = (instance: FakeInstance | undefined): unknown => {
      instance?.say({ kind: "limit-asked", id: 1, key: "ci", perMinute: 1, burst: 1 });
      const told = instance?.heard.at(-1);
      return told?.kind === "limit-told" && told.taken.isAllowed;
    };
    expect([take(web), take(other)]).toEqual([true, false]);
    run.stop();
    await endAll(await run.all(6));
    await run.ended;
  });

  it("gives all processes the one release, also those that it starts after a newer one was activated", async () => {
    const run = await running({ process: "web", concurrency: 2 });
    const [one, other] = await run.all(2);
    one?.say({ kind: "ready", notes: [] });
    await makeRelease(app, `${manifest}server: { origins: ["https://example.com"] }\n`);
    await one?.end(null, "SIGKILL");
    await run.all(3);
    const told = run.asked.map(({ options }) => JSON.parse(options.env["TWELVE_INSTANCE_RELEASE"] ?? "null") as { readonly number: number });
    expect(told[0]).toMatchObject({ number: 1, release: { digest: expect.stringMatching(/^sha256:/) }, attachments: {}, secrets: expect.anything() });
    expect(told.slice(1)).toEqual([told[0], told[0]]);
    run.stop();
    await expect.poll(() => other?.stops).toBe(1);
    for (const instance of await run.all(3)) await instance.end(0);
    await run.ended;
  });

  it("tells once what several say in their start, and all that they say later", async () => {
    const run = await running({ process: "web", concurrency: 2 });
    const started = await run.all(2);
    const say = (text: string): void => run.asked.forEach(({ options }) => options.onLine("stderr", text));
    say("Error: no");
    say("Error: no");
    expect(run.told.slice(1)).toEqual(["web.1 stderr Error: no", "web.1 stderr Error: no"]);
    for (const instance of started) instance.say({ kind: "ready", notes: [] });
    say("Error: no");
    expect(run.told.filter((line) => line.endsWith("Error: no"))).toHaveLength(4);
    run.stop();
    await endAll(started);
    await run.ended;
  });

  it("leaves out what the shell of a program says of the end that it was asked to come to, and only then", async () => {
    const run = await running({});
    const started = await run.all(6);
    const show = run.asked.find(({ args }) => args.includes("show"))?.options;
    for (const instance of started) instance.say({ kind: "ready", notes: [] });
    show?.onLine("stderr", "Terminated");
    run.stop();
    show?.onLine("stderr", "Terminated");
    show?.onLine("stderr", "Bye");
    await endAll(started);
    await run.ended;
    expect(run.told.filter((line) => line.startsWith("show.1"))).toEqual(["show.1 stderr Terminated", "show.1 stderr Bye"]);
  });

  it.each([{ host: "0.0.0.0" }, { agentcore: true }])("refuses an unguarded address before anything is started: %j", async (flags) => {
    const run = await running(flags);
    await expect(run.ended).rejects.toMatchObject({ code: "HOST_UNGUARDED", exit: 2 });
    expect([run.asked, run.told]).toEqual([[], []]);
  });

  it("refuses it for a reranker, too", async () => {
    await makeRelease(app, manifest.replace("processes:\n", 'processes:\n  ranker: { rerank: "transformers:models/reranker" }\n'));
    const run = await running({ host: "0.0.0.0", process: "ranker", concurrency: 2 });
    await expect(run.ended).rejects.toMatchObject({ code: "HOST_UNGUARDED" });
    expect(run.asked).toEqual([]);
  });

  it("starts where keys guard the address, or somebody said that none are wanted", async () => {
    await makeRelease(app, `${manifest}server: { keys: "\${API_KEY}" }\n`);
    await expect((await running({ host: "0.0.0.0" })).ended).rejects.toMatchObject({ code: "HOST_UNGUARDED", message: expect.stringContaining("API_KEY is not set") });
    const keys = JSON.stringify([{ name: "ci", sha256: "a".repeat(64) }]);
    for (const run of [await running({ host: "0.0.0.0" }, { API_KEY: keys }), await running({ host: "0.0.0.0", insecure: true })]) {
      const started = await run.all(5);
      run.stop();
      await endAll(started);
      expect(await run.ended).toMatchObject({ exitCode: 0 });
    }
  });

  it("names the type whose port is taken, and says that --port moves all", async () => {
    const taken = await listening(createServer());
    // The second type's port is 100 above the first one's.
    const run = await running({ port: taken - 100 });
    await expect(run.ended).rejects.toMatchObject({ code: "PORT_TAKEN", message: `Port ${taken} on 127.0.0.1 is in use: it is the port of the type fail`, fix: expect.stringContaining(`with \`--port\` or PORT: it is ${taken - 100} now, the port of web, `) });
    expect(run.asked).toEqual([]);
  });
});

import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { binary, cleanEnv, twelve, twelveJson } from "../helpers/binary.ts";
import { gitApp, smallApp } from "../helpers/git-app.ts";
import { listening } from "../helpers/listen.ts";
import { isInstalled } from "../helpers/program.ts";
import { isAlive, type Line, type Running, startRun } from "../helpers/run-process.ts";

let cwd: string;
let parent: string;

/** Says its port as a line of JSON, and good-bye when it is asked to end. */
const clock = `echo "{\\"event\\":\\"clock\\",\\"port\\":$PORT,\\"pid\\":$$}"
echo "ticking" >&2
trap 'exit 0' TERM
while :; do sleep 0.05; done
`;

beforeAll(async () => {
  parent = await mkdtemp(join(tmpdir(), "twelve-processes-"));
  cwd = (await twelveJson<{ folder: string }>(["init", "app", "--template", "chat"], { cwd: parent })).folder;
  const manifest = await readFile(join(cwd, "twelve.yaml"), "utf8");
  const types = "  web: { serve: [chat], scale: { min: 2 } }\n  worker: { work: [index] }\n  clock: { command: sh clock.sh }\n";
  const state = '  STATE_URL:   { kind: attachment, default: "pglite:.twelve/state" }\n';
  await writeFile(join(cwd, "twelve.yaml"), manifest.replace(/^ {2}web: .*\n/m, types).replace("mock:echo", "mock:echo?msPerToken=1").replace(/^config:\n/m, `config:\n${state}`));
  await writeFile(join(cwd, "clock.sh"), clock);
  for (const args of [["add", "--all"], ["commit", "--quiet", "--message", "Types"]]) await execa("git", args, { cwd, env: cleanEnv() });
  await twelveJson(["build"], { cwd });
  await twelveJson(["release", "--env", "staging"], { cwd });
});
afterAll(() => rm(parent, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }));

const key = "twelve-test-key-0123456789";

async function keyedApp(): Promise<string> {
  const dir = await gitApp({ ...smallApp, "twelve.yaml": 'name: shop\nconfig: { API_KEYS: { kind: secret } }\nagents: { support: { prompt: answer, model: "mock:echo" } }\nprocesses: { web: { serve: [support] } }\nserver: { keys: "${API_KEYS}" }\nenvironments: { staging: {} }\n' });
  await twelveJson(["build"], { cwd: dir });
  await twelveJson(["release", "--env", "staging"], { cwd: dir, env: { API_KEYS: "[]" } });
  return dir;
}

async function ask(url: string, content = "hello", more: object = {}): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: "POST", headers: { "content-type": "application/json", connection: "close" }, body: JSON.stringify({ model: "chat", messages: [{ role: "user", content }], ...more }) });
}

/** A stream that takes a second or so, once its first words are there. */
async function openStream(url: string): Promise<() => Promise<string>> {
  const response = await ask(url, "word ".repeat(800), { stream: true });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader?.read())?.value ?? "";
  return async () => {
    for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) text += next.value;
    return text;
  };
}

const pidsOf = (lines: readonly Line[]): readonly number[] => lines.map((line) => Number(line["process.pid"] ?? line["pid"]));

function readyWeb(run: Running, processes: number): Promise<readonly Line[]> {
  return run.until(() => {
    const ready = run.events("server-ready");
    return ready.length >= processes && ready;
  });
}

describe("twelve run, without the name of a type", () => {
  it("starts every type with a port of its own; programs read events as they are, people who said what", async () => {
    const run = startRun([], { cwd });
    await run.until(() => run.events("process-type-ready").length === 3);
    await run.until(() => run.events("clock").length === 1);
    const url = await run.url();
    expect((await ask(url)).status).toBe(200);
    expect(run.events("process-type-ready")).toEqual(expect.arrayContaining(["web", "worker", "clock"].map((name) => expect.objectContaining({ "twelve.process": name, processes: name === "web" ? 2 : 1 }))));
    expect(run.stdout.trimEnd().split("\n").every((line) => line.startsWith("{"))).toBe(true);
    await run.until(() => run.stderr.includes("clock.1  | ticking\n"));
    expect(run.stderr).toMatch(/^twelve   \| Starting web ×2 \(serve, port \d+\), clock \(command, port \d+\), worker \(work, port \d+\)$/m);
    expect(run.stderr.match(/^web      \| Ready:/gm)).toHaveLength(1);
    expect(run.stderr).not.toContain("\u001b");

    const ports = /Starting web ×2 \(serve, port (\d+)\), clock \(command, port (\d+)\), worker \(work, port (\d+)\)/.exec(run.stderr)?.slice(1).map(Number) ?? [];
    expect([new URL(url).port, run.events("clock")[0]?.["port"]]).toEqual([String(ports[0]), ports[1]]);
    const scrape = async (port: number | undefined): Promise<string> => (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    expect(await scrape(ports[0])).toContain("\ntwelve_processes_ready 2\n");
    await expect.poll(() => scrape(ports[2])).toContain('twelve_queue_depth{queue="index",state="waiting"} 0\n');

    run.send("SIGTERM");
    expect(await run.ended).toBe(0);
    expect([run.events("server-stopped").length, run.events("worker-stopped").length]).toEqual([2, 1]);
    expect(run.stderr.split("\n").slice(0, -1).filter((line) => !/^(?:twelve|(?:web|clock|worker)(?:\.\d)?) +\| /.test(line))).toEqual([]);
    expect(run.stderr).not.toContain("Warning");
    expect([...pidsOf(run.events("server-ready")), ...pidsOf(run.events("clock"))].filter(isAlive)).toEqual([]);
  }, 60_000);

  it("ends in good order also where a program knows nothing of signals", async () => {
    await writeFile(join(cwd, "clock.sh"), clock.replace(/^trap.*\n/m, "").replace("while :; do sleep 0.05; done", "sleep 600"));
    onTestFinished(() => writeFile(join(cwd, "clock.sh"), clock));
    await twelveJson(["build"], { cwd });
    await twelveJson(["release", "--env", "development"], { cwd });
    const run = startRun(["--env", "development"], { cwd });
    await run.until(() => run.events("process-type-ready").length === 3 && run.events("clock").length === 1);
    run.send("SIGTERM");
    expect(await run.ended).toBe(0);
    expect(run.stderr).not.toMatch(/Terminated|143|Warning/);
  }, 60_000);

  it("stops at once, with the exit code of the type that cannot be run as things are, and says why", async () => {
    const { exitCode, stderr } = await twelve(["run", "web", "--concurrency", "2", "--env", "staging", "--port", "0"], { cwd, env: { TEMPERATURE: "1" } });
    expect([exitCode, stderr]).toEqual([5, expect.stringMatching(/^web\.[12]  \| Error: .*TEMPERATURE/m)]);
    expect(stderr).toMatch(/^twelve \| Warning: web\.[12] cannot begin its work as things are: the others are stopped$/m);
    expect([stderr.match(/Error:/g), stderr.match(/CONFIG_DRIFTED/g), stderr.includes("Interrupted")]).toEqual([["Error:"], ["CONFIG_DRIFTED"], false]);
    expect(stderr).toMatch(/^The process web\.[12] ended with exit code 5$/m);
  });

  it("starts nothing where another program has one of its ports", async () => {
    const port = await listening(createServer());
    const { exitCode, stdout, stderr } = await twelve(["run", "--env", "staging", "--port", String(port)], { cwd });
    expect([exitCode, stdout, stderr]).toEqual([5, "", expect.stringContaining(`Port ${port} on 127.0.0.1 is in use`)]);
  });

  it.skipIf(!isInstalled("script"))("puts a coloured name before each line on a terminal (needs script)", async () => {
    const run = execa("script", ["-qec", `'${process.execPath}' '${binary}' run web --concurrency 2 --env staging --port 0`, "/dev/null"], { cwd, env: cleanEnv({ TERM: "xterm" }), extendEnv: false, reject: false });
    onTestFinished(() => void run.kill("SIGKILL"));
    let said = "";
    await new Promise<void>((resolve) => {
      run.stdout.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("process-type-ready") && /web\.1.*server-ready[^]*web\.2|web\.2.*server-ready[^]*web\.1/.test(said)) resolve();
      });
    });
    expect(said).toContain("\u001b[36mweb.1  |\u001b[39m ");
    expect(stripVTControlCharacters(said)).toMatch(/web\.1 {2}\| \d\d:\d\d:\d\d {2}server-ready/);
    expect(said).not.toContain('{"event"');
    run.kill("SIGTERM");
    await run;
  });
});

it.skipIf(process.platform !== "linux")("ends the program of a process that was killed, before another one is started (needs /proc)", async () => {
  const run = startRun([], { cwd });
  const [first] = await run.until(() => run.events("clock").length === 1 && run.events("clock"));
  const program = Number(first?.["pid"]);
  // The program, the shell that runs the command line, and the process that started the shell.
  const parentOf = async (pid: number): Promise<number> => Number(/\) \S (\d+)/.exec(await readFile(`/proc/${pid}/stat`, "utf8"))?.[1]);
  process.kill(await parentOf(await parentOf(program)), "SIGKILL");
  await run.until(() => run.events("clock").length === 2);
  expect(isAlive(program)).toBe(false);
  expect(run.events("process-exited")).toMatchObject([{ "twelve.instance": "clock.1", "process.signal": "SIGKILL" }]);
});

describe("twelve run web --concurrency", () => {
  it("lets all processes answer on the one port", async () => {
    const run = startRun(["web", "--concurrency", "3"], { cwd });
    const url = await run.url();
    await readyWeb(run, 3);
    for (let i = 0; i < 60; i++) expect((await ask(url)).status).toBe(200);
    const metrics = await (await fetch(`${url}/metrics`, { headers: { connection: "close" } })).text();
    expect(metrics).toContain('twelve_http_requests_total{method="POST",route="/v1/chat/completions",status="200"} 60\n');
    expect(metrics).toContain("\ntwelve_processes 3\n");
    run.send("SIGTERM");
    expect(await run.ended).toBe(0);
    const stopped = run.events("server-stopped");
    expect(new Set(pidsOf(stopped)).size).toBe(3);
    // The scrape is one of them.
    expect(stopped.map(({ requests }) => Number(requests)).filter((requests) => requests > 0)).toHaveLength(3);
    expect(stopped.reduce((sum, { requests }) => sum + Number(requests), 0)).toBe(61);
  });

  it("goes on answering when one is killed, and starts it again", async () => {
    const run = startRun(["web", "--concurrency", "2"], { cwd });
    const url = await run.url();
    const [victim = 0] = pidsOf(await readyWeb(run, 2));
    process.kill(victim, "SIGKILL");
    const statuses: number[] = [];
    // What the killed one had been handed and not begun is reset, and can be asked again.
    while (run.events("server-ready").length < 3) statuses.push(await ask(url).then(({ status }) => status, ({ cause }: { cause: { code: string } }) => (expect(["ECONNRESET", "UND_ERR_SOCKET"]).toContain(cause.code), 0)));
    expect(statuses.filter((status) => status !== 200).length).toBeLessThanOrEqual(1);
    expect(statuses.length).toBeGreaterThan(5);
    expect(run.events("process-exited")).toMatchObject([{ "process.pid": victim, "process.exit_code": null, "process.signal": "SIGKILL", restart_in_ms: expect.any(Number) }]);
    expect(pidsOf(run.events("process-restarted"))).toEqual([pidsOf(run.events("server-ready"))[2]]);
    run.send("SIGTERM");
    expect(await run.ended).toBe(0);
  });

  it("starts a killed one again in the release of the others, whatever was activated meanwhile, and lets no count fall", async () => {
    const run = startRun(["web", "--concurrency", "2"], { cwd });
    const url = await run.url();
    const [victim = 0] = pidsOf(await readyWeb(run, 2));
    for (let i = 0; i < 20; i++) expect((await ask(url)).status).toBe(200);
    const count = async (): Promise<number> => Number(/twelve_http_requests_total\{method="POST",route="\/v1\/chat\/completions",status="200"\} (\d+)/.exec(await (await fetch(`${url}/metrics`, { headers: { connection: "close" } })).text())?.[1]);
    expect(await count()).toBe(20);
    await twelveJson(["release", "--env", "staging", "--allow-dirty", "--set", "TEMPERATURE=0.9"], { cwd });
    process.kill(victim, "SIGKILL");
    await readyWeb(run, 3);
    expect(await count()).toBe(20);
    const digests = run.events("server-ready").map((event) => event["twelve.release.digest"]);
    expect(new Set(digests).size).toBe(1);
    run.send("SIGTERM");
    expect(await run.ended).toBe(0);
  });

  it("counts the requests of a limited key once for all processes", async () => {
    const dir = await keyedApp();
    const run = startRun(["web", "--concurrency", "2"], { cwd: dir, env: { API_KEYS: JSON.stringify([{ name: "ci", sha256: createHash("sha256").update(key).digest("hex"), requestsPerMinute: 6 }]) } });
    const url = await run.url();
    await readyWeb(run, 2);
    const statuses: number[] = [];
    for (let i = 0; i < 9; i++) statuses.push((await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}`, connection: "close" } })).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 200, 429, 429, 429]);
    run.send("SIGTERM");
    expect(await run.ended).toBe(0);
  });

  it("lets open streams end when it is asked to stop", async () => {
    const run = startRun(["web", "--concurrency", "2"], { cwd });
    const rest = await openStream(await run.url());
    run.send("SIGTERM");
    expect(await rest()).toMatch(/data: \[DONE\]\n\n$/);
    expect(await run.ended).toBe(0);
  });

  it("keeps their order where a service manager, or a terminal that is closed, signals each of them by itself", async () => {
    const run = startRun([], { cwd });
    const rest = await openStream(await run.url());
    await run.until(() => run.events("worker-ready").length === 1);
    const pids = [...pidsOf(await readyWeb(run, 2)), ...pidsOf(run.events("worker-ready"))];
    for (const pid of pids) for (const signal of ["SIGTERM", "SIGHUP"]) process.kill(pid, signal);
    run.send("SIGTERM");
    expect(await rest()).toMatch(/data: \[DONE\]\n\n$/);
    expect(await run.ended).toBe(0);
    const stops = run.stdout.split("\n").filter((line) => line.startsWith("{")).map((line) => (JSON.parse(line) as Line)["event"]).filter((event) => event === "server-stopped" || event === "worker-stopped");
    expect(stops).toEqual(["server-stopped", "server-stopped", "worker-stopped"]);
  });

  it("ends what is frozen, too", async () => {
    const run = startRun(["web", "--concurrency", "2"], { cwd });
    const pids = pidsOf(await readyWeb(run, 2));
    const [frozen = 0] = pids;
    process.kill(frozen, "SIGSTOP");
    run.send("SIGTERM");
    await run.until(() => run.stderr.includes("Stopping: "));
    run.send("SIGTERM");
    expect(await run.ended).toBe(130);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });

  it("ends a frozen worker, too, which had not been asked to end while a server still answers", async () => {
    const run = startRun([], { cwd });
    const rest = await openStream(await run.url());
    await run.until(() => run.events("worker-ready").length === 1 && run.events("clock").length === 1);
    const [worker = 0] = pidsOf(run.events("worker-ready"));
    process.kill(worker, "SIGSTOP");
    onTestFinished(() => void (isAlive(worker) && process.kill(worker, "SIGKILL")));
    run.send("SIGTERM");
    await run.until(() => run.stderr.includes("Stopping: "));
    run.send("SIGTERM");
    expect(await run.ended).toBe(130);
    await rest().catch(() => {});
    await expect.poll(() => [worker, ...pidsOf(run.events("clock"))].filter(isAlive)).toEqual([]);
  });

  it("is forced by a second signal, and takes its processes along", async () => {
    const run = startRun(["web", "--concurrency", "2"], { cwd });
    const rest = await openStream(await run.url());
    const pids = pidsOf(await readyWeb(run, 2));
    run.send("SIGTERM");
    await run.until(() => run.stderr.includes("Stopping: "));
    run.send("SIGTERM");
    expect(await run.ended).toBe(130);
    await expect(rest().then((text) => text.includes("[DONE]"), () => false)).resolves.toBe(false);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });

  it("leaves no process behind when it is killed itself, and lets each end its streams", async () => {
    const run = startRun([], { cwd });
    await run.until(() => run.events("clock").length === 1);
    const rest = await openStream(await run.url());
    const pids = [...pidsOf(await readyWeb(run, 2)), ...pidsOf(run.events("clock"))];
    expect(pids.filter(isAlive)).toHaveLength(3);
    run.send("SIGKILL");
    expect(await rest()).toMatch(/data: \[DONE\]\n\n$/);
    await expect.poll(() => pids.filter(isAlive), { timeout: 15_000 }).toEqual([]);
  }, 60_000);
});

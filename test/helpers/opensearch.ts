import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { chown, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** The folder that `.ci/opensearch/install` made, with a server of each version that the machine can run. */
const installed = process.env["TWELVE_OPENSEARCH"] ?? "";
const versions = ["2", "3"].filter((version) => installed !== "" && existsSync(join(installed, version, "lib")));

/** Why tests that need a real OpenSearch server are skipped; with TWELVE_REQUIRE_SERVICES=1 they fail instead. */
export const withoutOpenSearch = versions.length === 0 && process.env["TWELVE_REQUIRE_SERVICES"] !== "1";
/** The versions to test with, at least one to skip or to fail with. */
export const openSearchVersions: readonly string[] = versions.length === 0 ? ["3"] : versions;

export interface OpenSearchServer {
  readonly port: number;
  /** As `twelve` is given it. */
  readonly url: string;
  /** What a test does beside the adapter: the answer's JSON value. */
  ask(method: string, path: string, body?: object): Promise<unknown>;
  stop(): Promise<void>;
}

const startMs = 120_000;

/** A node of the test file's own on free ports of loopback. The caller stops it. */
export async function startOpenSearch(version: string): Promise<OpenSearchServer> {
  if (!versions.includes(version)) throw new Error("No OpenSearch server is installed: run `.ci/opensearch/install <folder>` and set TWELVE_OPENSEARCH to that folder");
  const folder = join(installed, version);
  const options = (await readFile(join(folder, "jvm.options"), "utf8")).trim().split("\n");
  const own = await mkdtemp(join(tmpdir(), "twelve-opensearch-"));
  const [port, transportPort] = [await freePort(), await freePort()];
  for (const name of ["config", "data", "logs", "tmp"]) await mkdir(join(own, name));
  await writeFile(join(own, "config/opensearch.yml"), [
    "discovery.type: single-node", "network.host: 127.0.0.1", `http.port: ${port}`, `transport.port: ${transportPort}`, `path.data: ${own}/data`, `path.logs: ${own}/logs`,
    // A test machine may be fuller than a cluster may be.
    "cluster.routing.allocation.disk.threshold_enabled: false",
  ].join("\n"));
  await writeFile(join(own, "config/log4j2.properties"), "rootLogger.level = error\n");
  const user = await ordinaryUser();
  if (user !== undefined) for (const path of ["", "config", "config/opensearch.yml", "config/log4j2.properties", "data", "logs", "tmp"]) await chown(join(own, path), user.uid, user.gid);
  const child = spawn(join(folder, "jdk/bin/java"), [
    "-Xms512m", "-Xmx512m", "-XX:+UseSerialGC", ...options, `-Dopensearch.path.home=${folder}`, `-Dopensearch.path.conf=${own}/config`, "-Dopensearch.distribution.type=tar", `-Djava.io.tmpdir=${own}/tmp`,
    "-cp", join(folder, "lib/*"), "org.opensearch.bootstrap.OpenSearch",
  ], { stdio: ["ignore", "ignore", "pipe"], cwd: "/", ...user });
  const kill = (): void => void child.kill("SIGKILL");
  process.once("exit", kill);
  let said = "";
  let hasEnded = false;
  child.stderr.setEncoding("utf8").on("data", (text: string) => (said = `${said}${text}`.slice(-4000)));
  const ended = new Promise<void>((resolve) => child.once("close", () => {
    hasEnded = true;
    resolve();
  }));
  const stop = async (): Promise<void> => {
    process.off("exit", kill);
    kill();
    await ended;
    await rm(own, { recursive: true, force: true });
  };
  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body === undefined ? {} : { headers: { "content-type": "application/json" }, body: JSON.stringify(body) }) });
    return answer.json();
  };
  for (const until = Date.now() + startMs; ; ) {
    if (await ask("GET", "/_cluster/health").then(() => true, () => false)) break;
    if (hasEnded || Date.now() > until) {
      await stop();
      throw new Error(`OpenSearch did not start: ${said}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return { port, url: `opensearch+http://127.0.0.1:${port}`, ask, stop };
}

/** A node refuses to run as root, so root runs it as a user who may do nothing. */
async function ordinaryUser(): Promise<{ readonly uid: number; readonly gid: number } | undefined> {
  if (userInfo().uid !== 0) return undefined;
  const idOf = async (flag: string): Promise<number> => Number((await run("id", [flag, "nobody"])).stdout);
  return { uid: await idOf("-u"), gid: await idOf("-g") };
}

function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const server = createServer();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
  });
  return promise;
}

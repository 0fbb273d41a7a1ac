import { execFile } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { chmod, chown, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { freePort } from "./program.ts";

const run = promisify(execFile);
const password = "only-for-tests";

/** Where Debian and others keep the programs that start a cluster, the newest version first. */
const ownPrograms = globSync("/usr/lib/postgresql/*/bin/initdb")
  .concat((process.env["PATH"] ?? "").split(":").map((folder) => join(folder, "initdb")))
  .filter((file) => existsSync(file))
  .map((file) => file.replace(/\/initdb$/, ""))
  .sort((left, right) => right.localeCompare(left, undefined, { numeric: true }))[0];

/** Those whose server has pgvector: the ones that TWELVE_PGVECTOR names, or the machine's own with the extension's package. */
const vectorPrograms = [process.env["TWELVE_PGVECTOR"], ownPrograms].find((folder) => folder !== undefined && hasVector(folder));

function hasVector(folder: string): boolean {
  const version = /postgresql\/(\d+)\/bin$/.exec(folder)?.[1] ?? "";
  return [join(folder, "../share/postgresql"), join(folder, "../share"), `/usr/share/postgresql/${version}`].some((share) => existsSync(join(share, "extension/vector.control")));
}

/** As below, of a server with pgvector. */
export const withoutPgvector = vectorPrograms === undefined && process.env["TWELVE_REQUIRE_SERVICES"] !== "1";

/** Why a test that needs a real Postgres server is skipped; with TWELVE_REQUIRE_SERVICES=1 it fails instead. */
export const withoutPostgres = ownPrograms === undefined && process.env["TWELVE_REQUIRE_SERVICES"] !== "1";

export interface PostgresServer {
  readonly port: number;
  /** Ends the cluster and removes it. */
  stop(): Promise<void>;
  /** The URL of a new, empty database of the superuser. */
  createDatabase(): Promise<string>;
  /** Runs statements as the superuser. */
  query(text: string): Promise<void>;
  /** Breaks off all connections, as in a crash, and starts again. */
  restart(): Promise<void>;
}

/** A cluster of the test file's own on a free port of loopback. The caller stops it: a hook that is registered inside another hook never runs. */
export async function startPostgres({ vector = false, settings = "" } = {}): Promise<PostgresServer> {
  const programs = vector ? vectorPrograms : ownPrograms;
  if (programs === undefined) throw new Error(`No Postgres server ${vector ? "with pgvector " : ""}is installed (Debian: \`apt-get install postgresql\`; with pgvector: set TWELVE_PGVECTOR to the folder of its programs)`);
  const asUser = (program: string, args: readonly string[]): Promise<unknown> => runAsUser(join(programs, program), args);
  const folder = await mkdtemp(join(tmpdir(), "twelve-postgres-"));
  const data = join(folder, "data");
  const port = await freePort();
  await writeFile(join(folder, "password"), password);
  if (isRoot) await giveTo(folder);
  await asUser("initdb", ["-D", data, "-U", "owner", "--pwfile", join(folder, "password"), "--auth", "scram-sha-256", "-E", "UTF8", "--locale", "C", "-N"]);
  const options = `-p ${port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off -c max_connections=200 ${settings}`;
  const control = (...command: readonly string[]): Promise<unknown> => asUser("pg_ctl", ["-D", data, "-w", "-l", join(folder, "log"), ...command]);
  await control("-o", options, "start");
  const stop = async (): Promise<void> => {
    await control("-m", "immediate", "stop");
    await rm(folder, { recursive: true, force: true });
  };

  const urlOf = (database: string): string => `postgres://owner:${password}@127.0.0.1:${port}/${database}`;
  const query = async (text: string): Promise<void> => {
    const { default: pg } = await import("pg");
    const client = new pg.Client({ connectionString: urlOf("postgres") });
    await client.connect();
    try {
      await client.query(text);
    } finally {
      await client.end();
    }
  };
  let databases = 0;
  return {
    port,
    stop,
    query,
    async createDatabase() {
      const name = `test_${(databases += 1)}`;
      await query(`CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    restart: async () => void (await control("-m", "immediate", "-o", options, "restart")),
  };
}

const isRoot = userInfo().uid === 0;

/** A cluster refuses to run as root, so root runs it as the user that the package has made for it. */
async function runAsUser(file: string, args: readonly string[]): Promise<unknown> {
  return isRoot ? run("runuser", ["-u", "postgres", "--", file, ...args], { cwd: "/" }) : run(file, args, { cwd: "/" });
}

async function giveTo(folder: string): Promise<void> {
  const { stdout } = await run("id", ["-u", "postgres"]);
  await chown(folder, Number(stdout), -1);
  await chown(join(folder, "password"), Number(stdout), -1);
  await chmod(folder, 0o700);
}

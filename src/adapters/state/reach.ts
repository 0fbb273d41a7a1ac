import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { Socket, connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { TwelveError } from "../../core/errors.ts";
import type { StateFolder } from "./folder.ts";
import { findSocket } from "./note.ts";
import { encryptionMessage } from "./turn.ts";

/** How long a server goes on without anyone who uses it. */
export const idleMs = 60_000;
/** The first start makes a database, which takes a slow machine its time. */
const startMs = 60_000;
const lookMs = 25;
/** A statement that keeps the server busy for longer is asked about again. */
const silentMs = 5000;

/**
 * A connection to the folder's server, for a client that will connect it. Whoever connects first starts the server, and
 * whoever comes after it was killed starts it again.
 */
export function openStateSocket(folder: StateFolder): Socket {
  const socket = new Socket();
  const connectTo = socket.connect.bind(socket) as (path: string) => Socket;
  socket.connect = () => {
    reachServer(folder).then(
      (path) => socket.destroyed || connectTo(path),
      (error: unknown) => socket.destroy(error as Error),
    );
    return socket;
  };
  return socket;
}

const reaching = new Map<string, Promise<string>>();

/** Gives the server's socket when it listens. Fails with SERVICE_FAILED when it cannot be started. */
export function reachServer(folder: StateFolder): Promise<string> {
  const known = reaching.get(folder.socket);
  if (known !== undefined) return known;
  const reached = startAsNeeded(folder).finally(() => reaching.delete(folder.socket));
  reaching.set(folder.socket, reached);
  return reached;
}

async function startAsNeeded(folder: StateFolder): Promise<string> {
  const startedMs = performance.now();
  let server: ChildProcess | undefined;
  for (;;) {
    const socket = await findSocket(folder);
    if (await isServing(socket)) return socket;
    if (server?.exitCode !== undefined && server.exitCode !== null && server.exitCode !== 0) throw await startFailure(folder);
    if (performance.now() - startedMs > startMs) throw heldFailure(folder);
    // A server that finds another one ends at once with 0; the other one may be about to listen, or to end.
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) server = startServer(folder);
    await sleep(lookMs);
  }
}

/** Whether a server of ours answers there. What is anything else is in the way of the one that is then started, and makes room for it. */
function isServing(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path, () => void probe.write(encryptionMessage));
  probe.once("data", (bytes) => resolve(bytes.toString("latin1") === "N"));
  for (const end of ["error", "close"]) probe.on(end, () => resolve(false));
  probe.setTimeout(silentMs, () => resolve(false));
  return promise.finally(() => probe.destroy());
}

/** The server outlives this process, and gets nothing of its environment but what a process needs: secrets would live on in it. */
function startServer({ path, log }: StateFolder): ChildProcess {
  const name = import.meta.url.endsWith(".ts") ? "./state-server.worker.ts" : "./state-server.worker.js";
  const file = fileURLToPath(new URL(name, import.meta.url));
  const needed = ["PATH", "HOME", "TMPDIR", "TEMP", "TMP", "SystemRoot"];
  const env = Object.fromEntries(needed.flatMap((key) => (process.env[key] === undefined ? [] : [[key, process.env[key]]])));
  const output = openSync(log, "a", 0o600);
  try {
    const child = spawn(process.execPath, [file, path, String(idleMs)], { cwd: path, env, detached: true, stdio: ["ignore", output, output] });
    child.on("error", () => {});
    child.unref();
    return child;
  } finally {
    closeSync(output);
  }
}

async function startFailure({ path, log }: StateFolder): Promise<TwelveError> {
  const said = (await readFile(log, "utf8").catch(() => "")).trim().split("\n").slice(-3).join(" ");
  return new TwelveError("SERVICE_FAILED", `The embedded database in ${path} cannot be opened: ${said || "its server ended"}`, {
    fix: `See ${log}; or set STATE_URL to a Postgres server, such as \`postgres://user@host/database\``,
  });
}

function heldFailure({ path }: StateFolder): TwelveError {
  return new TwelveError("SERVICE_FAILED", `The embedded database in ${path} is held by a process that cannot be reached from here`, {
    fix: "An embedded database serves one machine: set STATE_URL to a Postgres server where several share the folder",
  });
}

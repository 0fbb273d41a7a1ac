import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import type { Certificate } from "./certificate.ts";
import { freePort, isInstalled } from "./program.ts";

const command = "redis-server";

/** Why tests that need a real Redis server are skipped; with TWELVE_REQUIRE_SERVICES=1 they fail instead. */
export const withoutRedis = !isInstalled(command) && process.env["TWELVE_REQUIRE_SERVICES"] !== "1";

export interface RedisServer {
  readonly port: number;
  /** 0 where it has no certificate. */
  readonly tlsPort: number;
  /** Without a password, as long as none is set. */
  readonly url: string;
  /** For what a test wants to look at or set. */
  readonly client: Redis;
  /** Ends it and starts another one on the same port. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a server of the test file's own on a free port of loopback, and with a certificate on another one for TLS. */
export async function startRedis(certificate?: Certificate): Promise<RedisServer> {
  const folder = await mkdtemp(join(tmpdir(), "twelve-redis-"));
  const port = await freePort();
  const tlsPort = certificate === undefined ? 0 : await freePort();
  const tls = certificate === undefined ? [] : ["--tls-port", String(tlsPort), "--tls-cert-file", certificate.certificate, "--tls-key-file", certificate.key, "--tls-ca-cert-file", certificate.authority, "--tls-auth-clients", "no"];
  const start = async (): Promise<() => Promise<void>> => {
    const child = spawn(command, ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always", ...tls], { stdio: ["ignore", "pipe", "ignore"] });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    process.once("exit", () => void child.kill("SIGKILL"));
    await new Promise<void>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        if (text.includes("Ready to accept connections")) resolve();
      });
      child.once("error", reject);
      child.once("exit", (exitCode) => reject(new Error(`${command} ended with ${exitCode}`)));
    });
    return () => {
      child.kill("SIGKILL");
      return ended;
    };
  };
  let kill = await start();
  const client = new Redis({ port, host: "127.0.0.1", lazyConnect: true });
  client.on("error", () => {});
  return {
    port,
    tlsPort,
    url: `redis://127.0.0.1:${port}/0`,
    client,
    async restart() {
      await kill();
      kill = await start();
    },
    async stop() {
      client.disconnect();
      await kill();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { S3 } from "@aws-sdk/client-s3";
import { freePort, isInstalled } from "./program.ts";

const command = "versitygw";
const keys = { accessKeyId: "test", secretAccessKey: "test-secret" };

/**
 * Why tests against versitygw, a server that speaks S3 over a folder and checks every signature, are skipped: it is not installed
 * (`go install github.com/versity/versitygw/cmd/versitygw@v1.8.0`). Also with TWELVE_REQUIRE_SERVICES=1: not every machine has a Go that can make it,
 * and the same tests run against moto.
 */
export const withoutVersitygw = !isInstalled(command);

export interface Versitygw {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** Starts it on a free port, over a folder of its own. */
export async function startVersitygw(): Promise<Versitygw> {
  const folder = await mkdtemp(join(tmpdir(), "twelve-versitygw-"));
  const port = await freePort();
  const child = spawn(command, ["--port", `127.0.0.1:${port}`, "posix", folder], { env: { ...process.env, ROOT_ACCESS_KEY: keys.accessKeyId, ROOT_SECRET_KEY: keys.secretAccessKey }, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  process.once("exit", () => void child.kill("SIGKILL"));
  await new Promise<void>((resolve, reject) => {
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("listening on")) resolve();
      });
    }
    child.once("error", (error) => reject(new Error(`${command} cannot be started`, { cause: error })));
    child.once("exit", (exitCode) => reject(new Error(`${command} ended with ${exitCode}: ${said}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  return {
    url,
    env: { AWS_ENDPOINT_URL_S3: url, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey },
    async stop() {
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export function versitygwS3({ url }: Versitygw): S3 {
  return new S3({ endpoint: url, region: "us-east-1", forcePathStyle: true, credentials: keys });
}

import { spawn } from "node:child_process";
import { S3 } from "@aws-sdk/client-s3";
import { isInstalled } from "./program.ts";

const command = "moto_server";

/**
 * Why tests against moto, a server with the AWS protocols, are skipped: it is not installed (`pip install "moto[server]"`).
 * Never where TWELVE_REQUIRE_SERVICES=1 is set; there they fail.
 */
export const withoutMoto = !isInstalled(command) && process.env["TWELVE_REQUIRE_SERVICES"] !== "1";

export interface Moto {
  readonly url: string;
  /** What a client of ours needs to find the server; the keys are any keys. */
  readonly env: Readonly<Record<string, string>>;
  readonly stop: () => Promise<void>;
}

/** Starts moto on a free port: `beforeAll(async () => { moto = await startMoto(); return moto.stop; })`. */
export async function startMoto(): Promise<Moto> {
  const child = spawn(command, ["-H", "127.0.0.1", "-p", "0"], { stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
  const stop = (): Promise<void> => {
    child.kill("SIGKILL");
    return ended;
  };
  // Also when the tests end without their hooks.
  process.once("exit", () => void child.kill("SIGKILL"));
  const url = await new Promise<string>((resolve, reject) => {
    let said = "";
    const listen = (text: string): void => {
      said += text;
      const found = /Running on (http:\/\/[\d.]+:\d+)/.exec(said)?.[1];
      if (found !== undefined) resolve(found);
    };
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", listen);
    child.once("error", (error) => reject(new Error(`${command} cannot be started`, { cause: error })));
    child.once("exit", (exitCode) => reject(new Error(`${command} ended with ${exitCode}: ${said}`)));
  });
  return { url, env: { AWS_ENDPOINT_URL: url, AWS_REGION: "us-east-1", AWS_ACCESS_KEY_ID: "test", AWS_SECRET_ACCESS_KEY: "test" }, stop };
}

/** A plain client, for putting in what a test needs. */
export function motoS3({ url }: Moto): S3 {
  return new S3({ endpoint: url, region: "us-east-1", forcePathStyle: true, credentials: { accessKeyId: "test", secretAccessKey: "test" } });
}
